"""The readers' keys: one file a reader below the gateway's data folder, for its owner's eyes only.

A key is on the disk before it is sent (`pending`) and takes the place of the `current` one when the reader has proved
that it holds it: whatever is cut in between, one of the two opens the secure channel.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from drivers.errors import DriverError

FOLDER: Final = "osdp-keys"
SIZE: Final = 16


class KeysUnreadable(DriverError):
    """A key file that cannot be read or is none. It is left as it is: the only copy of a key may be in it."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one reader: the one that it holds, and one that it may hold. Never shown."""

    current: bytes | None = field(default=None, repr=False)
    pending: bytes | None = field(default=None, repr=False)

    @property
    def to_try(self) -> tuple[bytes, ...]:
        """The keys that the reader may have, the likely one first."""
        return tuple(key for key in (self.current, self.pending) if key is not None)


class KeyStore:
    """The keys of all readers of a gateway. Every method reads or writes files: seldom, and a few milliseconds."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER

    def of(self, reader: str) -> Keys:
        """The keys of a reader; none if it has no file. Raises `KeysUnreadable`."""
        path = self._path(reader)
        try:
            text = path.read_text(encoding="ascii")
        except FileNotFoundError:
            return Keys()
        except (OSError, UnicodeDecodeError) as wrong:
            raise KeysUnreadable(f"the key file {path} cannot be read: {wrong}") from wrong
        try:
            document = json.loads(text)
            return Keys(_key(document["current"]), _key(document["pending"]))
        except (ValueError, TypeError, KeyError) as wrong:
            raise KeysUnreadable(f"{path} is no key file") from wrong

    def prepare(self, reader: str) -> Keys:
        """A new key for a reader, on the disk before anybody sends it. Raises `KeysUnreadable`, `OSError`.

        One that was prepared before, and that the reader may hold, is offered again.
        """
        keys = self.of(reader)
        if keys.pending is None:
            keys = Keys(keys.current, secrets.token_bytes(SIZE))
            self._write(reader, keys)
        return keys

    def settle(self, reader: str, held: bytes | None) -> Keys:
        """The reader proved that it holds this key (None: none of ours): it is the only one from now on."""
        keys = Keys(held)
        if keys != self.of(reader):
            self._write(reader, keys)
        return keys

    def withdraw(self, reader: str) -> Keys:
        """The prepared key was never sent: it is forgotten."""
        return self.settle(reader, self.of(reader).current)

    def _path(self, reader: str) -> Path:
        return self._folder / f"{reader}.json"

    def _write(self, reader: str, keys: Keys) -> None:
        """Whole or not at all, and on the disk when it returns."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._path(reader)
        part = path.with_name(path.name + ".part")
        part.unlink(missing_ok=True)
        document = {"current": _hex(keys.current), "pending": _hex(keys.pending)}
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            json.dump(document, file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _key(text: object) -> bytes | None:
    if text is None:
        return None
    if not isinstance(text, str):
        raise TypeError("a key is written in hexadecimal digits")
    key = bytes.fromhex(text)
    if len(key) != SIZE:
        raise ValueError(f"{len(key)} bytes are no key")
    return key


def _hex(key: bytes | None) -> str | None:
    return None if key is None else key.hex()

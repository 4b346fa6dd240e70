"""Texts that only the servers can read: sealed with a secret that is kept in a file of its own, apart from the data.

Deterministic authenticated encryption in the form of SIV (Rogaway and Shrimpton 2006; RFC 5297), with HMAC-SHA256
(RFC 2104) as its one primitive, so that it needs nothing but the standard library: the tag over the text is the
initial vector of the key stream. The same text sealed for the same purpose is the same text again: two that are equal
can be told to be equal, and nothing else. What was changed, or sealed for another purpose or with another secret, does
not open. Texts are padded to whole blocks of 16 bytes, so that their length says little.

It protects from who gets the data without the secret: a copy of the database, a replica, a dump, a disk image without
the file. It does not protect from who has both, as the running server has: no software that must compare or pass on a
PIN can.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import secrets
from pathlib import Path
from typing import Final

SECRET_BYTES: Final = 32
_MARK: Final = "s1."
_TAG: Final = 16
_BLOCK: Final = 16
_HASH: Final = 32


class NotSealed(ValueError):
    """A text that was not sealed here for this purpose, or was changed since."""


class SecretUnreadable(OSError):
    """The file of the secret cannot be read or is none; it is left as it is, as what it sealed opens with it only."""


class Seal:
    """Seals and opens texts for one `purpose`; other purposes of the same secret open nothing of it."""

    def __init__(self, secret: bytes, purpose: str) -> None:
        self._tagging = _hmac(secret, f"{purpose} tag".encode())
        self._hiding = _hmac(secret, f"{purpose} stream".encode())

    def seal(self, text: str) -> str:
        """The text as nobody can read it: letters, digits and `-_.` only."""
        padded = _padded(text.encode())
        tag = _hmac(self._tagging, padded)[:_TAG]
        return _MARK + base64.urlsafe_b64encode(tag + self._hidden(tag, padded)).decode().rstrip("=")

    def open(self, sealed: str) -> str:
        """The text that was sealed; raises `NotSealed`."""
        if not is_sealed(sealed) or not sealed.isascii():
            raise NotSealed
        coded = sealed[len(_MARK) :]
        try:
            raw = base64.b64decode(coded + "=" * (-len(coded) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError) as error:
            raise NotSealed from error
        tag, padded = raw[:_TAG], self._hidden(raw[:_TAG], raw[_TAG:])
        if not padded or not hmac.compare_digest(tag, _hmac(self._tagging, padded)[:_TAG]):
            raise NotSealed
        return padded.rstrip(b"\x00")[:-1].decode()

    def _hidden(self, tag: bytes, text: bytes) -> bytes:
        """The text under the key stream of this tag, and back."""
        blocks = range(-(-len(text) // _HASH))
        stream = b"".join(_hmac(self._hiding, tag + count.to_bytes(4, "big")) for count in blocks)
        return bytes(a ^ b for a, b in zip(text, stream[: len(text)], strict=True))


def is_sealed(text: str) -> bool:
    """Whether a text looks like a sealed one."""
    return text.startswith(_MARK)


def secret_in(path: Path) -> bytes:
    """The secret in a file, made at the first call: its owner alone may read it. Raises `SecretUnreadable`."""
    try:
        found = _read(path)
        return _made(path) if found is None else found
    except OSError as error:
        if isinstance(error, SecretUnreadable):
            raise
        raise SecretUnreadable(f"the secret in {path} cannot be kept: {error}") from error


def new_secret() -> bytes:
    """A secret that nobody else has."""
    return secrets.token_bytes(SECRET_BYTES)


def _read(path: Path) -> bytes | None:
    try:
        found = bytes.fromhex(path.read_text(encoding="ascii"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise SecretUnreadable(f"{path} is no secret of ours: {2 * SECRET_BYTES} hex digits were expected") from error
    if len(found) != SECRET_BYTES:
        raise SecretUnreadable(f"{path} holds {len(found)} bytes, expected {SECRET_BYTES}")
    return found


def _made(path: Path) -> bytes:
    """Whole or not at all, and on the disk when it returns; of two that make it at once, both have the first one's."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(new_secret().hex())
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(part, path)
    except FileExistsError:
        pass
    finally:
        part.unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    found = _read(path)
    assert found is not None
    return found


def _padded(text: bytes) -> bytes:
    """The text, a one bit, and zeros to whole blocks (ISO/IEC 7816-4): no text is empty, and its end is found."""
    marked = text + b"\x80"
    return marked + bytes(-len(marked) % _BLOCK)


def _hmac(key: bytes, text: bytes) -> bytes:
    return hmac.digest(key, text, "sha256")

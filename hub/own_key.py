"""The hub's own key: what the database alone must not give away follows from it. A file that only the hub reads.

Hub processes of one database share one file; it is backed up apart from the database. Who loses it loses the second
factors (they are set up again after `python -m hub account no-second-factor`), and nothing else.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

BYTES = 32


class KeyFileError(ValueError):
    """The file is there and holds no key, or cannot be read or made; the message names it."""


def own_key(path: Path) -> bytes:
    """The key in `path`; made (0600) if there is no such file. `KeyFileError` if there is none to be had."""
    try:
        if not path.exists():
            _make(path)
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise KeyFileError(f"key file {path}: {error}") from error
    if len(key) != BYTES:
        raise KeyFileError(f"key file {path}: expected {BYTES} bytes in hex")
    return key


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Whole under another name first: two processes that start at once must read the same key.
    part = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secrets.token_hex(BYTES) + "\n")
    try:
        with suppress(FileExistsError):
            os.link(part, path)
    finally:
        part.unlink()

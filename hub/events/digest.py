"""How an event of an edit holds the values that lie beside the history. Pure."""

from __future__ import annotations

import hashlib


def digest(salt: bytes, said: str) -> str:
    """What an event holds of its values."""
    return hashlib.sha256(salt + said.encode()).hexdigest()

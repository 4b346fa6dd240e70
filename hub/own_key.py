"""The hub's own key: what the database alone must not give away follows from it. A file that only the hub reads.

Second factors, the seals of PINs and those of cursors follow from it, each by a label of its own. Hub processes of one
database share one file; it is backed up apart from the database. Who loses it loses the second factors (they are set up
again after `python -m hub account no-second-factor`) and the PINs (they are given out anew), and nothing else.
"""

from __future__ import annotations

from pathlib import Path

from web.sealing import SecretUnreadable, secret_in


class KeyFileError(ValueError):
    """The file is there and holds no key, or cannot be read or made; the message names it."""


def own_key(path: Path) -> bytes:
    """The key in `path`; made (0600) if there is no such file. `KeyFileError` if there is none to be had."""
    try:
        return secret_in(path)
    except SecretUnreadable as error:
        raise KeyFileError(f"key file: {error} (GATEHOUSE_KEY_FILE)") from error

"""Other implementations that ours is compared with, each in an environment of its own (`deploy/peers`).

None of them is imported here: packages of theirs have the names of ours, or of each other.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


class PeerMissing(RuntimeError):
    """A peer's environment could not be made; says what the attempt printed."""


def interpreter(name: str) -> Path:
    """The Python of a peer, made at first use from deploy/peers/<name>.lock. Raises `PeerMissing`."""
    made = subprocess.run(
        [ROOT / "deploy" / "peers" / "make", name],
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        raise PeerMissing(f"the peer {name} could not be installed: {made.stderr.strip()[-500:]}")
    return ROOT / "var" / "peers" / name / "bin" / "python"


def peer(name: str) -> Path:
    """The Python of a peer, for a test: without it the test is left out, and in CI it fails."""
    try:
        return interpreter(name)
    except PeerMissing as missing:
        pytest.skip(str(missing))

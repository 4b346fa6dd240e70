"""Foreign programs that tests start: where they are, and which Debian package brings each (`deploy/prepare`)."""

from __future__ import annotations

import os
import shutil

import pytest

TOOLS = {
    "bash": "bash",
    "chromium": "chromium",
    "curl": "curl",
    "gcc": "gcc",
    "mbpoll": "mbpoll",
    "mosquitto": "mosquitto",
    "mount": "mount",
    "openssl": "openssl",
    "systemd-analyze": "systemd",
}
"""Program → package. `deploy/prepare tests` brings each of them; nothing else from outside may a test start."""

DAEMONS = "/usr/sbin"
"""Debian keeps servers where only root's PATH leads."""


def tool(name: str) -> str:
    """The path of a program of `TOOLS`; without it the test is left out, and in CI it fails."""
    assert name in TOOLS, f"{name} is in no list that deploy/prepare is compared with"
    found = shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), DAEMONS)))
    if found is None:
        pytest.skip(f"{name} is missing; deploy/prepare tests brings it (Debian: {TOOLS[name]})")
    return found

"""What tests leave outside pytest's own folders goes with the process that made it: folders and long-lived servers."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "var" / "test"
POSTGRES = "gatehouse-test-pg-"

PR_SET_PDEATHSIG = 1
"""Of <linux/prctl.h>."""


def folder_of_this_process() -> Path:
    """A folder under var/test that only this process (a worker, or the whole session) uses; it stays for a look."""
    folder = TESTS / str(os.getpid())
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def postgres_folder() -> Path:
    """A folder that PostgreSQL's unprivileged user can reach, which pytest's own are not."""
    folder = Path(tempfile.gettempdir()) / f"{POSTGRES}{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o755)
    return folder


def remove_leftovers() -> None:
    """Removes the folders of processes that no longer run."""
    for folder in (*TESTS.glob("*"), *Path(tempfile.gettempdir()).glob(f"{POSTGRES}*")):
        owner = folder.name.removeprefix(POSTGRES)
        if not (owner.isdigit() and Path("/proc", owner).exists()):
            shutil.rmtree(folder, ignore_errors=True)


def ends_with_us(number: signal.Signals) -> Callable[[], None]:
    """For Popen's `preexec_fn`: the child is sent this signal when the test process is gone, however it went."""
    prctl = ctypes.CDLL(None).prctl

    def say_so() -> None:
        prctl(PR_SET_PDEATHSIG, int(number))

    return say_so

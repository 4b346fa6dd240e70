"""Folders that tests need outside pytest's own: named after the process that uses them, removed once that is gone."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "var" / "test"
POSTGRES = "gatehouse-test-pg-"


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

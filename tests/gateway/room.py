"""The room on the disk of a gateway's folder: a small file system where one can be mounted, otherwise limits."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.gateway.process import Gateway


class Room:
    """The room on the disk of a gateway's folder, taken away and given back while its process runs."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def take(self) -> None:
        """Not one byte more fits."""
        self._limit(0)

    def give(self) -> None:
        """There is room again."""
        self._limit(resource.RLIM_INFINITY)

    def _limit(self, size: int) -> None:
        assert self._gateway.process is not None
        resource.prlimit(self._gateway.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


class SmallDisk(Room):
    """A file system of its own: only root may mount one."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__(gateway)
        self._filler = gateway.data / "filler"

    def take(self) -> None:
        with self._filler.open("wb", buffering=0) as filler, contextlib.suppress(OSError):
            while filler.write(bytes(4096)):
                pass

    def give(self) -> None:
        self._filler.unlink()


@asynccontextmanager
async def room_of(gateway: Gateway) -> AsyncIterator[Room]:
    """As root a small disk that can really be filled; otherwise a limit on the size of files."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(gateway.data)]
    mounted = os.geteuid() == 0 and await ran(*mount) == 0
    if not mounted:
        yield Room(gateway)
        return
    try:
        await gateway.hold()
        yield SmallDisk(gateway)
    finally:
        if gateway.process is not None and gateway.process.returncode is None:
            await gateway.end(signal.SIGKILL)
        assert await ran("umount", str(gateway.data)) == 0


async def ran(*command: str) -> int:
    """The exit status of a short command."""
    quiet = asyncio.subprocess.DEVNULL
    return await (await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet)).wait()


@asynccontextmanager
async def mounted(folder: Path) -> AsyncIterator[bool]:
    """A small file system in a folder, and whether it is one: only root may mount."""
    folder.mkdir(parents=True, exist_ok=True)
    made = os.geteuid() == 0 and await ran("mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)) == 0
    try:
        yield made
    finally:
        if made:
            assert await ran("umount", "-l", str(folder)) == 0


@asynccontextmanager
async def read_only(folder: Path, *, own: bool) -> AsyncIterator[None]:
    """Nothing can be written in a folder: its file system (if it has its `own`) is read-only, or its modes say so."""
    if own:
        assert await ran("mount", "-o", "remount,ro", str(folder)) == 0
    else:
        folder.chmod(0o500)
    try:
        yield
    finally:
        if own:
            assert await ran("mount", "-o", "remount,rw", str(folder)) == 0
        else:
            folder.chmod(0o700)

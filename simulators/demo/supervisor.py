"""Keeps a set of programs running: starts them in order, starts a dead one again after a second, ends all cleanly.

A program is wanted or held down; its keeper task wakes when that changes or when the process ends. Nothing here
knows what the programs are.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import pwd
import signal
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import structlog

from simulators.demo.programs import Program

RESTART_AFTER_S = 1.0
STOP_WITHIN_S = 10.0
PROBE_EVERY_S = 0.05
LOG_LIMIT = 20_000_000
"""Bytes of one program's log; at its next start a larger one becomes the older one."""

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)

log = structlog.get_logger("supervisor")

Probe = Callable[[], bool | Awaitable[bool]]


class StartFailed(RuntimeError):
    """A program ended, or did not become ready in time, at its first start; names its log."""


@dataclass(slots=True)
class Attended:
    """One program and how it fares. `wanted` is cleared while it is held down."""

    program: Program
    ready: Probe
    wanted: asyncio.Event = field(default_factory=asyncio.Event)
    process: asyncio.subprocess.Process | None = None
    keeper: asyncio.Task[None] | None = None
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    starts: int = 0

    @property
    def pid(self) -> int | None:
        """The running process, None while there is none."""
        return self.process.pid if self.process is not None and self.process.returncode is None else None


class Supervisor:
    """Owns the processes that it started, and only those."""

    def __init__(self, logs: Path, on_change: Callable[[], None]) -> None:
        self._logs = logs
        self._on_change = on_change
        self._kept: dict[str, Attended] = {}
        self._order: list[str] = []
        logs.mkdir(parents=True, exist_ok=True)
        logs.chmod(0o700)

    def pids(self) -> dict[str, int | None]:
        """The process of each program."""
        return {name: kept.pid for name, kept in self._kept.items()}

    def names(self) -> list[str]:
        """The programs, in the order in which they were started."""
        return list(self._order)

    def log_of(self, name: str) -> Path:
        """Where a program's output goes."""
        return self._logs / f"{name}.log"

    async def start(self, program: Program, ready: Probe, *, within_s: float = 60.0) -> None:
        """Starts a program and returns once it is ready; from then on it is kept running."""
        kept = Attended(program, ready)
        self._kept[program.name] = kept
        self._order.append(program.name)
        kept.wanted.set()
        kept.keeper = asyncio.create_task(self._keep(kept), name=f"keep {program.name}")
        await self._until_ready(kept, within_s)

    async def hold(self, name: str) -> None:
        """Ends a program and keeps it down until `release`."""
        kept = self._kept[name]
        kept.wanted.clear()
        await _end(kept)
        async with kept.changed:
            await kept.changed.wait_for(lambda: kept.pid is None)

    async def release(self, name: str, *, within_s: float = 60.0) -> None:
        """Lets a held program up again and returns once it is ready."""
        kept = self._kept[name]
        kept.wanted.set()
        await self._until_ready(kept, within_s)

    async def close(self) -> None:
        """Ends every program, the last started first."""
        for name in reversed(self._order):
            kept = self._kept[name]
            kept.wanted.clear()
            if kept.keeper is not None:
                kept.keeper.cancel()
            await _end(kept)
            if kept.keeper is not None:
                await asyncio.gather(kept.keeper, return_exceptions=True)

    async def _keep(self, kept: Attended) -> None:
        while True:
            await kept.wanted.wait()
            kept.process = await self._spawn(kept.program)
            kept.starts += 1
            self._on_change()
            async with kept.changed:
                kept.changed.notify_all()
            code = await kept.process.wait()
            self._on_change()
            async with kept.changed:
                kept.changed.notify_all()
            if kept.wanted.is_set():
                log.warning("ended by itself", program=kept.program.name, code=code, again_in_s=RESTART_AFTER_S)
                await asyncio.sleep(RESTART_AFTER_S)

    async def _until_ready(self, kept: Attended, within_s: float) -> None:
        name = kept.program.name
        first = kept.starts
        try:
            async with asyncio.timeout(within_s):
                while True:
                    if kept.pid is not None:
                        answer = kept.ready()
                        if answer if isinstance(answer, bool) else await answer:
                            return
                    elif kept.keeper is not None and kept.keeper.done():
                        kept.keeper.result()
                    elif kept.starts > first:
                        raise StartFailed(f"{name} ended while starting; its last words are in {self.log_of(name)}")
                    # Foreign programs do not say when they are ready; they can only be asked.
                    await asyncio.sleep(PROBE_EVERY_S)
        except TimeoutError:
            raise StartFailed(f"{name} was not ready within {within_s:.0f} s; see {self.log_of(name)}") from None

    async def _spawn(self, program: Program) -> asyncio.subprocess.Process:
        with self._open_log(program.name) as output:
            return await asyncio.create_subprocess_exec(
                *program.argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                cwd="/" if program.user else program.folder,
                env={**os.environ, **program.env},
                start_new_session=True,
                umask=0o077,
                user=program.user,
                group=_group(program.user),
                extra_groups=None if program.user is None else [],
                preexec_fn=_dies_with_parent(program.stop_signal),
            )

    def _open_log(self, name: str) -> BinaryIO:
        path = self.log_of(name)
        if path.exists() and path.stat().st_size > LOG_LIMIT:
            path.replace(path.with_suffix(".log.1"))
        # Names of people stand in logs: not for others of this machine, wherever the folder is.
        path.touch(mode=0o600)
        path.chmod(0o600)
        return path.open("ab")


def _group(user: str | None) -> int | None:
    return None if user is None else pwd.getpwnam(user).pw_gid


def _dies_with_parent(stop: signal.Signals) -> Callable[[], None]:
    """A killed supervisor cannot end anything: the kernel then does (prctl(2), PR_SET_PDEATHSIG)."""

    def set_signal() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(stop))

    return set_signal


async def _end(kept: Attended) -> None:
    process = kept.process
    if process is None or process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(kept.program.stop_signal)
    try:
        await asyncio.wait_for(process.wait(), STOP_WITHIN_S)
    except TimeoutError:
        log.warning("did not end in time, killed", program=kept.program.name)
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


# --- The control socket: one JSON line asked, one answered


async def serve_control(supervisor: Supervisor, path: Path) -> asyncio.Server:
    """Listens for `ask_control` on a socket that only this user can open."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            reply = await _obey(supervisor, await asyncio.wait_for(reader.readline(), 5))
        except (StartFailed, TimeoutError, ValueError) as error:
            reply = {"ok": False, "why": str(error)}
        with contextlib.suppress(ConnectionError):
            writer.write(json.dumps(reply).encode() + b"\n")
            await writer.drain()
            writer.close()

    path.unlink(missing_ok=True)
    # Bound by hand: nobody else may reach it before its mode is set, and no other task runs under another umask.
    control = socket.socket(socket.AF_UNIX)
    control.bind(str(path))
    path.chmod(0o600)
    return await asyncio.start_unix_server(answer, sock=control)


async def _obey(supervisor: Supervisor, line: bytes) -> dict[str, object]:
    asked = json.loads(line)
    if not isinstance(asked, dict) or asked.get("do") not in {"stop", "start"}:
        raise ValueError(f"expected {{do: stop|start, name}}, got {line[:100]!r}")
    name = asked.get("name")
    if name not in supervisor.names():
        raise ValueError(f"no program {name!r}; there are {', '.join(supervisor.names())}")
    if asked["do"] == "stop":
        await supervisor.hold(name)
    else:
        await supervisor.release(name)
    return {"ok": True}


async def ask_control(path: Path, do: str, name: str) -> None:
    """Has the supervisor behind `path` stop or start one program; ValueError says why it could not."""
    try:
        reader, writer = await asyncio.open_unix_connection(path)
    except OSError as error:
        raise ValueError(f"no demo is running here ({path}: {error.strerror})") from error
    writer.write(json.dumps({"do": do, "name": name}).encode() + b"\n")
    await writer.drain()
    reply = json.loads(await reader.readline() or b'{"ok": false, "why": "the supervisor went away"}')
    writer.close()
    if not reply["ok"]:
        raise ValueError(reply["why"])

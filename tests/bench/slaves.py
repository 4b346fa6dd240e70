"""Programs in C that benches need, compiled once, and the counting slave among them as a process."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.peers import PeerMissing

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / "var" / "bench" / "programs"

REGISTERS = 125
FIRST = 2
AT_ONCE = 5
"""As in slave.c: registers that change with each read, from `FIRST` on in turn."""


def program(name: str) -> Path:
    """The executable of `<name>.c` beside this file, compiled anew when it has changed. Raises `PeerMissing`."""
    source = Path(__file__).with_name(f"{name}.c")
    made = PROGRAMS / name
    if not made.exists() or made.stat().st_mtime < source.stat().st_mtime:
        PROGRAMS.mkdir(parents=True, exist_ok=True)
        # Two processes may compile at once: each its own file, the last one stands.
        with tempfile.TemporaryDirectory(dir=PROGRAMS) as folder:
            fresh = Path(folder) / name
            flags = ("-O2", "-Wall", "-Wextra", "-Werror", "-I/usr/include/modbus")
            try:
                subprocess.run(["gcc", *flags, "-o", fresh, source, "-lmodbus", "-lutil"], check=True)
            except (OSError, subprocess.CalledProcessError) as wrong:
                raise PeerMissing(f"{source.name} needs gcc and libmodbus-dev: {wrong}") from wrong
            fresh.replace(made)
    return made


def bump(unit: int, at: int, reads: int) -> int:
    """What register `at` (from `FIRST` on) of a unit holds after so many reads."""
    places = REGISTERS - FIRST
    total = reads * AT_ONCE
    times = total // places + (at - FIRST < total % places)
    return (unit * 100 + at + times) & 0xFFFF


class Told:
    """A process that obeys lines on its standard input, tells JSON lines, and ends when its input does."""

    def __init__(self) -> None:
        self.wrote: list[dict[str, Any]] = []
        """Every write request that a slave got, with the moment (s, monotonic) at which it had it."""
        self._answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None

    async def start(self, *command: object) -> str:
        """Runs it; its first line."""
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            *map(str, command), stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL
        )
        assert self._process.stdout is not None
        first = (await self._process.stdout.readline()).decode().strip()
        assert first, f"{command[0]} did not start"
        self._reader = asyncio.create_task(self._read())
        return first

    async def end(self) -> None:
        """Ends it."""
        assert self._process is not None and self._process.stdin is not None and self._reader is not None
        self._reader.cancel()
        self._process.stdin.close()
        await self._process.wait()

    def say(self, line: str) -> None:
        """A line that it obeys."""
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")

    async def ask(self, line: str) -> dict[str, Any]:
        """A line that it answers."""
        self.say(line)
        return await asyncio.wait_for(self._answers.get(), 30)

    async def _read(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        while line := await self._process.stdout.readline():
            said = json.loads(line)
            if "wrote" in said:
                self.wrote.append(said)
            else:
                self._answers.put_nowait(said)


class CountingSlave(Told):
    """slave.c: `async with CountingSlave(units) as slave`. `still`: its registers stay as they are."""

    def __init__(self, units: int, *, still: bool = False) -> None:
        super().__init__()
        self.units = units
        self.port = 0
        self._still = still

    async def __aenter__(self) -> CountingSlave:
        self.port = int(await self.start(program("slave"), self.units))
        if self._still:
            self.say("still")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()

    async def counts(self) -> list[int]:
        """Reads of each unit so far, unit 1 first."""
        reads: list[int] = (await self.ask("counts"))["reads"]
        return reads

    def dead(self, unit: int) -> None:
        """This unit is silent from now on; 0: none is."""
        self.say(f"dead {unit}")


async def limit_c(port: int, units: int, seconds: float) -> dict[str, float]:
    """What master.c reaches: `reads_s`, `cpu_s`, `reads`."""
    return await _json_of(str(program("master")), str(port), str(units), str(seconds))


async def limit_python(port: int, units: int, seconds: float) -> dict[str, float]:
    """What a bare pymodbus client on uvloop reaches: `reads_s`, `cpu_s`, `reads`."""
    return await json_of_python("tests.bench.bare", port, units, seconds)


async def json_of_python(module: str, *arguments: object) -> dict[str, float]:
    """What a module of the bench prints, run as a process of its own."""
    return await _json_of(sys.executable, "-m", module, *map(str, arguments))


async def _json_of(*command: str) -> dict[str, float]:
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, cwd=ROOT)
    out, _ = await process.communicate()
    assert process.returncode == 0, f"{command} ended with {process.returncode}"
    found: dict[str, float] = json.loads(out)
    return found

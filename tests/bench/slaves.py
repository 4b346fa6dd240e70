"""Programs in C that benches need, compiled once, and the counting slave among them as a process."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / "var" / "bench" / "programs"

REGISTERS = 125
FIRST = 2
AT_ONCE = 5
"""As in slave.c: registers that change with each read, from `FIRST` on in turn."""


class Counts(NamedTuple):
    """What the slave has seen so far. `reads`: of each unit, unit 1 first."""

    reads: list[int]
    writes: int


def program(name: str) -> Path:
    """The executable of `<name>.c` beside this file, compiled anew when the source has changed."""
    source = Path(__file__).with_name(f"{name}.c")
    made = PROGRAMS / name
    if not made.exists() or made.stat().st_mtime < source.stat().st_mtime:
        PROGRAMS.mkdir(parents=True, exist_ok=True)
        # Two processes may compile at once: each its own file, the last one stands.
        with tempfile.TemporaryDirectory(dir=PROGRAMS) as folder:
            fresh = Path(folder) / name
            flags = ("-O2", "-Wall", "-Wextra", "-Werror", "-I/usr/include/modbus")
            subprocess.run(["gcc", *flags, "-o", fresh, source, "-lmodbus"], check=True)
            fresh.replace(made)
    return made


def bump(unit: int, at: int, reads: int) -> int:
    """What register `at` (from `FIRST` on) of a unit holds after so many reads."""
    places = REGISTERS - FIRST
    total = reads * AT_ONCE
    times = total // places + (at - FIRST < total % places)
    return (unit * 100 + at + times) & 0xFFFF


class CountingSlave:
    """slave.c as a process: `async with CountingSlave(units) as slave`."""

    def __init__(self, units: int) -> None:
        self.units = units
        self.port = 0
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> CountingSlave:
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(program("slave"), str(self.units), stdin=pipe, stdout=pipe)
        assert self._process.stdout is not None
        self.port = int(await self._process.stdout.readline())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()

    async def counts(self) -> Counts:
        """Reads and writes so far."""
        assert self._process is not None and self._process.stdout is not None
        self._say("counts")
        found: dict[str, Any] = json.loads(await self._process.stdout.readline())
        return Counts(found["reads"], found["writes"])

    def dead(self, unit: int) -> None:
        """This unit is silent from now on; 0: none is."""
        self._say(f"dead {unit}")

    def _say(self, line: str) -> None:
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")


async def limit_c(port: int, units: int, seconds: float) -> dict[str, float]:
    """What master.c reaches: `reads_s`, `cpu_s`, `reads`."""
    return await _json_of(str(program("master")), str(port), str(units), str(seconds))


async def limit_python(port: int, units: int, seconds: float) -> dict[str, float]:
    """What a bare pymodbus client on uvloop reaches: `reads_s`, `cpu_s`, `reads`."""
    return await _json_of(sys.executable, "-m", "tests.bench.bare", str(port), str(units), str(seconds))


async def _json_of(*command: str) -> dict[str, float]:
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, cwd=ROOT)
    out, _ = await process.communicate()
    assert process.returncode == 0, f"{command[0]} ended with {process.returncode}"
    found: dict[str, float] = json.loads(out)
    return found

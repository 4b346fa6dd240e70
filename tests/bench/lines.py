"""A serial line at wire pace, and the units on it: a relay between two ptys, and modbus-tk in its own environment."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

from tests.bench.slaves import ROOT, Told, program
from tests.peers import interpreter

TK_SLAVE = ROOT / "tests" / "peers_scripts" / "modbus_tk_slave.py"

GAP = 3.5
"""Characters of silence before each frame (Modbus over serial line V1.02, section 2.5.1.1)."""


def exchange_s(baud: int, registers: int, bits: int = 10) -> float:
    """How long a read of so many registers takes on the line: request, answer, and the silence before both."""
    return (8 + 5 + 2 * registers + 2 * GAP) * bits / baud


class PacedLine(Told):
    """paced.c: `master` and `slave` are the ends' paths."""

    def __init__(self, baud: int, bits: int = 10) -> None:
        super().__init__()
        self.baud = baud
        self.master = ""
        self.slave = ""
        self._bits = bits

    async def __aenter__(self) -> PacedLine:
        self.master, self.slave = (await self.start(program("paced"), self.baud, self._bits)).split()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()

    async def counts(self) -> dict[str, int]:
        """`hurried` requests, `collisions` and `bytes` so far."""
        return await self.ask("counts")


Banks = Mapping[int, Mapping[str, Mapping[int, list[int]]]]
"""Unit → coils, discrete, input or holding → first address → values."""


class TkSlave(Told):
    """modbus-tk's RTU slave at the end `port` of a line."""

    def __init__(self, port: str, baud: int, units: Banks) -> None:
        super().__init__()
        self._port = port
        self._baud = baud
        self._units = units

    async def __aenter__(self) -> TkSlave:
        python = await asyncio.to_thread(interpreter, "modbus-tk")
        await self.start(python, TK_SLAVE, self._port, self._baud, json.dumps(self._units))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()

    async def counts(self) -> dict[int, int]:
        """Reads of each unit so far."""
        return {int(unit): reads for unit, reads in (await self.ask("counts"))["reads"].items()}

    def dead(self, unit: int) -> None:
        """Takes a unit off the line."""
        self.say(f"dead {unit}")

    def back(self, unit: int) -> None:
        """Puts it back."""
        self.say(f"back {unit}")


def holding(units: int, registers: int) -> Banks:
    """Units with so many holding registers, each unit × 100 + its address."""
    return {unit: {"holding": {0: [unit * 100 + at for at in range(registers)]}} for unit in range(1, units + 1)}

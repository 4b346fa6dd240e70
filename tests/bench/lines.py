"""A serial line at wire pace, and the units on it: a relay between two ptys, and units in C."""

from __future__ import annotations

from tests.bench.slaves import Told, program

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


class Units(Told):
    """rtu_units.c at the end `port` of a line: units that answer 3.5 characters after each request."""

    def __init__(self, port: str, baud: int, units: int, registers: int) -> None:
        super().__init__()
        self._arguments = (port, baud, units, registers)

    async def __aenter__(self) -> Units:
        await self.start(program("rtu_units"), *self._arguments)
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

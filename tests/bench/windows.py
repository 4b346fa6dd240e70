"""What happens between a slave and whoever reads it in a stretch of time."""

from __future__ import annotations

import asyncio
import time
from typing import NamedTuple, Protocol

from tests.bench.slaves import REGISTERS, CountingSlave


class Reads(Protocol):
    """A process that reads the slave: ours or a peer's."""

    def cpu(self) -> float:
        """CPU seconds so far."""

    def memory(self) -> float:
        """Resident memory in MB."""


class Window(NamedTuple):
    """`reads`: of each unit, at the slave; `cpu_s`: of the process that reads."""

    seconds: float
    reads: list[int]
    cpu_s: float

    @property
    def rate(self) -> float:
        """Reads a second, of all units."""
        return sum(self.reads) / self.seconds

    @property
    def cpu_per_1000(self) -> float:
        """CPU seconds for 1,000 points that were read."""
        return self.cpu_s / max(1.0, sum(self.reads) * REGISTERS / 1000)


async def window(slave: CountingSlave, reader: Reads, seconds: float) -> Window:
    """Watches for so long."""
    begin, cpu, before = time.perf_counter(), reader.cpu(), await slave.counts()
    await asyncio.sleep(seconds)
    took, used, after = time.perf_counter() - begin, reader.cpu() - cpu, await slave.counts()
    return Window(took, [late - early for early, late in zip(before, after, strict=True)], used)

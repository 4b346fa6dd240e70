"""`door`: a card's last byte at the gateway's socket → the first byte to the lock's relay board.

Sixteen doors at 100 cards a second in all, journal on, two relay boards that are also polled for their inputs. The
limit is a bare relay between the same sockets in the same run, driven by the same loop.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import uvloop

from tests.bench.gateway import Gateway, grants_for, site_of_doors
from tests.bench.rows import Row, median, percentile
from tests.bench.wires import Reader, open_board

DOORS = 16
CHANNELS = 8
CARDS_A_SECOND = 100
FLASH_ON = 0x0200
"""First coil address of the relay board's own pulse timer."""


class Bench:
    """The readers and boards of one site, and the moments of every card."""

    def __init__(self) -> None:
        self.readers = [Reader() for _ in range(DOORS)]
        self.boards: list[int] = []
        self._waiting: dict[int, float] = {}
        self.took: list[float] = []
        self.unanswered = 0
        self._moved: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    async def open(self) -> None:
        """Everything listens."""
        for reader in self.readers:
            await reader.open()
        for board in range(DOORS // CHANNELS):
            self.boards.append(await open_board(self._noted(board)))

    def _noted(self, board: int) -> Callable[[int, int, float], None]:
        def note(address: int, _value: int, at: float) -> None:
            door = board * CHANNELS + address - FLASH_ON
            presented = self._waiting.pop(door, None)
            if presented is not None:
                self.took.append(at - presented)
                if not self._moved.done():
                    self._moved.set_result(at)

        return note

    def expect(self, door: int) -> None:
        """The next pulse of a door's lock is waited for."""
        self._waiting[door] = time.perf_counter()
        self._moved = asyncio.get_running_loop().create_future()

    async def first(self) -> float:
        """The moment of the pulse that is waited for."""
        return await self._moved

    async def drive(self, seconds: float) -> list[float]:
        """Presents cards at an even pace; the delays in seconds, in order."""
        await asyncio.gather(*(reader.dialled.wait() for reader in self.readers))
        self.took, self._waiting = [], {}
        begin = time.perf_counter()
        for number in range(int(seconds * CARDS_A_SECOND)):
            due = begin + number / CARDS_A_SECOND
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            door = number % DOORS
            self.unanswered += door in self._waiting
            self._waiting[door] = self.readers[door].present(card_of(door))
        await asyncio.sleep(0.5)
        self.unanswered += len(self._waiting)
        return self.took


Subject = Callable[[Bench], AbstractAsyncContextManager[None]]
"""What stands between the readers and the boards while it is measured."""


def card_of(door: int) -> str:
    """The card of a door's only resident."""
    return f"04{door:012X}"


def run(short: bool) -> Iterable[Row]:
    """p50, p99 and p99.9 in milliseconds, medians of the runs."""
    runs, seconds = (1, float(os.environ.get("GATEHOUSE_BENCH_S", "10"))) if short else (3, 30.0)
    ours: list[list[float]] = []
    bare: list[list[float]] = []
    for _ in range(runs):
        bare.append(uvloop.run(_measured(_echo, seconds)))
        ours.append(uvloop.run(_measured(_gateway, seconds)))
    for share, name, aim in ((0.5, "p50", 2.0), (0.99, "p99", 5.0), (0.999, "p99.9", 20.0)):
        yield Row(
            "door",
            f"card → lock, {DOORS} doors, {CARDS_A_SECOND}/s, {name}",
            "ms",
            ours=median([percentile(delays, share) * 1000 for delays in ours]),
            limit=median([percentile(delays, share) * 1000 for delays in bare]),
            aim=aim,
            runs=runs,
            notes={"cards": sum(len(delays) for delays in ours)},
        )


async def _measured(subject: Subject, seconds: float) -> list[float]:
    bench = Bench()
    await bench.open()
    async with subject(bench):
        await bench.drive(2.0)
        delays = await bench.drive(seconds)
    assert bench.unanswered == 0, f"{bench.unanswered} cards moved no lock"
    return delays


@asynccontextmanager
async def _echo(bench: Bench) -> AsyncIterator[None]:
    doors = [
        (reader.port, bench.boards[door // CHANNELS], FLASH_ON + door % CHANNELS)
        for door, reader in enumerate(bench.readers)
    ]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.echo"), stdin=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps({"doors": doors}).encode() + b"\n")
    await process.stdin.drain()
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def _gateway(bench: Bench) -> AsyncIterator[None]:
    with tempfile.TemporaryDirectory() as folder:
        site = site_of_doors([reader.port for reader in bench.readers], bench.boards, CHANNELS)
        cards = {f"door-{door}": card_of(door) for door in range(DOORS)}
        async with Gateway(Path(folder), site, grants_for(cards)):
            yield

"""How the owner of a Modbus wire carries out one wish: asks first what it must know, writes, and reads back.

On wires without transaction numbers an answer may be another write's, or the echo of this one. Whatever is not sure is
a failure: nobody is told that something was done unless the device has said so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from drivers.bus import BusHealth, CommandFailed
from drivers.errors import FrameError
from drivers.modbus.decode import bit_at
from drivers.modbus.encode import Write
from drivers.modbus.plan import Block
from drivers.modbus.resync import Ask
from drivers.modbus.station import Station
from drivers.modbus.wire import Refused, Silence, Wire
from drivers.profiles.profile import Readback
from drivers.schedule import Timetable
from drivers.wishes import Wish


def _covering(blocks: Sequence[Block], fc: int, address: int) -> tuple[int, int]:
    """Start and size of the block that is polled with `address` in it; of that address alone if none is."""
    for block in blocks:
        if block.fc == fc and block.start <= address < block.start + block.size:
            return block.start, block.size
    return address, 1


class Orders:
    """The writes of one wire, one at a time. `count` is told of faults that end nothing."""

    def __init__(
        self,
        wire: Wire,
        timetable: Timetable[Block],
        count: Callable[[Exception], None],
        health: BusHealth,
        timeout_s: float,
    ) -> None:
        self._wire = wire
        self._timetable = timetable
        self._count = count
        self._health = health
        self._timeout_s = timeout_s
        self._unconfirmed: dict[int, tuple[Write, float]] = {}

    async def carry_out(self, wish: Wish[Write], station: Station) -> None:
        """Returns when the device has confirmed. Raises `CommandFailed` and what wires raise."""
        write = wish.what
        if not self._wire.can_confirm(write):
            await self._look_first(wish, station)
        await self._wait_out(wish, station)
        self._health.exchanges += 1
        written_at = asyncio.get_running_loop().time()
        try:
            await self._wire.write(station.unit, write, self.time_for(wish))
        except Silence:
            self._unconfirmed[station.unit] = write, written_at
            raise
        self._unconfirmed.pop(station.unit, None)
        if write.readback is not None:
            await self._verify(wish, station, write.readback, written_at)

    def time_for(self, wish: Wish[Write]) -> float:
        """How long the next exchange of a wish may take; `CommandFailed` if nobody waits for it any more."""
        return min(wish.left(asyncio.get_running_loop().time()), self._timeout_s)

    async def _wait_out(self, wish: Wish[Write], station: Station) -> None:
        """A late answer to another write may look like the answer to this one: it is given its time to come first."""
        before = self._unconfirmed.pop(station.unit, None)
        if before is None or not self._wire.serial or before[0][:3] == wish.what[:3]:
            return
        loop = asyncio.get_running_loop()
        left_s = before[1] + station.unanswered.latency_s - loop.time()
        if left_s > 0:
            await asyncio.sleep(min(left_s, wish.left(loop.time())))

    async def _look_first(self, wish: Wish[Write], station: Station) -> None:
        """Asks for anything: what comes shows whether the wire echoes, which the answer to a write would not."""
        now = asyncio.get_running_loop().time()
        block = next(iter(self._timetable.blocks(station.device)), None)
        ask = Ask(3, wish.what.address, 1, None) if block is None else Ask(block.fc, block.start, block.size, None)
        self._health.exchanges += 1
        try:
            await self._wire.read(station.unit, ask.fc, ask.start, ask.size, self.time_for(wish))
        except Refused:
            pass
        except (Silence, FrameError) as fault:
            self._count(fault)
            station.unanswered.missed(ask, now)

    async def _verify(self, wish: Wish[Write], station: Station, readback: Readback, written_at: float) -> None:
        words = wish.what.words
        loop = asyncio.get_running_loop()
        if readback.settle_s:
            await asyncio.sleep(min(readback.settle_s, wish.left(loop.time())))
        now = loop.time()
        # Boards are read as they are polled: some give all their relays or none.
        start, size = _covering(self._timetable.blocks(station.device), readback.fc, readback.address)
        ask = Ask(readback.fc, start, size, None)
        if not station.unanswered.can_tell(ask, now):
            raise CommandFailed(
                f"{station.device} answers late: the write is not verified", f"{station.device} 应答迟到，写入未核实"
            )
        self._health.exchanges += 1
        try:
            time_s = self.time_for(wish)
            data = await self._wire.read(station.unit, readback.fc, start, size, time_s)
        except Silence:
            if self._wire.serial:
                station.unanswered.missed(ask, now)
            raise
        if readback.lasts_s is not None and loop.time() >= written_at + readback.lasts_s:
            return
        at = readback.address - start
        seen = bit_at(data, at) if readback.fc == 1 else int.from_bytes(data[2 * at : 2 * at + 2], "big")
        wanted = readback.expect
        if wanted is None:
            wanted = int(words[0] != 0) if readback.fc == 1 else words[0]
        if seen != wanted:
            raise CommandFailed(
                f"{station.device} reads back {seen} where {wanted} was written",
                f"{station.device} 写入 {wanted}，读回 {seen}",
            )

"""How the owner of a Modbus wire carries out one command: asks first what it must know, writes, and reads back.

Nobody else on the wire waits while a device takes its time between these steps: the command is put off, then gone on
with. On wires without transaction numbers an answer may be another write's, or the echo of this one. Whatever is not
sure is a failure: nobody is told that something was done unless the device has said so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from drivers.bus import BusHealth, CommandFailed
from drivers.commands import QueuedCommand
from drivers.errors import DriverError, FrameError, Silence
from drivers.modbus.decode import bit_at
from drivers.modbus.encode import Write
from drivers.modbus.plan import Block
from drivers.modbus.product import Readback
from drivers.modbus.resync import Ask
from drivers.modbus.station import Station
from drivers.modbus.wire import Refused, Wire
from drivers.schedule import Timetable


def _covering(blocks: Sequence[Block], fc: int, address: int) -> tuple[int, int]:
    """Start and size of the block that is polled with `address` in it; of that address alone if none is."""
    for block in blocks:
        if block.fc == fc and block.start <= address < block.start + block.size:
            return block.start, block.size
    return address, 1


class Writes:
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

    async def carry_out(self, command: QueuedCommand[Write], station: Station) -> float | None:
        """None when the device has confirmed, else the moment at which to go on with it.

        Raises `CommandFailed` and what wires raise.
        """
        write = command.what
        if not command.confirmed:
            clear_at = self._clear_at(write, station)
            if clear_at > asyncio.get_running_loop().time():
                return clear_at
            if not self._wire.can_confirm(write):
                await self._look_first(command, station)
            await self._write(command, station)
            if write.readback is not None and write.readback.settle_s:
                return asyncio.get_running_loop().time() + write.readback.settle_s
        if write.readback is not None:
            await self._verify(command, station, write.readback)
        return None

    async def _write(self, command: QueuedCommand[Write], station: Station) -> None:
        write, time_s = command.what, self.time_for(command)
        now = asyncio.get_running_loop().time()
        if command.sent_at is not None and write.lasts_s is not None and now >= command.sent_at + write.lasts_s:
            raise CommandFailed(
                f"{station.device} did not answer: whether the pulse was given is not known",
                f"{station.device} 没有应答：脉冲是否已发出不明",
            )
        command.sent_at = now
        self._health.exchanges += 1
        try:
            await self._wire.write(station.unit, write, time_s)
        except Refused:
            raise
        except DriverError:
            self._unconfirmed[station.unit] = write, now
            raise
        self._unconfirmed.pop(station.unit, None)
        command.confirmed = True

    def time_for(self, command: QueuedCommand[Write]) -> float:
        """How long the next exchange of a command may take; `CommandFailed` if nobody waits for it any more."""
        return min(command.left(asyncio.get_running_loop().time()), self._timeout_s)

    def _clear_at(self, write: Write, station: Station) -> float:
        """A late answer to another write may look like the answer to this one: it is given its time to come first."""
        before = self._unconfirmed.get(station.unit)
        if before is None or not self._wire.serial or before[0][:3] == write[:3]:
            return 0.0
        return before[1] + station.unanswered.latency_s

    async def _look_first(self, command: QueuedCommand[Write], station: Station) -> None:
        """Asks for anything: what comes shows whether the wire echoes, which the answer to a write would not."""
        now = asyncio.get_running_loop().time()
        block = next(iter(self._timetable.blocks(station.device)), None)
        ask = Ask(3, command.what.address, 1, None) if block is None else Ask(block.fc, block.start, block.size, None)
        self._health.exchanges += 1
        try:
            await self._wire.read(station.unit, ask.fc, ask.start, ask.size, self.time_for(command))
        except Refused:
            if station.unanswered.in_doubt(now):  # it may be an earlier question that is refused
                station.unanswered.missed(ask, now)
        except (Silence, FrameError) as fault:
            self._count(fault)
            station.unanswered.missed(ask, now)

    async def _verify(self, command: QueuedCommand[Write], station: Station, readback: Readback) -> None:
        words, lasts_s = command.what.words, command.what.lasts_s
        loop = asyncio.get_running_loop()
        now = loop.time()
        # Boards are read as they are polled: some give all their relays or none.
        start, size = _covering(self._timetable.blocks(station.device), readback.fc, readback.address)
        ask = Ask(readback.fc, start, size, None)
        if not station.unanswered.can_tell(ask, now):
            raise CommandFailed(
                f"{station.device} answers late: the write is not verified",
                f"{station.device} 超时后才应答，写入未核实",
            )
        self._health.exchanges += 1
        try:
            time_s = self.time_for(command)
            data = await self._wire.read(station.unit, readback.fc, start, size, time_s)
        except DriverError as fault:
            if self._wire.serial and (not isinstance(fault, Refused) or station.unanswered.in_doubt(now)):
                station.unanswered.missed(ask, now)
            raise
        if lasts_s is not None and command.sent_at is not None and loop.time() >= command.sent_at + lasts_s:
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

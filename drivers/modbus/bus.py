"""The owner of one Modbus wire: people's commands first, then whatever is due, one exchange at a time.

`run` is the only task that touches the wire. `write` and `pulse` put a command into its queue and wake it, also out of
the silence before a frame. Nothing here waits longer than the wire's time-out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from contract.readings import Value
from drivers.bus import CommandFailed
from drivers.commands import QueuedCommand
from drivers.errors import FrameError, Silence, WireDown
from drivers.modbus import encode
from drivers.modbus.encode import Write
from drivers.modbus.frames import READS
from drivers.modbus.plan import Block, split
from drivers.modbus.product import Output
from drivers.modbus.refusals import UNREACHABLE, reason
from drivers.modbus.resync import Ask, Unanswered
from drivers.modbus.station import Station
from drivers.modbus.wire import Refused, Wire
from drivers.modbus.writes import Writes
from drivers.owner import Owner
from drivers.reports import PointsRead, Sink
from drivers.schedule import Turn
from drivers.tap import Tap

PROBE_S = 0.1
"""How long a silent unit is waited for on TCP: if it answers later, its answer is told by its number, and it is asked
again with all the time that it may take."""

SPLIT_ON = frozenset({2, 3})
"""Exceptions that a smaller read may avoid: some address in the block does not exist."""


class ModbusBus(Owner[Write, Block]):
    """One Modbus wire (see `drivers.bus.Bus`). `clock`: Unix ms. `timeout_s`: the longest wait for an answer."""

    _wire: Wire

    def __init__(
        self,
        id: str,
        wire: Wire,
        stations: Mapping[str, Station],
        *,
        sink: Sink,
        clock: Callable[[], int],
        timeout_s: float,
        tap: Tap | None = None,
    ) -> None:
        super().__init__(id, wire, stations, sink=sink, clock=clock, timeout_s=timeout_s, tap=tap)
        self._stations = dict(stations)
        # Devices that share a unit share its doubts: an answer says nothing of which of them was asked. Whoever was
        # silent for the whole time-out is given as long again, whatever its maker promises.
        self._doubts: dict[int, Unanswered] = {}
        for station in self._stations.values():
            doubt = self._doubts.setdefault(station.unit, station.unanswered)
            doubt.latency_s = max(doubt.latency_s, station.unanswered.latency_s, 2 * timeout_s)
            station.unanswered = doubt
        self._stirring: set[int] = set()
        self._hasty: set[int] = set()
        self._writes = Writes(wire, self._timetable, self._count, self.health, timeout_s)
        self._probed: str | None = None

    # --- What the gateway asks

    async def write(self, device: str, point: str, value: Value, *, within_s: float) -> None:
        """Sets an output or carries out a command of the device's profile."""
        station = self._station(device)
        await self._commands.ask(device, encode.write_of(station.profile, point, value), within_s)

    async def pulse(self, device: str, output: str, seconds: float, *, within_s: float) -> None:
        """Closes an output for `seconds`, timed by the board itself."""
        station = self._station(device)
        known = station.profile.outputs.get(output)
        if not isinstance(known, Output):
            raise CommandFailed(f"{device} has no output {output}", f"{device} 没有输出 {output}")
        await self._commands.ask(device, encode.pulse(known, seconds), within_s)

    def _station(self, device: str) -> Station:
        station = self._stations.get(device)
        if station is None:
            raise self._unknown(device)
        return station

    async def _dial(self, timeout_s: float) -> None:
        try:
            await self._wire.open(timeout_s)
        except WireDown:
            self._probed = None
            raise

    def _ready_at(self, device: str) -> float:
        return self._wire.ready_at(self._stations[device].unit)

    # --- Reading

    async def _read(self, turn: Turn[Block]) -> None:
        loop = asyncio.get_running_loop()
        station = self._stations[turn.device]
        now = loop.time()
        ask = station.unanswered.next(turn.block, self._timetable.blocks(turn.device), now)
        if ask is None:
            self._timetable.postpone(turn.device, station.unanswered.clear_at())
            return
        doubted = station.unanswered.in_doubt(now)
        self.health.exchanges += 1
        try:
            data = await self._wire.read(station.unit, ask.fc, ask.start, ask.size, self._time_for_read(turn, station))
        except Refused as refusal:
            if doubted:
                # It may be an earlier question that is refused: nothing is proved.
                self._missed(station, ask, now, "the device answers late")
            elif refusal.code in UNREACHABLE:
                self._kept_busy(turn.device, reason(refusal.code)[0], now)
            else:
                self._answered(station, now)
                self._refused(station, turn._replace(block=ask.whole or turn.block), refusal, loop.time())
        except (Silence, WireDown, FrameError) as fault:
            self._count(fault)
            self._missed(station, ask, now, str(fault))
            if not isinstance(fault, Silence):
                self._hang_up()
        else:
            self._answered(station, now)
            if ask.whole is not None:
                self._timetable.read(turn._replace(block=ask.whole), loop.time())
                self._tell(station, ask.whole, data, loop.time())
        self.health.overruns, self.health.missed = self._timetable.overruns, self._timetable.missed

    def _time_for_read(self, turn: Turn[Block], station: Station) -> float:
        """A silent unit is not waited for long where a late answer can be told; one that gave it gets its time."""
        unit = station.unit
        if not turn.probe or self._wire.serial or unit in self._stirring:
            self._stirring.discard(unit)
            self._hasty.discard(unit)
            return self._timeout_s
        self._hasty.add(unit)
        return min(self._timeout_s, PROBE_S)

    def _tell(self, station: Station, block: Block, data: bytes, now: float) -> None:
        news = station.news(block, data, now, self._clock())
        if news:
            self._sink(PointsRead(station.device, news))

    def _refused(self, station: Station, turn: Turn[Block], refusal: Refused, now: float) -> None:
        parts = split(turn.block) if refusal.code in SPLIT_ON else []
        if refusal.code in SPLIT_ON or refusal.code == 1:
            self._timetable.refused(turn, parts, now)
        else:
            self._timetable.read(turn, now)
        if not parts:
            self.health.refused += 1
            news = station.refused(turn.block, now, self._clock())
            if news:
                self._sink(PointsRead(station.device, news))

    # --- Who is there

    def _answered(self, station: Station, asked_at: float) -> None:
        now = asyncio.get_running_loop().time()
        station.unanswered.settled()
        self._held_up(now - asked_at)
        self._found(station.device, now)

    def _held_up(self, took_s: float) -> None:
        """A converter that still waits for a silent unit keeps the next one waiting: its probe costs that too."""
        probed, self._probed = self._probed, None
        if probed is not None and took_s > PROBE_S:
            self._timetable.dearer(probed, took_s)

    def _missed(self, station: Station, ask: Ask, asked_at: float, why: str) -> None:
        """A read without an answer that can be used: without transaction numbers, the doubt stays."""
        at_least_s = 0.0
        if self._wire.serial:
            station.unanswered.missed(ask, asked_at)
            at_least_s = station.unanswered.clear_at() - asyncio.get_running_loop().time()
        self._kept_busy(station.device, why, asked_at, at_least_s)

    def _kept_busy(self, device: str, why: str, asked_at: float, at_least_s: float = 0.0) -> None:
        """It was silent, and since `asked_at` the wire was kept busy by it."""
        self._probed = device
        self._silent(device, why, at_least_s, asyncio.get_running_loop().time() - asked_at)

    def _count(self, fault: Exception) -> None:
        if isinstance(fault, Silence):
            self.health.timeouts += 1
        elif isinstance(fault, FrameError):
            self.refuse(str(fault), fault.raw)

    def stray(self, frame: bytes) -> None:
        """A sound frame came that nobody waits for: a late answer, or one for another master."""
        self.health.late += 1
        doubt = self._doubts.get(frame[0])
        if doubt is not None and frame[1] in READS:
            doubt.late(frame[1], len(frame) - 5, asyncio.get_running_loop().time())

    def late(self, unit: int, pdu: bytes) -> None:
        """An answer came after its time, known by its number: whoever was not waited for long is there after all."""
        self.health.late += 1
        if pdu[0] & 0x80 and pdu[1:2] and pdu[1] in UNREACHABLE:
            return
        now = asyncio.get_running_loop().time()
        for device, station in self._stations.items():
            if station.unit == unit and unit in self._hasty and self._timetable.silences(device):
                self._stirring.add(unit)
                self._timetable.stirs(device, now)

    # --- Commands

    async def _serve(self, command: QueuedCommand[Write]) -> None:
        loop = asyncio.get_running_loop()
        station = self._stations[command.device]
        began = loop.time()
        try:
            if not self._wire.connected and not await self._open(self._writes.time_for(command)):
                raise CommandFailed(f"{self._wire.name} cannot be reached", f"无法连接 {self._wire.name}")
            go_on_at = await self._writes.carry_out(command, station)
            self._opened_in_vain = 0
        except CommandFailed as failed:
            command.fail(failed)
        except Refused as refusal:
            en, zh = reason(refusal.code)
            command.fail(CommandFailed(f"{station.device}: {en}", f"{station.device}：{zh}"))
        except (Silence, WireDown, FrameError) as fault:
            self._in_vain(command, station, fault, began)
        else:
            if go_on_at is not None:
                self._commands.put_off(command, go_on_at)
                return
            self._timetable.soon(station.device, loop.time())
            command.fulfil()

    def _in_vain(
        self, command: QueuedCommand[Write], station: Station, fault: Silence | WireDown | FrameError, began: float
    ) -> None:
        """Tries once more where that does no harm: what the device has confirmed is looked at, not written again."""
        self._count(fault)
        if not isinstance(fault, Silence):
            self._hang_up()
        command.tries += 1
        alive = not command.done.done() and command.deadline > asyncio.get_running_loop().time()
        if alive and command.tries == 1 and (command.what.repeat or command.confirmed):
            self._commands.put_off(command, 0.0)
            return
        self._kept_busy(station.device, str(fault), began)
        zh = "的应答有误" if isinstance(fault, FrameError) else "没有应答"
        command.fail(CommandFailed(f"{station.device}: {fault}", f"{station.device} {zh}"))

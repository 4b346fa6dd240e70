"""The owner of one Modbus wire: people's wishes first, then whatever is due, one exchange at a time.

`run` is the only task that touches the wire. `write` and `pulse` put a wish into its queue and wake it; a wish whose
time is over is dropped there, never sent late. Nothing here waits longer than the wire's time-out.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from contract.readings import Value
from drivers.bus import BusHealth, CommandFailed, Outcome
from drivers.errors import FrameError
from drivers.modbus import encode
from drivers.modbus.decode import bit_at
from drivers.modbus.encode import Write
from drivers.modbus.frames import READS
from drivers.modbus.plan import Block, split
from drivers.modbus.resync import Ask
from drivers.modbus.station import Station
from drivers.modbus.wire import Refused, Silence, Wire, WireDown
from drivers.profiles.profile import Output
from drivers.reports import DeviceFound, DeviceLost, InputRefused, PointsRead, Sink
from drivers.schedule import Timetable, Turn

log = structlog.get_logger(__name__)

REOPEN_S = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds before the wire is opened again, by how often that has been in vain."""

WISHES_LIMIT = 64
UNREACHABLE = frozenset({10, 11})
"""Exceptions of a converter whose unit is silent: no answer of the unit."""

SPLIT_ON = frozenset({2, 3})
"""Exceptions that a smaller read may avoid: some address in the block does not exist."""

REFUSALS: dict[int, tuple[str, str]] = {
    1: ("the device does not know this function", "设备不支持该功能"),
    2: ("the device has no such address", "设备没有该地址"),
    3: ("the device does not take this value", "设备不接受该数值"),
    4: ("the device reports a fault of its own", "设备内部故障"),
    5: ("the device has not finished yet", "设备尚未完成"),
    6: ("the device is busy", "设备正忙"),
    10: ("the converter has no way to the device", "转换器无法连到设备"),
    11: ("the device behind the converter does not answer", "转换器后面的设备没有应答"),
}


@dataclass(slots=True, eq=False)
class _Wish:
    station: Station
    write: Write
    deadline: float
    done: asyncio.Future[None]


def _covering(blocks: Sequence[Block], fc: int, address: int) -> tuple[int, int]:
    """Start and size of the block that is polled with `address` in it; of that address alone if none is."""
    for block in blocks:
        if block.fc == fc and block.start <= address < block.start + block.size:
            return block.start, block.size
    return address, 1


def _reopen_delay(in_vain: int) -> float:
    return REOPEN_S[min(in_vain, len(REOPEN_S) - 1)]


class ModbusBus:
    """One Modbus wire (see `drivers.bus.Bus`). `clock`: Unix ms. `timeout_s`: the longest wait for an answer."""

    def __init__(
        self,
        id: str,
        wire: Wire,
        stations: Mapping[str, Station],
        *,
        sink: Sink,
        clock: Callable[[], int],
        timeout_s: float,
    ) -> None:
        self.id = id
        self.health = BusHealth()
        self._wire = wire
        self._stations = dict(stations)
        # Devices that share a unit share its doubts: an answer says nothing of which of them was asked.
        self._doubts = {station.unit: station.unanswered for station in self._stations.values()}
        for station in self._stations.values():
            station.unanswered = self._doubts[station.unit]
        self._sink = sink
        self._clock = clock
        self._timeout_s = timeout_s
        self._timetable: Timetable[Block] = Timetable()
        self._wishes: deque[_Wish] = deque()
        self._woken: asyncio.Event = asyncio.Event()
        self._opened_in_vain = 0
        self._opened_ever = False
        self._down = False
        self._reopen_at = 0.0

    # --- What the gateway asks

    async def write(self, device: str, point: str, value: Value, *, within_s: float) -> None:
        """Sets an output or carries out a command of the device's profile."""
        station = self._station(device)
        await self._ask_for(station, encode.write_of(station.profile, point, value), within_s)

    async def pulse(self, device: str, output: str, seconds: float, *, within_s: float) -> None:
        """Closes an output for `seconds`, timed by the board itself."""
        station = self._station(device)
        known = station.profile.outputs.get(output)
        if not isinstance(known, Output):
            raise CommandFailed(f"{device} has no output {output}", f"{device} 没有输出 {output}")
        await self._ask_for(station, encode.pulse(known, seconds), within_s)

    def online(self, device: str) -> bool:
        """Whether the device answered lately."""
        return self._timetable.online(device)

    def show(self, reader: str, outcome: Outcome) -> None:
        """Nothing on a Modbus wire shows decisions."""

    def _station(self, device: str) -> Station:
        station = self._stations.get(device)
        if station is None:
            raise CommandFailed(f"there is no {device} on {self.id}", f"{self.id} 上没有 {device}")
        return station

    async def _ask_for(self, station: Station, write: Write, within_s: float) -> None:
        if len(self._wishes) >= WISHES_LIMIT:
            raise CommandFailed(f"{self.id} has too much to do already", f"{self.id} 待办过多")
        loop = asyncio.get_running_loop()
        wish = _Wish(station, write, loop.time() + within_s, loop.create_future())
        self._wishes.append(wish)
        self._woken.set()
        try:
            async with asyncio.timeout_at(wish.deadline):
                await wish.done
        except TimeoutError:
            raise CommandFailed(
                f"{station.device} has not confirmed within {within_s:g} s",
                f"{station.device} 在 {within_s:g} 秒内未确认",
            ) from None
        finally:
            wish.done.cancel()

    # --- The owner

    async def run(self) -> None:
        """Owns the wire until cancelled; outlives every fault of it."""
        now = asyncio.get_running_loop().time()
        for device, station in self._stations.items():
            self._timetable.add(device, station.blocks(), station.periods, now)
        owner = asyncio.current_task()
        assert owner is not None
        try:
            # Before Python 3.12, wait_for (in pymodbus) swallows a cancellation that comes together with the answer.
            while not owner.cancelling():
                try:
                    await self._step()
                except Exception:
                    log.exception("a turn on the wire failed", bus=self.id)
                    self._hang_up()
                    await asyncio.sleep(1.0)
            raise asyncio.CancelledError
        finally:
            self._hang_up()
            for wish in self._wishes:
                self._fail(wish, CommandFailed(f"{self.id} is being closed", f"{self.id} 正在关闭"))
            self._wishes.clear()

    async def _step(self) -> None:
        now = asyncio.get_running_loop().time()
        wish = self._next_wish(now)
        if wish is not None:
            await self._serve(wish)
        elif not self._wire.connected:
            if self._reopen_at > now:
                await self._rest_until(self._reopen_at)
            else:
                await self._open(self._timeout_s)
        elif (turn := self._timetable.next(now)) is not None:
            await self._read(turn)
        else:
            await self._rest_until(self._timetable.wake_at())

    async def _rest_until(self, moment: float | None) -> None:
        """Sleeps until `moment` (for ever if None) or until someone has a wish."""
        alarm = None
        if moment is not None:
            alarm = asyncio.get_running_loop().call_at(moment, self._woken.set)
        try:
            await self._woken.wait()
        finally:
            if alarm is not None:
                alarm.cancel()
        self._woken.clear()

    # --- The wire itself

    async def _open(self, timeout_s: float) -> bool:
        loop = asyncio.get_running_loop()
        self._hang_up()
        try:
            await self._wire.open(timeout_s)
        except WireDown as down:
            self._opened_in_vain += 1
            self._reopen_at = loop.time() + _reopen_delay(self._opened_in_vain)
            self._down = True
            for device in self._stations:
                self._silent(device, str(down), loop.time())
            return False
        # An end that accepts and hangs up again is not dialled in a tight loop either.
        self._reopen_at = loop.time() + _reopen_delay(self._opened_in_vain)
        self._opened_in_vain += 1
        self.health.connected = True
        self.health.reconnects += self._opened_ever
        self._opened_ever = True
        if self._down:
            self._down = False
            self._timetable.wire_back(loop.time())
        return True

    def _hang_up(self) -> None:
        self._wire.close()
        self.health.connected = False

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
            data = await self._wire.read(station.unit, ask.fc, ask.start, ask.size, self._timeout_s)
        except Refused as refusal:
            if refusal.code in UNREACHABLE:
                self._silent(turn.device, REFUSALS[refusal.code][0], loop.time())
            elif doubted:
                # It may be an earlier question that is refused: nothing is proved.
                self._missed(station, ask, now, "the device answers late")
            else:
                self._answered(station, loop.time())
                self._refused(station, turn._replace(block=ask.whole or turn.block), refusal, loop.time())
        except (Silence, WireDown, FrameError) as fault:
            self._count(fault)
            self._missed(station, ask, now, str(fault))
        else:
            self._answered(station, loop.time())
            if ask.whole is not None:
                self._timetable.read(turn._replace(block=ask.whole), loop.time())
                self.health.overruns = self._timetable.overruns
                self._tell(station, ask.whole, data, loop.time())

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

    def _answered(self, station: Station, now: float) -> None:
        station.unanswered.settled()
        self._opened_in_vain = 0
        if self._timetable.answered(station.device, now):
            self._sink(DeviceFound(station.device))

    def _missed(self, station: Station, ask: Ask, asked_at: float, why: str) -> None:
        """A read without an answer that can be used: on TCP the connection goes, on a serial line the doubt stays."""
        now = asyncio.get_running_loop().time()
        if self._wire.serial:
            station.unanswered.missed(ask, asked_at)
            self._silent(station.device, why, now, station.unanswered.clear_at() - now)
        else:
            self._hang_up()
            self._silent(station.device, why, now)

    def _silent(self, device: str, why: str, now: float, at_least_s: float = 0.0) -> None:
        if self._timetable.silent(device, now, at_least_s):
            self._stations[device].forget()
            self._sink(DeviceLost(device, why))

    def _count(self, fault: Exception) -> None:
        if isinstance(fault, Silence):
            self.health.timeouts += 1
        elif isinstance(fault, FrameError):
            self.refuse(str(fault), fault.raw)

    def refuse(self, why: str, sample: bytes) -> None:
        """Bytes came that nobody can use."""
        self.health.refused += 1
        self._sink(InputRefused(self.id, why, sample[:64]))

    def stray(self, frame: bytes) -> None:
        """A sound frame came that nobody waits for: a late answer, or one for another master."""
        self.health.late += 1
        doubt = self._doubts.get(frame[0])
        if doubt is not None and frame[1] in READS:
            doubt.late(frame[1], len(frame) - 5, asyncio.get_running_loop().time())

    # --- Wishes

    def _next_wish(self, now: float) -> _Wish | None:
        while self._wishes:
            wish = self._wishes.popleft()
            if not wish.done.done() and wish.deadline > now:
                return wish
        return None

    async def _serve(self, wish: _Wish) -> None:
        loop = asyncio.get_running_loop()
        device = wish.station.device
        for last in (False, True) if wish.write.repeat else (True,):
            try:
                await self._carry_out(wish)
            except CommandFailed as failed:
                self._fail(wish, failed)
            except Refused as refusal:
                en, zh = REFUSALS.get(refusal.code, (f"exception {refusal.code}", f"异常 {refusal.code}"))
                self._fail(wish, CommandFailed(f"{device}: {en}", f"{device}：{zh}"))
            except (Silence, WireDown, FrameError) as fault:
                self._count(fault)
                if not self._wire.serial:
                    self._hang_up()
                if not last and not wish.done.done() and wish.deadline > loop.time():
                    continue
                self._silent(device, str(fault), loop.time())
                zh = "的应答有误" if isinstance(fault, FrameError) else "没有应答"
                self._fail(wish, CommandFailed(f"{device}: {fault}", f"{device} {zh}"))
            else:
                self._timetable.soon(device, loop.time())
                if not wish.done.done():
                    wish.done.set_result(None)
            return

    def _fail(self, wish: _Wish, failed: CommandFailed) -> None:
        if not wish.done.done():
            wish.done.set_exception(failed)

    async def _carry_out(self, wish: _Wish) -> None:
        station, write = wish.station, wish.write
        if not self._wire.connected and not await self._open(self._time_for(wish)):
            raise CommandFailed(f"{self._wire.name} cannot be reached", f"无法连接 {self._wire.name}")
        self.health.exchanges += 1
        written_at = asyncio.get_running_loop().time()
        await self._wire.write(station.unit, write, self._time_for(wish))
        self._opened_in_vain = 0
        if write.readback is not None:
            await self._verify(wish, write, written_at)

    async def _verify(self, wish: _Wish, write: Write, written_at: float) -> None:
        station, readback = wish.station, write.readback
        assert readback is not None
        if readback.settle_s:
            await asyncio.sleep(min(readback.settle_s, self._time_for(wish)))
        loop = asyncio.get_running_loop()
        now = loop.time()
        # Boards are read as they are polled: some give all their relays or none.
        start, size = _covering(self._timetable.blocks(station.device), readback.fc, readback.address)
        ask = Ask(readback.fc, start, size, None)
        if not station.unanswered.can_tell(ask, now):
            raise CommandFailed(
                f"{station.device} answers late: the write is not verified", f"{station.device} 应答迟到，写入未核实"
            )
        self.health.exchanges += 1
        try:
            data = await self._wire.read(station.unit, readback.fc, start, size, self._time_for(wish))
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
            wanted = int(write.words[0] != 0) if readback.fc == 1 else write.words[0]
        if seen != wanted:
            raise CommandFailed(
                f"{station.device} reads back {seen} where {wanted} was written",
                f"{station.device} 写入 {wanted}，读回 {seen}",
            )

    def _time_for(self, wish: _Wish) -> float:
        """How long the next exchange of a wish may take; nothing is sent for one that nobody waits for any more."""
        left = wish.deadline - asyncio.get_running_loop().time()
        if left <= 0 or wish.done.done():
            raise CommandFailed(f"{wish.station.device}: the time for this is over", f"{wish.station.device}：时限已过")
        return min(left, self._timeout_s)

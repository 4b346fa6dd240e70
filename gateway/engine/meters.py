"""Registers that money hangs on: one `meter.read` at every quarter hour of the wall clock, and on demand."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from contract.kinds import MeterRead
from gateway.clock import Clock
from gateway.engine.alarmclock import Alarmclock, Timers
from gateway.engine.layout import Register
from gateway.engine.points import Points
from gateway.engine.record import Facts, Record

QUARTER_MS = 15 * 60 * 1000


class _Memory(msgspec.Struct, frozen=True):
    """The quarter hour that was recorded last, Unix ms."""

    quarter: int


def quarter_of(at_ms: int) -> int:
    """The last full quarter hour at or before `at_ms`, Unix ms. All time zones in use are whole quarters from UTC."""
    return at_ms - at_ms % QUARTER_MS


class Meters:
    """Reads each register once a quarter. One that is not readable then is recorded as soon as it is."""

    def __init__(
        self, registers: Mapping[str, Register], points: Points, record: Record, timers: Timers, clock: Clock
    ) -> None:
        self._registers = dict(registers)
        self._points = points
        self._record = record
        self._clock = clock
        self._quarter = Alarmclock(timers, self._quarter_struck)
        self._by_point: dict[str, list[str]] = {}
        for meter, register in self._registers.items():
            self._by_point.setdefault(register.point, []).append(meter)
        self._due: set[str] = set()
        self._now_in = 0

    def start(self) -> None:
        """Whatever has no event of this quarter yet is due."""
        self._now_in = quarter_of(self._clock.wall_ms())
        done = {
            meter: msgspec.json.decode(memory, type=_Memory).quarter
            for meter, memory in self._record.load_state("meter").items()
        }
        self._due = {meter for meter in self._registers if done.get(meter) != self._now_in}
        self._arm()

    def points_read(self, points: Collection[str]) -> None:
        """These points were read: settles what was due."""
        if not self._due:
            return
        for point in points:
            for meter in self._by_point.get(point, ()):
                if meter in self._due:
                    self._settle(meter)

    async def read_now(self, meter: str) -> bool:
        """Records the register's value on demand; False if it cannot be trusted now. `KeyError`: no such meter."""
        data = self._reading_of(self._registers[meter], asked=True)
        if data is None:
            return False
        facts = Facts()
        facts.say("meter.read", meter, data)
        await self._record.append(facts)
        return True

    def _quarter_struck(self) -> None:
        quarter = quarter_of(self._clock.wall_ms())
        if quarter != self._now_in:  # the monotonic clock may ring a moment before the wall clock gets there
            self._now_in = quarter
            self._due = set(self._registers)
            for meter in list(self._due):
                self._settle(meter)
        self._arm()

    def _arm(self) -> None:
        now = self._clock.wall_ms()
        self._quarter.arm((quarter_of(now) + QUARTER_MS - now) / 1000)

    def _settle(self, meter: str) -> None:
        data = self._reading_of(self._registers[meter], asked=False)
        if data is None:
            return
        facts = Facts()
        facts.say("meter.read", meter, data)
        facts.keep("meter", meter, _Memory(self._now_in))
        self._record.append(facts)
        self._due.discard(meter)

    def _reading_of(self, register: Register, *, asked: bool) -> MeterRead | None:
        latest = self._points.value(register.point)
        if latest.quality != "good" or not isinstance(latest.value, int | float) or isinstance(latest.value, bool):
            return None
        return MeterRead(
            register=register.register,
            value=float(latest.value),
            unit=register.unit,
            meter_no=register.meter_no,
            asked=asked,
        )

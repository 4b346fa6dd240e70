"""Registers that money hangs on: one `meter.read` at every quarter hour of the wall clock, and on demand.

A reading names the meter's own number. Where the meter tells it, that counts, not what the site file says; where both
are known and differ, an alarm says so. A reading of another meter than before is an exchange, and so is a register that
was set back for good. One that went backward without a roll-over is an alarm, once it was heard twice (a meter that has
just been powered says 0 for a moment), until it is back where it was or the fall is confirmed.
A reading with another transformers' ratio than the one before begins a new count: the value jumped, nothing was used.
It is an alarm, as is a ratio that is not known.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from zoneinfo import ZoneInfo

import msgspec

from contract.facts.machines import MeterExchanged, MeterRead
from contract.texts import Text
from gateway.engine.alarms.alarms import Alarms
from gateway.engine.alarms.causes import built_in, built_in_key
from gateway.engine.desk.desk import Desk
from gateway.engine.desk.layout import Register
from gateway.engine.desk.record import Facts
from gateway.engine.desk.timers import Alarmclock
from rules.alarms.causes import BuiltInCause
from rules.metering.registers import CLOCK_LIMIT_S, Fallen, Held, MeterStep, clock_error_s, same_number, step

QUARTER_MS = 15 * 60 * 1000


class _Memory(msgspec.Struct, frozen=True):
    """The quarter hour that was recorded last (Unix ms), what was read then of which meter, and from where it fell."""

    quarter: int
    meter_no: str = ""
    value: float | None = None
    fallen: Fallen | None = None
    ratio: float = 1.0


def quarter_of(at_ms: int) -> int:
    """The last full quarter hour at or before `at_ms`, Unix ms. All time zones in use are whole quarters from UTC."""
    return at_ms - at_ms % QUARTER_MS


class Meters:
    """Reads each register once a quarter. One that is not readable then is recorded as soon as it is."""

    def __init__(self, registers: Mapping[str, Register], zone: ZoneInfo, desk: Desk, alarms: Alarms) -> None:
        self._registers = dict(registers)
        self._zone = zone
        self._points = desk.points
        self._alarms = alarms
        self._names = desk.names
        self._record = desk.record
        self._clock = desk.clock
        self._quarter = Alarmclock(desk.timers, self._quarter_struck)
        self._by_point: dict[str, list[str]] = {}
        for meter, register in self._registers.items():
            for point in {register.point, register.number or register.point}:
                self._by_point.setdefault(point, []).append(meter)
        self._before: dict[str, Held] = {}
        self._ratio: dict[str, float] = {}
        """The transformers' ratio of the reading that was recorded last."""
        self._other_ratio: dict[str, tuple[float, int]] = {}
        """Another one, and when it was heard (Unix ms): a value of before holds the old one."""
        self._doubted: dict[str, int] = {}
        """When a fall was heard that nothing has confirmed yet, Unix ms."""
        self._odd: dict[tuple[BuiltInCause, str], set[str]] = {}
        self._due: set[str] = set()
        self._now_in = 0

    def start(self) -> None:
        """Whatever has no event of this quarter yet is due."""
        self._now_in = quarter_of(self._clock.wall_ms())
        self._due = set(self._registers)
        self._remember(self._record.load_state("meter", _Memory, self._remember))
        self._arm()

    def points_read(self, points: Collection[str]) -> None:
        """These points were read: settles what was due."""
        if not self._due:
            return
        for point in points:
            for meter in self._by_point.get(point, ()):
                if meter in self._due:
                    self._settle(meter)

    def time_corrected(self) -> None:
        """Time went on or back at once: it may be another quarter hour now."""
        self._quarter_struck()

    async def read_now(self, meter: str) -> bool:
        """Records the register's value on demand; False if it cannot be trusted now. `KeyError`: no such meter."""
        data = self._reading_of(meter, asked=True)
        if data is None or data.begins or self._doubtful(meter, data):
            return False
        facts = Facts()
        facts.say("meter.read", meter, data)
        await self._record.append(facts)
        return True

    def _remember(self, kept: Mapping[str, _Memory]) -> None:
        for meter, memory in kept.items():
            if memory.value is not None:
                self._before[meter] = Held(memory.meter_no, memory.value, memory.fallen)
                self._ratio[meter] = memory.ratio
            if memory.quarter == self._now_in:
                self._due.discard(meter)

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
        register = self._registers[meter]
        data = self._reading_of(meter, asked=False)
        if data is None:
            self._say_unknown(meter)
            return
        if self._doubtful(meter, data):
            return
        facts = Facts()
        held = self._compare(meter, register, data, facts)
        ratio = self._ratio_of(register) or 1.0
        facts.say("meter.read", meter, data)
        facts.keep("meter", meter, _Memory(self._now_in, held.meter_no, held.value, held.fallen, ratio))
        self._record.append(facts)
        self._before[meter] = held
        self._ratio[meter] = ratio
        self._doubted.pop(meter, None)
        self._due.discard(meter)

    def _reading_of(self, meter: str, *, asked: bool) -> MeterRead | None:
        register = self._registers[meter]
        latest = self._points.value(register.point)
        if latest.quality != "good" or not isinstance(latest.value, int | float) or isinstance(latest.value, bool):
            return None
        number, ratio = self._number_of(register), self._ratio_of(register)
        if number is None or ratio is None:
            return None
        begins = meter in self._before and ratio != self._ratio.get(meter, ratio)
        if begins and latest.at < self._since(meter, register, ratio):
            return None
        return MeterRead(
            register=register.register,
            value=float(latest.value),
            unit=register.unit,
            meter_no=number,
            asked=asked,
            rolls_over=None if register.rolls_over is None else register.rolls_over * ratio,
            clock_error_s=self._clock_error_of(register),
            begins=begins,
        )

    def _ratio_of(self, register: Register) -> float | None:
        """What the register's value was multiplied by; None while a ratio is not known."""
        if register.ratio is None:
            return None
        product = register.ratio
        for point in register.ratios:
            told = self._points.value(point)
            if told.quality != "good" or not isinstance(told.value, int | float):
                return None
            product *= told.value
        return product

    def _since(self, meter: str, register: Register, ratio: float) -> int:
        """From when on a value of the register holds this ratio, Unix ms."""
        known = self._other_ratio.get(meter)
        if known is None or known[0] != ratio:
            heard = max((self._points.value(point).at for point in register.ratios), default=0)
            known = self._other_ratio[meter] = (ratio, heard)
        return known[1]

    def _say_unknown(self, meter: str) -> None:
        """A register that cannot be told because of its ratio alone: somebody has to say it."""
        register = self._registers[meter]
        heard = [self._points.value(point) for point in register.ratios]
        if register.ratio is None or any(told.quality == "bad" for told in heard):
            facts = Facts()
            self._turn("meter.ratio", meter, True, Text("未知", "not known"), facts)
            if facts:
                self._record.append(facts)

    def _doubtful(self, meter: str, data: MeterRead) -> bool:
        """Whether the register fell, and has been heard so once only."""
        if _step(self._before.get(meter), data).kind != "odd":
            self._doubted.pop(meter, None)
            return False
        at = self._points.value(self._registers[meter].point).at
        return self._doubted.setdefault(meter, at) == at

    def _number_of(self, register: Register) -> str | None:
        """The meter's own number; None while it has not been heard since the meter came back: it may be another."""
        if register.number is None:
            return register.meter_no
        latest = self._points.value(register.number)
        if latest.quality == "stale":
            return None
        own = str(latest.value or "") if latest.quality == "good" else ""
        return own if own and not same_number(own, register.meter_no) else register.meter_no or own

    def _clock_error_of(self, register: Register) -> float | None:
        latest = self._points.value(register.clock) if register.clock is not None else None
        if latest is None or latest.quality != "good" or not isinstance(latest.value, str):
            return None
        return clock_error_s(latest.value, latest.at, self._zone)

    # --- What is odd

    def _compare(self, meter: str, register: Register, data: MeterRead, facts: Facts) -> Held:
        """Says what is odd about a reading; what to hold of it for the next one."""
        before = self._before.get(meter)
        found = _step(before, data)
        if before is not None and found.kind in {"exchanged", "reset"}:
            exchanged = MeterExchanged(
                register=data.register,
                unit=data.unit,
                old_no=before.meter_no,
                old_value=before.value if before.fallen is None else before.fallen.mark,
                new_no=data.meter_no,
                new_value=data.value,
            )
            facts.say("meter.exchanged", meter, exchanged)
        ratios = f"{self._ratio.get(meter, 1.0):g} → {self._ratio_of(register) or 1.0:g}"
        self._turn("meter.ratio", meter, data.begins, Text(ratios, ratios), facts)
        fell = "" if before is None else f"{before.value:g} → {data.value:g} {data.unit}".rstrip()
        self._turn("meter.backward", meter, found.kind == "odd", Text(fell, fell), facts)
        other = bool(register.meter_no) and not same_number(data.meter_no, register.meter_no)
        numbers = Text(
            f"表内 {data.meter_no}，配置 {register.meter_no}",
            f"the meter says {data.meter_no}, the site file {register.meter_no}",
        )
        self._turn("meter.number", meter, other, numbers, facts)
        error = data.clock_error_s
        wrong = error is not None and abs(error) > CLOCK_LIMIT_S
        by = abs(error or 0.0)
        words = Text(
            f"{'快' if (error or 0) > 0 else '慢'} {by:.0f} 秒",
            f"{by:.0f} s {'ahead' if (error or 0) > 0 else 'behind'}",
        )
        self._turn("meter.clock", meter, wrong, words, facts)
        return found.held

    def _turn(self, cause: BuiltInCause, meter: str, present: bool, why: Text, facts: Facts) -> None:
        """Several registers of one device share its alarm: it ends with the last of them."""
        device = self._registers[meter].device
        odd = self._odd.setdefault((cause, device), set())
        if present:
            odd.add(meter)
            self._alarms.raise_cause(built_in(cause, device, self._names, device, why=why), facts)
        else:
            odd.discard(meter)
            if not odd:
                self._alarms.clear_cause(built_in_key(cause, device), facts)


def _step(before: Held | None, data: MeterRead) -> MeterStep:
    return step(before, data.meter_no, data.value, data.rolls_over, begins=data.begins)

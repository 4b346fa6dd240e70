"""A DL/T 698.45 meter on a line: its conversations. Pure.

An answer is believed if its address and its number are those of the request; of what it tells, only attributes that
were asked for are read. An attribute that the meter does not tell is bad, the others are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from contract.readings import Value
from contract.texts import Text
from drivers.bus import CommandFailed
from drivers.changes import Changes, Worth
from drivers.dlt698 import codec as dlt698
from drivers.dlt698.product import ObjectSource
from drivers.errors import FrameError
from drivers.factors import Factors
from drivers.meters.dialect import Ask, Denied, Foreign, MeterKind, More, Said, Talk, Verdict
from drivers.meters.framing import Frames
from drivers.pace import periods
from drivers.profiles.profile import Point, Profile
from drivers.profiles.words import Group
from drivers.schedule import Readable
from drivers.wiring import Installed

WAKE = 4
"""Wake-up bytes before a request."""

DIGITS = 12


class Objects(NamedTuple):
    """What one conversation reads (`drivers.schedule.Readable`): attributes and the points in them."""

    points: Mapping[int, tuple[Point, ...]]
    group: Group
    first: bool = False


class Dlt698Station:
    """One meter (see `drivers.meters.dialect.Station`). `address`: as printed; None until the only one was asked."""

    def __init__(self, device: str, installed: Installed, profile: Profile) -> None:
        self.device = device
        self.profile = profile
        self.wildcard = installed.address is None
        self.address = None if installed.address is None else installed.address.zfill(DIGITS)
        self.periods: Mapping[Group, float] = periods(profile, installed.poll_s)
        self.latency_s = profile.limits.latency_s
        self.guard_s = profile.limits.guard_s
        self.changes = Changes(device, profile.points)
        self.factors = Factors(profile.multipliers, installed.scale_by)
        self._piid = 0

    def frames(self) -> Frames:
        """A finder of DL/T 698.45 frames."""
        return dlt698.frames()

    def blocks(self) -> Sequence[Readable]:
        """What is read of it: attributes of one urgency together, as many as one request takes."""
        limit = self.profile.limits.registers
        found: list[Objects] = []
        for group in ("alarm", "normal", "meter"):
            wanted: dict[int, tuple[Point, ...]] = {}
            for point in self.profile.points.values():
                if point.group == group:
                    oad = source_of(point).oad
                    wanted[oad] = (*wanted.get(oad, ()), point)
            oads = list(wanted)
            for at in range(0, len(oads), limit):
                block = {oad: wanted[oad] for oad in oads[at : at + limit]}
                first = any(point.id in self.profile.multipliers for points in block.values() for point in points)
                found.append(Objects(block, group, first))
        return found

    def read(self, block: Readable) -> Talk:
        """A conversation that reads attributes."""
        assert isinstance(block, Objects)
        return _Reading(self, block)

    def again(self, block: Readable, damaged: Talk) -> Talk:
        """The same attributes, as a new request."""
        return self.read(block)

    def parts(self, block: Readable) -> Sequence[Readable]:
        """Each attribute alone, where the meter takes no list."""
        assert isinstance(block, Objects)
        if len(block.points) == 1:
            return ()
        return [Objects({oad: points}, block.group, block.first) for oad, points in block.points.items()]

    def denied(self, block: Readable) -> Sequence[Worth]:
        """What a block's points are worth when the meter denies it."""
        assert isinstance(block, Objects)
        return self.worths((point, None) for points in block.points.values() for point in points)

    def write(self, name: str, value: Value, local: datetime) -> Talk:
        """Such meters take commands from their owner's key only. Raises `CommandFailed`."""
        raise CommandFailed(f"{self.device} takes no command {name}", f"{self.device} 没有指令 {name}")

    def forget(self) -> None:
        """It was lost."""
        self.changes.forget()
        self.factors.forget()
        if self.wildcard:
            self.address = None

    def next_piid(self) -> int:
        """The number of the next request."""
        self._piid = (self._piid + 1) % dlt698.PIIDS
        return self._piid

    def worths(self, told: Iterable[tuple[Point, dlt698.Result | Text]]) -> list[Worth]:
        """What points are worth after their attributes were told, or not."""
        return self.factors.multiplied(self.profile.points, [self.worth(point, result) for point, result in told])

    def worth(self, point: Point, result: dlt698.Result | Text) -> Worth:
        """What a point is worth after its attribute was told, or not."""
        source = source_of(point)
        value = None if isinstance(result, Text) else value_in(point, source, result)
        if value is None and source.address:
            value = self.address
        return Worth(point.id, value, "bad" if value is None else "good")


def source_of(point: Point) -> ObjectSource:
    """Where a point of such a meter is."""
    assert isinstance(point.source, ObjectSource)
    return point.source


def value_in(point: Point, source: ObjectSource, result: dlt698.Result) -> Value:
    """A point's value in its attribute; None if there is none that can be believed."""
    if isinstance(result, list):
        if source.element is None or source.element > len(result):
            return None
        result = result[source.element - 1]
    elif source.element is not None:
        return None
    match source.form:
        case "number" if isinstance(result, int):
            value = result / 10**source.decimals if source.decimals else result
            inside = (point.low is None or value >= point.low) and (point.high is None or value <= point.high)
            return value if inside else None
        case "digits" if isinstance(result, bytes):
            return result.hex() if result and result.hex().isdecimal() else None
        case "text" | "clock" if isinstance(result, str):
            return result
        case _:
            return None


class _Reading:
    """Reads attributes; finds the meter's address first if nobody knows it."""

    def __init__(self, meter: Dlt698Station, block: Objects) -> None:
        self._meter = meter
        self._block = block
        self._piid = 0
        self._finding = meter.address is None

    def ask(self) -> Ask:
        """What to send now."""
        meter = self._meter
        self._piid, self._finding = meter.next_piid(), meter.address is None
        oads = [dlt698.ADDRESS_OAD] if self._finding else list(self._block.points)
        asked = dlt698.frame(meter.address or dlt698.ANYBODY, dlt698.REQUEST, dlt698.read(oads, self._piid), WAKE)
        return Ask(asked, dlt698.FRAME_LIMIT)

    def heard(self, frame: bytes) -> Verdict:
        """What a sound frame is."""
        meter, found = self._meter, dlt698.parse(frame)
        if not found.control & dlt698.FROM_METER or found.client != dlt698.CLIENT:
            return Foreign("another master speaks on this line")
        if meter.address is not None and found.address != meter.address:
            return Foreign(f"the meter {found.address} answers instead of {meter.address}")
        said = dlt698.understood(found)
        if said.piid != self._piid:
            return Foreign("an answer to an earlier question", late=True)
        if said.refusal is not None:
            return Denied(said.refusal)
        return self._found(found.address, said, frame) if self._finding else self._read(said, frame)

    def _found(self, address: str, said: dlt698.Answer, frame: bytes) -> Verdict:
        told = said.results.get(dlt698.ADDRESS_OAD)
        if not address.isdecimal() or not isinstance(told, bytes) or told.hex() != address:
            raise FrameError(f"the meter {address} says of itself that it is another one", frame)
        self._meter.address = address
        return More()

    def _read(self, said: dlt698.Answer, frame: bytes) -> Verdict:
        missing = [oad for oad in self._block.points if oad not in said.results]
        if missing:
            raise FrameError(f"an answer without {missing[0]:08X}, which was asked for", frame)
        return Said(
            self._meter.worths((point, said.results[oad]) for oad, all in self._block.points.items() for point in all)
        )


STATION = MeterKind(lambda name, installed, profile, _: Dlt698Station(name, installed, profile))

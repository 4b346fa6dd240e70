"""An M-Bus meter on a line: its conversations. Pure.

Each reading begins the link anew (SND_NKE), selects the meter if it is known by its secondary address, and asks until
the meter has no more to say. FCB changes with every request; a request that is repeated because its answer was
damaged keeps it, so that the meter sends the same telegram again.
Source: EN 13757-2:2018, section 5.7 (FCB); EN 13757-3:2013, sections 6.3.5 and 11.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from contract.readings import Value
from drivers.bus import CommandFailed
from drivers.changes import Changes, Worth
from drivers.errors import FrameError
from drivers.installed import Gateway, WrongInstallation
from drivers.mbus import codec as mbus
from drivers.mbus.product import RecordSource
from drivers.mbus.records import Record, Telegram, refused, telegram
from drivers.mbus.units import TEXTS, WORDS, turned
from drivers.meters.dialect import Ask, Denied, Foreign, MeterKind, More, Said, Talk, Verdict
from drivers.meters.framing import Frames
from drivers.pace import periods
from drivers.profiles.profile import Point, Profile
from drivers.profiles.words import Group
from drivers.schedule import Readable
from drivers.wiring import Installed

TELEGRAMS_LIMIT = 16
"""Telegrams of one answer."""

Step = Literal["deselect", "select", "reset", "request"]


class Everything(NamedTuple):
    """All that a meter says: it is read at once (`drivers.schedule.Readable`), at the pace that a site's `poll_s` sets.

    A meter on a battery bears only so many readings: no alarm point may ask for more.
    """

    group: Group = "normal"
    first: bool = False


class MbusStation:
    """One meter (see `drivers.meters.dialect.Station`). `mask`: its secondary address; None: it has a primary one."""

    def __init__(self, device: str, installed: Installed, profile: Profile) -> None:
        self.device = device
        self.profile = profile
        self.mask = None if installed.address is None else mbus.secondary(installed.address)
        self.address = installed.unit if self.mask is None else mbus.SELECTED
        self.periods: Mapping[Group, float] = periods(profile, installed.poll_s)
        self.latency_s = profile.limits.latency_s
        self.guard_s = profile.limits.guard_s
        self.changes = Changes(device, profile.points)

    def frames(self) -> Frames:
        """A finder of M-Bus frames."""
        return mbus.frames()

    def blocks(self) -> Sequence[Readable]:
        """What is read of it: everything at once."""
        return [Everything()]

    def read(self, block: Readable) -> Talk:
        """A conversation that reads all that the meter says."""
        return _Reading(self)

    def again(self, block: Readable, damaged: Talk) -> Talk:
        """The same conversation: the last request is repeated as it was."""
        return damaged

    def parts(self, block: Readable) -> Sequence[Readable]:
        """Nothing smaller can be asked for."""
        return ()

    def denied(self, block: Readable) -> Sequence[Worth]:
        """What the points are worth when the meter only reports an error."""
        return [Worth(name, None, "bad") for name in self.profile.points]

    def write(self, name: str, value: Value, local: datetime) -> Talk:
        """M-Bus meters are read and not told anything. Raises `CommandFailed`."""
        raise CommandFailed(f"{self.device} takes no command {name}", f"{self.device} 没有指令 {name}")

    def forget(self) -> None:
        """It was lost."""
        self.changes.forget()


class _Reading:
    """Reads everything: `deselect` and `select` for a meter without a primary address, else `reset`; then `request`."""

    def __init__(self, meter: MbusStation) -> None:
        self._meter = meter
        self._next: Step = "reset" if meter.mask is None else "deselect"
        self._asked: Step = self._next
        self._fcb = True
        self._told: list[Telegram] = []

    def ask(self) -> Ask:
        """What to send now."""
        self._asked = self._next
        match self._next:
            case "deselect":
                # Only a meter that is selected answers.
                self._next = "select"
                return Ask(mbus.reset(mbus.SELECTED), 1, unanswered=True)
            case "select":
                assert self._meter.mask is not None
                return Ask(mbus.select(self._meter.mask), 1)
            case "reset":
                return Ask(mbus.reset(self._meter.address), 1)
            case "request":
                return Ask(mbus.request(self._meter.address, self._fcb), mbus.LONGEST)

    def heard(self, frame: bytes) -> Verdict:
        """What a sound frame is."""
        if frame == mbus.ACKNOWLEDGED:
            return self._acknowledged()
        found = mbus.parse(frame)
        if found.control & ~mbus.RSP_BITS != mbus.RSP_UD:
            return Foreign("another master asks on this line")
        if self._asked != "request":
            return Foreign("an answer to an earlier question", late=True)
        return self._answered(found)

    def _acknowledged(self) -> Verdict:
        if self._asked == "request":
            return Foreign("an acknowledgement of an earlier question", late=True)
        if self._asked != "deselect":
            self._next = "request"
        return More()

    def _answered(self, found: mbus.Frame) -> Verdict:
        meter = self._meter
        if meter.mask is None and found.address != meter.address:
            return Foreign(f"the meter {found.address} answers instead of {meter.address}")
        why = refused(found)
        if why is not None:
            return Denied(why)
        said = telegram(found)
        foreign = self._other(said)
        if foreign is not None:
            return foreign
        # A meter that only has one telegram may announce more and send the same again.
        same = bool(self._told) and said.records == self._told[-1].records
        self._told.append(said)
        if not said.more or same:
            return Said(worths(meter.profile, self._told))
        if len(self._told) >= TELEGRAMS_LIMIT:
            raise FrameError(f"more than {TELEGRAMS_LIMIT} telegrams in one answer")
        self._fcb = not self._fcb
        return More()

    def _other(self, said: Telegram) -> Foreign | None:
        """Whether somebody else speaks: an identification that was not selected, or that changed on the way."""
        mask, before = self._meter.mask, self._told[0].identity if self._told else said.identity
        if mask is not None and (said.identity is None or not mbus.fits(mask, said.identity)):
            return Foreign(f"the meter {said.identity or '(without a number)'} answers instead of {mask}")
        if said.identity != before:
            return Foreign(f"the meter {said.identity} goes on where {before} began")
        return None


def worths(profile: Profile, told: Sequence[Telegram]) -> list[Worth]:
    """What the points of a meter are worth after all that it told. What it did not say, or not clearly, is bad."""
    records: dict[tuple[str, int, int, int, tuple[str, ...]], list[Record]] = {}
    for said in told:
        for record in said.records:
            key = (record.function, record.storage, record.tariff, record.subunit, record.quantities)
            records.setdefault(key, []).append(record)
    found = []
    for point in profile.points.values():
        source = point.source
        assert isinstance(source, RecordSource)
        value = _head(source, told[0]) if source.of != "record" else _of_records(point, source, records)
        found.append(Worth(point.id, value, "bad" if value is None else "good"))
    return found


def _head(source: RecordSource, first: Telegram) -> Value:
    """What an answer's header says: the meter's number, or a bit of its status."""
    if source.of == "identity":
        digits = (first.identity or "")[:8]
        return digits if digits.isdecimal() else None
    if first.status is None or source.bit is None:
        return None
    return (first.status >> source.bit & 1) == source.on


def _of_records(
    point: Point,
    source: RecordSource,
    records: Mapping[tuple[str, int, int, int, tuple[str, ...]], Sequence[Record]],
) -> Value:
    key = (source.function, source.storage, source.tariff, source.subunit, (WORDS[source.quantity],))
    fitting = [r for r in records.get(key, ()) if source.sent_in in (None, r.unit)]
    values = {_value(point, source, record) for record in fitting}
    return values.pop() if len(values) == 1 else None


def _value(point: Point, source: RecordSource, record: Record) -> Value:
    value = record.value
    if value is None:
        return None
    if source.quantity in TEXTS:
        return value if isinstance(value, str) else None
    number = turned(value, record.unit, point.unit)
    if number is None:
        return None
    if source.bit is not None:
        return (number >> source.bit & 1) == source.on if isinstance(number, int) and number >= 0 else None
    outside = (point.low is not None and number < point.low) or (point.high is not None and number > point.high)
    return None if outside else number


def _station(name: str, installed: Installed, profile: Profile, _: Gateway) -> MbusStation:
    try:
        return MbusStation(name, installed, profile)
    except ValueError as wrong:
        raise WrongInstallation(f"{name}: {wrong}") from wrong


STATION = MeterKind(_station)

"""Reads a people file into items of the desired state (`contract.desired`), to begin a site with.

Every mistake is told at once, like those of a site file.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

from config.document import Document, Place
from config.mistakes import Mistake, SiteErrors, one_of
from config.peoplefile import (
    BlockPart,
    CredentialPart,
    GrantPart,
    HolderPart,
    PeopleFile,
    SchedulePart,
)
from config.shape import validated
from config.site import Name, Part, Site
from contract import desired
from contract.cards import VALUE_BYTES, doubtful, typed
from contract.instants import Instant, instant
from contract.texts import Text
from rules.access.schedules import ALWAYS
from rules.access.values import PLATE_EXPECTED, is_plate, normal_value

_HEX = re.compile(r"(?:[0-9A-F]{2})+")

PeopleItem = desired.Holder | desired.Credential | desired.Schedule | desired.Grant | desired.Block

_LISTS: dict[str, type[Part]] = {
    "holders": HolderPart,
    "credentials": CredentialPart,
    "schedules": SchedulePart,
    "grants": GrantPart,
    "blocks": BlockPart,
}


def load_people(path: Path, *, places: Site | None = None, timezone: str = "Asia/Shanghai") -> list[PeopleItem]:
    """The items of the people file at `path`, in an order in which each follows what it names. Raises `SiteErrors`.

    `places`: the site whose doors, lanes and zones grants must name, and whose time zone holds; without it places are
    not checked and wall times are those of `timezone`.
    """
    document = Document.read(path)
    if document.data is None:
        raise SiteErrors(document.mistakes)
    mistakes = list(document.mistakes)
    people = validated(PeopleFile, document, (), mistakes)
    _Check(document, mistakes, places).all()
    if people is None or mistakes:
        raise SiteErrors(mistakes)
    assert isinstance(people, PeopleFile)
    return _items(people, ZoneInfo(timezone if places is None else places.timezone))


class _Check:
    """What the shapes allow and what still cannot be meant. Looks at every entry that has its shape."""

    def __init__(self, document: Document, mistakes: list[Mistake], places: Site | None) -> None:
        self._document = document
        self._mistakes = mistakes
        self._places = None if places is None else [*places.doors, *places.lanes, *places.zones]
        self._holders = self._written("holders")
        self._schedules = {ALWAYS, *self._written("schedules")}

    def all(self) -> None:
        """Adds every mistake."""
        values: dict[object, Place] = {}
        for name, kind in _LISTS.items():
            entries = self._document.at((name,))
            ids: dict[object, Place] = {}
            for index in range(len(entries) if isinstance(entries, list) else 0):
                place: Place = (name, index)
                part = validated(kind, self._document, place, [])
                if part is not None:
                    self._once(ids, str(getattr(part, "id", "")), (*place, "id"))
                    self._part(part, place, values)

    def _part(self, part: Part, place: Place, values: dict[object, Place]) -> None:
        match part:
            case CredentialPart() | BlockPart():
                self._value(part, (*place, "value"))
                if isinstance(part, CredentialPart):
                    self._known((*place, "holder"), part.holder, self._holders, Text("人员编号", "a holder"))
                    self._term(part, place)
                    if part.state == "active":
                        key = part.kind, _normal(part)
                        self._once(values, key, (*place, "value"))
            case HolderPart():
                self._term(part, place)
            case GrantPart():
                self._term(part, place)
                self._known((*place, "holder"), part.holder, self._holders, Text("人员编号", "a holder"))
                self._known((*place, "schedule"), part.schedule, self._schedules, Text("一个时段", "a schedule"))
                for index, where in enumerate(part.places):
                    if self._places is not None:
                        what = Text("一个门、车道或区域", "a door, a lane or a zone")
                        self._known((*place, "places", index), where, self._places, what)
            case SchedulePart():
                self._hours(part, place)
            case _:
                pass

    def _hours(self, part: SchedulePart, place: Place) -> None:
        if part.id == ALWAYS:
            self._wrong((*place, "id"), Text("always 已内置，请用别的编号", "`always` exists already: use another id"))
        spans = [((*place, "windows", i, "until"), each.since, each.until) for i, each in enumerate(part.windows)]
        for index, day in enumerate(part.days):
            at: Place = (*place, "days", index)
            if not _is_moment(day.day):
                self._wrong((*at, "day"), Text("日历上没有这一天", "the calendar has no such day"))
            spans += [((*at, "hours", i, 1), since, until) for i, (since, until) in enumerate(day.hours)]
        for where, since, until in spans:
            if since == until:
                words = Text(
                    "起止相同等于从不开放；全天写 00:00 到 24:00", "never holds; a whole day is 00:00 to 24:00"
                )
                self._wrong(where, words)

    def _value(self, part: CredentialPart | BlockPart, place: Place) -> None:
        normal = _normal(part)
        if part.kind != "card":
            if part.form is not None:
                self._wrong((*place[:-1], "form"), Text("只有卡号才有写法", "only cards have a form"))
            if not normal:
                self._wrong(place, Text("不能为空", "must not be empty"))
            elif part.kind == "plate" and not is_plate(normal):
                self._wrong(place, PLATE_EXPECTED)
            return
        if part.form is None and doubtful(normal):
            words = Text(
                "十位数字可能是卡面十进制号，也可能是十六进制；请写 form: 10d 或 form: hex",
                "ten digits may be a printed number or hex; write form: 10d or form: hex",
            )
            self._wrong(place, words)
        elif part.form not in {None, "hex"} and not normal:
            self._wrong(place, Text(f"不是 {part.form} 写法的卡号", f"is no card number in the form {part.form}"))
        elif not _HEX.fullmatch(normal) or len(normal) // 2 not in VALUE_BYTES:
            words = Text("卡号应为 6、8、10、14 或 20 位十六进制", "a card has 6, 8, 10, 14 or 20 hex digits")
            self._wrong(place, words)

    def _term(self, part: HolderPart | CredentialPart | GrantPart, place: Place) -> None:
        for word, when in (("valid_from", part.valid_from), ("valid_to", part.valid_to)):
            if when is not None and not _is_moment(when):
                self._wrong((*place, word), Text("日历上没有这个时刻", "the calendar has no such moment"))
                return
        if part.valid_from is not None and part.valid_to is not None:
            start, end = _moment(part.valid_from, datetime.UTC), _moment(part.valid_to, datetime.UTC, end=True)
            if end <= start:
                self._wrong((*place, "valid_to"), Text("早于 valid_from", "lies before valid_from"))

    def _written(self, name: str) -> list[str]:
        entries = self._document.at((name,))
        found = entries if isinstance(entries, list) else []
        return [str(entry["id"]) for entry in found if isinstance(entry, Mapping) and "id" in entry]

    def _once(self, seen: dict[object, Place], key: object, place: Place) -> None:
        first = seen.setdefault(key, place)
        if first != place:
            line = self._document.line(first)
            self._wrong(place, Text(f"与第 {line} 行重复", f"stands in line {line} already"))

    def _known(self, place: Place, word: str, known: Iterable[str], what: Text) -> None:
        choices = list(known)
        if word not in choices:
            self._wrong(place, one_of(what, choices, word))

    def _wrong(self, place: Place, expected: Text) -> None:
        self._mistakes.append(self._document.mistake(place, expected))


def _normal(part: CredentialPart | BlockPart) -> str:
    """The value as it is compared; "" if it is not written in its form."""
    if part.kind == "card" and part.form not in {None, "hex"}:
        return typed(part.value, part.form or "hex") or ""
    return normal_value(part.kind, part.value)


def _is_moment(text: str) -> bool:
    try:
        datetime.datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _moment(text: str, zone: datetime.tzinfo, *, end: bool = False) -> int:
    """Unix milliseconds of a date or wall time; a date as `end` counts to its last moment."""
    moment = datetime.datetime.fromisoformat(text)
    if end and len(text) == len("2026-12-31"):
        moment += datetime.timedelta(days=1)
    return round(moment.replace(tzinfo=zone).timestamp() * 1000)


def _items(people: PeopleFile, zone: ZoneInfo) -> list[PeopleItem]:
    def since(text: str | None) -> Instant | None:
        return None if text is None else instant(_moment(text, zone))

    def until(text: str | None) -> Instant | None:
        return None if text is None else instant(_moment(text, zone, end=True))

    items: list[PeopleItem] = [_schedule(each) for each in people.schedules]
    items += [
        desired.Holder(
            id=each.id,
            name=each.name,
            kind=each.kind,
            unit=each.unit,
            valid_from=since(each.valid_from),
            valid_to=until(each.valid_to),
        )
        for each in people.holders
    ]
    items += [
        desired.Credential(
            id=each.id,
            kind=each.kind,
            value=_normal(each),
            holder=each.holder,
            state=each.state,
            valid_from=since(each.valid_from),
            valid_to=until(each.valid_to),
        )
        for each in people.credentials
    ]
    items += [
        desired.Grant(
            id=each.id,
            holder=each.holder,
            places=list(each.places),
            schedule=each.schedule,
            valid_from=since(each.valid_from),
            valid_to=until(each.valid_to),
        )
        for each in people.grants
    ]
    items += [
        desired.Block(id=each.id, kind=each.kind, value=_normal(each), reason=_text(each.reason))
        for each in people.blocks
    ]
    return items


def _schedule(part: SchedulePart) -> desired.Schedule:
    windows = [desired.Window(days=list(each.days), since=each.since, until=each.until) for each in part.windows]
    days = [desired.DayRule(day=each.day, hours=list(each.hours)) for each in part.days]
    return desired.Schedule(id=part.id, name=_text(part.name), windows=windows, days=days)


def _text(name: Name) -> Text:
    return Text(name.zh, name.en)

"""When a schedule holds, in the site's time zone.

Hours are wall-clock hours of an instant, so a clock change makes a window an hour shorter or longer, never wrong.
A window belongs to the day on which it begins; `until` before `since` runs past midnight, equal ones never hold.
A date with hours of its own (`DayRule`) knows no others: it also cuts the tail of the week day before it. The tail of
such hours themselves runs out on the next date.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from contract.desired import Schedule
from contract.texts import Text

Span = tuple[int, int]
"""Minutes of a day: from, until (exclusive); an end beyond 1440 lies on the next day."""

ALWAYS = "always"
"""The schedule that exists without being sent."""

DAY = 24 * 60

_DAY_NAMES = {
    frozenset({1, 2, 3, 4, 5, 6, 7}): Text("每天", "every day"),
    frozenset({1, 2, 3, 4, 5}): Text("工作日", "weekdays"),
    frozenset({6, 7}): Text("周末", "weekends"),
}
_ZH_DAYS = "一二三四五六日"
_EN_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class Hours:
    """A schedule prepared for asking: spans by week day (Monday first) and by exceptional date."""

    week: tuple[tuple[Span, ...], ...]
    dates: dict[str, tuple[Span, ...]]
    text: Text

    @classmethod
    def of(cls, schedule: Schedule) -> Hours:
        """Prepares `schedule`. A date that the calendar does not know never comes and does no harm."""
        week = tuple(
            tuple(_span(window.since, window.until) for window in schedule.windows if day in window.days)
            for day in range(1, 8)
        )
        dates = {rule.day: tuple(_span(since, until) for since, until in rule.hours) for rule in schedule.days}
        return cls(week, dates, _describe(schedule))

    def hold(self, local: datetime) -> bool:
        """Whether they hold at `local`, a wall time of the site."""
        minute = local.hour * 60 + local.minute
        today = local.date()
        if _inside(self.dates.get(today.isoformat()), self.week[today.weekday()], minute):
            return True
        yesterday = today - timedelta(days=1)
        tail = self.dates.get(yesterday.isoformat())
        if tail is None:
            tail = () if today.isoformat() in self.dates else self.week[yesterday.weekday()]
        return _inside(tail, (), minute + DAY)

    def describe(self, day: date) -> Text:
        """The hours in words: those of `day` if it is exceptional, otherwise the weekly ones."""
        special = self.dates.get(day.isoformat())
        if special is None:
            return self.text
        spans = "、".join(_clock(span) for span in special)
        return Text(
            f"今日 {spans}" if special else "今日不开放",
            f"today {spans.replace('、', ', ')}" if special else "closed today",
        )


def holds(schedule: Schedule, at: datetime, zone: ZoneInfo) -> bool:
    """Whether `schedule` holds at the instant `at` (aware) at a site in `zone`."""
    return schedule.id == ALWAYS or Hours.of(schedule).hold(at.astimezone(zone))


def _span(since: str, until: str) -> Span:
    start, end = _minutes(since), _minutes(until)
    return (start, end + DAY) if end < start else (start, end)


def _minutes(clock: str) -> int:
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)


def _inside(special: tuple[Span, ...] | None, usual: tuple[Span, ...], minute: int) -> bool:
    return any(start <= minute < end for start, end in (usual if special is None else special))


def _clock(span: Span) -> str:
    start, end = span
    if end > DAY:
        end -= DAY
    return f"{start // 60:02}:{start % 60:02}–{end // 60:02}:{end % 60:02}"


def _describe(schedule: Schedule) -> Text:
    zh, en = [], []
    for window in schedule.windows:
        days, clock = _days(window.days), _clock(_span(window.since, window.until))
        zh.append(f"{days.zh} {clock}")
        en.append(f"{days.en} {clock}")
    return Text("；".join(zh) or "无开放时段", "; ".join(en) or "no hours")


def _days(days: Iterable[int]) -> Text:
    chosen = sorted(set(days))
    known = _DAY_NAMES.get(frozenset(chosen))
    if known is not None:
        return known
    run = len(chosen) > 2 and chosen[-1] - chosen[0] == len(chosen) - 1
    if run:
        return Text(
            f"周{_ZH_DAYS[chosen[0] - 1]}至周{_ZH_DAYS[chosen[-1] - 1]}",
            f"{_EN_DAYS[chosen[0] - 1]}–{_EN_DAYS[chosen[-1] - 1]}",
        )
    return Text(
        "周" + "、".join(_ZH_DAYS[day - 1] for day in chosen),
        ", ".join(_EN_DAYS[day - 1] for day in chosen),
    )

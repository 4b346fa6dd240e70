"""When a schedule holds: the week, midnight, exceptional dates, clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.desired import DayRule, Schedule, Window
from contract.texts import Text
from rules.access.schedules import Hours, holds

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
NAME = Text("x", "x")


def schedule(*windows: tuple[list[int], str, str], days: list[DayRule] | None = None, id: str = "s") -> Schedule:
    return Schedule(
        id=id, name=NAME, windows=[Window(days=d, since=s, until=u) for d, s, u in windows], days=days or []
    )


OFFICE = schedule(([1, 2, 3, 4, 5], "07:00", "22:00"))
NIGHT = schedule(([5], "22:00", "06:00"))
CLOSED_FRIDAY = schedule(([1, 2, 3, 4, 5], "07:00", "22:00"), days=[DayRule(day="2026-05-01")])
WORKING_SATURDAY = schedule(
    ([1, 2, 3, 4, 5], "07:00", "22:00"), days=[DayRule(day="2026-05-09", hours=[("09:00", "12:00")])]
)
NIGHTS = schedule(([1, 2, 3, 4, 5, 6, 7], "22:00", "06:00"), days=[DayRule(day="2026-05-01")])
PARTY = schedule(([5], "08:00", "12:00"), days=[DayRule(day="2026-05-02", hours=[("20:00", "02:00")])])
WHOLE = schedule(([1, 2, 3, 4, 5, 6, 7], "00:00", "24:00"))
NEVER = schedule(([1, 2, 3, 4, 5, 6, 7], "08:00", "08:00"))

CASES = [
    # 2026-05-04 is a Monday, 05-08 a Friday
    (OFFICE, "2026-05-04 07:00:00", True),
    (OFFICE, "2026-05-04 06:59:59", False),
    (OFFICE, "2026-05-04 21:59:59", True),
    (OFFICE, "2026-05-04 22:00:00", False),
    (OFFICE, "2026-05-09 12:00:00", False),
    (NIGHT, "2026-05-08 21:59:00", False),
    (NIGHT, "2026-05-08 22:00:00", True),
    (NIGHT, "2026-05-09 05:59:00", True),
    (NIGHT, "2026-05-09 06:00:00", False),
    (NIGHT, "2026-05-08 05:00:00", False),  # Thursday's night is not in it
    (CLOSED_FRIDAY, "2026-05-01 12:00:00", False),
    (CLOSED_FRIDAY, "2026-05-08 12:00:00", True),
    (WORKING_SATURDAY, "2026-05-09 10:00:00", True),
    (WORKING_SATURDAY, "2026-05-09 13:00:00", False),
    (WORKING_SATURDAY, "2026-05-16 10:00:00", False),
    (NIGHTS, "2026-04-30 23:00:00", True),
    (NIGHTS, "2026-05-01 03:00:00", False),  # closed is closed: the night before ends at midnight
    (NIGHTS, "2026-05-01 23:00:00", False),
    (NIGHTS, "2026-05-02 03:00:00", False),
    (NIGHTS, "2026-05-02 23:00:00", True),
    (PARTY, "2026-05-02 21:00:00", True),
    (PARTY, "2026-05-03 01:59:00", True),  # an exceptional evening runs out on the next date
    (PARTY, "2026-05-03 02:00:00", False),
    (WHOLE, "2026-05-04 00:00:00", True),
    (WHOLE, "2026-05-04 23:59:59", True),
    (NEVER, "2026-05-04 08:00:00", False),
    (schedule(id="always"), "2026-05-04 08:00:00", True),
    (schedule(), "2026-05-04 08:00:00", False),
]


@pytest.mark.parametrize(("what", "when", "expected"), CASES)
def test_a_case(what: Schedule, when: str, expected: bool) -> None:
    assert holds(what, datetime.fromisoformat(when).replace(tzinfo=SHANGHAI), SHANGHAI) is expected


def test_the_sites_time_zone_decides() -> None:
    instant = datetime(2026, 5, 4, 23, 30, tzinfo=UTC)  # Tuesday 07:30 in Shanghai
    assert holds(OFFICE, instant, SHANGHAI)
    assert not holds(OFFICE, instant, ZoneInfo("UTC"))


def test_an_hour_that_is_skipped_and_one_that_comes_twice() -> None:
    early = schedule(([7], "02:00", "03:00"))
    spring = datetime(2026, 3, 29, 0, 0, tzinfo=BERLIN).astimezone(UTC)
    autumn = datetime(2026, 10, 25, 0, 0, tzinfo=BERLIN).astimezone(UTC)
    minutes = range(6 * 60)
    assert sum(holds(early, spring + timedelta(minutes=m), BERLIN) for m in minutes) == 0
    assert sum(holds(early, autumn + timedelta(minutes=m), BERLIN) for m in minutes) == 120


DESCRIBED = [
    (OFFICE, "工作日 07:00–22:00", "weekdays 07:00–22:00"),
    (schedule(([6, 7], "09:00", "18:00")), "周末 09:00–18:00", "weekends 09:00–18:00"),
    (WHOLE, "每天 00:00–24:00", "every day 00:00–24:00"),
    (schedule(([1, 3], "08:00", "12:00")), "周一、三 08:00–12:00", "Mon, Wed 08:00–12:00"),
    (schedule(([2, 3, 4], "08:00", "12:00")), "周二至周四 08:00–12:00", "Tue–Thu 08:00–12:00"),
    (NIGHT, "周五 22:00–06:00", "Fri 22:00–06:00"),
    (
        schedule(([1], "08:00", "12:00"), ([1], "14:00", "18:00")),
        "周一 08:00–12:00；周一 14:00–18:00",
        "Mon 08:00–12:00; Mon 14:00–18:00",
    ),
    (schedule(), "无开放时段", "no hours"),
]


@pytest.mark.parametrize(("what", "zh", "en"), DESCRIBED)
def test_hours_in_words(what: Schedule, zh: str, en: str) -> None:
    monday = datetime(2026, 5, 4).date()
    assert Hours.of(what).describe(monday) == Text(zh, en)


def test_an_exceptional_day_speaks_for_itself() -> None:
    assert Hours.of(CLOSED_FRIDAY).describe(datetime(2026, 5, 1).date()) == Text("今日不开放", "closed today")
    assert Hours.of(WORKING_SATURDAY).describe(datetime(2026, 5, 9).date()).zh == "今日 09:00–12:00"


# --- What must hold for any schedule

minutes = st.integers(0, 1439).map(lambda m: f"{m // 60:02}:{m % 60:02}")
ends = minutes | st.just("24:00")
days = st.lists(st.integers(1, 7), min_size=1, max_size=7, unique=True)
windows = st.tuples(days, minutes, ends)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.sampled_from([SHANGHAI, BERLIN, UTC]))


@given(st.lists(windows, max_size=4), st.lists(windows, max_size=4), moments)
def test_the_union_of_windows_is_the_union_of_schedules(
    some: list[tuple[list[int], str, str]], more: list[tuple[list[int], str, str]], at: datetime
) -> None:
    together = holds(schedule(*some, *more), at, SHANGHAI)
    assert together == (holds(schedule(*some), at, SHANGHAI) or holds(schedule(*more), at, SHANGHAI))


@given(minutes, minutes, moments)
def test_hours_and_their_complement_share_the_day(since: str, until: str, at: datetime) -> None:
    every = [1, 2, 3, 4, 5, 6, 7]
    inside, outside = schedule((every, since, until)), schedule((every, until, since))
    if since == until:
        assert not holds(inside, at, SHANGHAI)
    else:
        assert holds(inside, at, SHANGHAI) != holds(outside, at, SHANGHAI)


@given(st.lists(windows, max_size=4), moments)
def test_a_closed_date_is_closed_from_midnight_to_midnight(
    some: list[tuple[list[int], str, str]], at: datetime
) -> None:
    date = at.astimezone(SHANGHAI).date().isoformat()
    assert not holds(schedule(*some, days=[DayRule(day=date)]), at, SHANGHAI)


@given(st.lists(windows, max_size=4), moments, st.sampled_from(["2026-13-45", "2026-02-30", "0000-00-00"]))
def test_a_date_that_never_comes_changes_nothing(
    some: list[tuple[list[int], str, str]], at: datetime, day: str
) -> None:
    assert holds(schedule(*some, days=[DayRule(day=day)]), at, SHANGHAI) == holds(schedule(*some), at, SHANGHAI)

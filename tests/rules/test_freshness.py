"""Whether a camera's read is of now: a table of days at a gate, and what no recorded read can do."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.access.freshness import AGREEING, FIRST_MS, CameraClock, Freshness, judge, of_zone, shifted, unmeasured

NOW = 1_795_000_000_000
TOLERANCE = 30_000
S, MIN, H, DAY, YEAR = 1_000, 60_000, 3_600_000, 86_400_000, 365 * 86_400_000


class Gate:
    """One camera's reads in their order."""

    def __init__(self, clock: CameraClock | None = None) -> None:
        self.clock = CameraClock() if clock is None else clock

    def read(self, at: int, lead: int, *, now_ok: bool = True, is_read: bool = True) -> Freshness:
        """What a read is that comes `at` ms after the beginning, stamped `lead` ms ahead of that."""
        now = NOW + at
        found = judge(self.clock, now + lead, now, TOLERANCE, now_ok=now_ok, is_read=is_read)
        self.clock = found.clock
        return found.freshness


Reads = list[tuple[int, int, Freshness]]
DAYS: dict[str, Reads] = {
    # name: (ms after the beginning, lead of the stamp, what it is)
    "a right clock": [(0, 0, "fresh"), (H, -2 * S, "fresh"), (DAY, -200, "fresh")],
    "three minutes fast": [(0, 3 * MIN, "fresh"), (H, 3 * MIN - S, "fresh")],
    "three minutes slow": [(0, -3 * MIN, "fresh"), (H, -3 * MIN - S, "fresh")],
    "stamped a year ago, first of all": [(0, -YEAR, "old"), (S, 0, "fresh"), (MIN, -YEAR, "old")],
    "stamped ten years ahead": [(0, 10 * YEAR, "ahead"), (S, 0, "fresh"), (MIN, 10 * YEAR, "ahead")],
    "sent again an hour later": [(0, 0, "fresh"), (H, -H, "old"), (2 * H, 0, "fresh")],
    "a queue that comes when the line is back": [
        (0, 0, "fresh"), (H, -50 * MIN, "late"), (H + 100, -40 * MIN, "late"), (H + 200, -MIN, "late"),
        (H + 300, -5 * S, "fresh"),
    ],
    "slow, then put right: at once": [(0, -3 * MIN, "fresh"), (H, 0, "fresh"), (2 * H, -S, "fresh")],
    "fast, then put right: with the third": [
        (0, 3 * MIN, "fresh"), (MIN, 0, "old"), (2 * MIN, -S, "old"), (3 * MIN, 0, "fresh"), (4 * MIN, 0, "fresh"),
    ],
    "hours fast, then put right": [
        (0, 8 * H, "ahead"), (MIN, 8 * H, "ahead"), (2 * MIN, 8 * H, "fresh"), (3 * MIN, 8 * H, "fresh"),
        (H, 0, "old"), (H + MIN, 0, "old"), (H + 2 * MIN, 0, "fresh"),
    ],
    "of another zone from the start": [
        (0, -8 * H, "old"), (MIN, -8 * H - S, "old"), (2 * MIN, -8 * H, "fresh"), (DAY, -8 * H, "fresh"),
    ],
    "without a battery: 2000 after a power cut, then set": [
        (0, 0, "fresh"), (H, -26 * YEAR, "old"), (H + MIN, -26 * YEAR, "old"), (H + 2 * MIN, -26 * YEAR, "fresh"),
        (DAY, -26 * YEAR, "fresh"), (DAY + MIN, 0, "fresh"),
    ],
    "… once more": [
        (0, -26 * YEAR, "old"), (MIN, -26 * YEAR, "old"), (2 * MIN, -26 * YEAR, "fresh"),
        (DAY, -26 * YEAR - DAY, "old"), (DAY + MIN, -26 * YEAR - DAY, "old"),
        (DAY + 2 * MIN, -26 * YEAR - DAY, "fresh"),
    ],
    "many at once settle nothing": [(n * S, -YEAR, "old") for n in range(9)],
    "three recorded ones, played as they came, between live ones": [
        (0, 0, "fresh"), (MIN, -YEAR, "old"), (2 * MIN, -YEAR, "old"), (2 * MIN + S, 0, "fresh"),
        (3 * MIN, -YEAR, "old"), (4 * MIN, -YEAR, "old"),
    ],
    "recorded here, played as they came, in the night": [
        (0, 0, "fresh"), (MIN, 0, "fresh"), (2 * MIN, 0, "fresh"), (3 * MIN, 0, "fresh"), (4 * MIN, 0, "fresh"),
        *((DAY + n * MIN, -DAY, "old") for n in range(5)),
        (DAY + 9 * MIN, 0, "fresh"),
    ],
    "recorded before the first that it told, played as they came": [
        (0, 0, "fresh"), (H, 0, "fresh"), *((DAY + n * MIN, -30 * DAY, "old") for n in range(5)),
        (DAY + 9 * MIN, 0, "fresh"),
    ],
    "recorded, played to a gateway that never heard the camera": [
        *((n * MIN, -30 * DAY, "old") for n in range(5)), (9 * MIN, 0, "fresh"),
    ],
    "recorded, while its clock has lost the time": [
        (0, -26 * YEAR, "old"), (MIN, -26 * YEAR, "old"), (2 * MIN, -26 * YEAR, "fresh"),
        *((H + n * MIN, -30 * DAY, "ahead") for n in range(5)),
    ],
    "half a day fast, then put right by hand": [
        (0, 12 * H, "ahead"), (MIN, 12 * H, "ahead"), (2 * MIN, 12 * H, "fresh"),
        (H, -45 * S, "old"), (H + MIN, -45 * S, "old"), (H + 2 * MIN, -45 * S, "fresh"), (2 * H, -45 * S, "fresh"),
    ],
    "recorded minutes ago, played as they came": [
        *((n * MIN, 0, "fresh") for n in range(8)), *((8 * MIN + n * MIN, -8 * MIN, "old") for n in range(5)),
    ],
    "fallen to a date of these years: when it is set by hand": [
        (0, 0, "fresh"), *((H + n * MIN, -YEAR, "old") for n in range(5)), (2 * H, 0, "fresh"),
    ],
    "put back by an hour: when it is past what it told": [
        (-5 * H, 0, "fresh"), (0, 0, "fresh"), (10 * MIN, -H, "old"), (20 * MIN, -H, "old"), (30 * MIN, -H, "old"),
        (40 * MIN, -H, "old"), (61 * MIN, -H, "fresh"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("reads", DAYS.values(), ids=DAYS)
def test_a_day_at_the_gate(reads: Reads) -> None:
    gate = Gate()
    assert [gate.read(at, lead) for at, lead, _ in reads] == [what for _, _, what in reads]


def test_while_the_gateway_does_not_know_the_time_a_measured_camera_is_judged_by_itself() -> None:
    gate = Gate()
    assert gate.read(0, 3 * MIN) == "fresh"
    assert gate.read(MIN, 3 * MIN, now_ok=False) == "fresh"
    assert gate.read(2 * MIN, 0, now_ok=False) == "old"
    # After a start nothing is known of how late it is: three reads say it.
    gate.clock = unmeasured(gate.clock)
    assert [gate.read(n * MIN, 9 * DAY, now_ok=False) for n in (3, 4, 5)] == ["ahead", "ahead", "fresh"]


def test_the_gateways_own_time_is_put_right_and_no_camera_is_wrong_for_it() -> None:
    gate = Gate()
    assert gate.read(0, H // 10) == "fresh"
    gate.clock = shifted(gate.clock, H)
    assert gate.read(H + MIN, H // 10 - H) == "fresh"
    # In the middle of a trial too.
    gate = Gate()
    assert [gate.read(0, -8 * H), gate.read(MIN, -8 * H)] == ["old", "old"]
    gate.clock = shifted(gate.clock, H)
    assert gate.read(H + 2 * MIN, -9 * H) == "fresh"


def test_signs_of_life_settle_where_a_clock_stands_before_the_first_car() -> None:
    gate = Gate()
    for beat in range(AGREEING):
        gate.read(beat * 20 * S, 8 * H, is_read=False)
    assert gate.read(2 * MIN, 8 * H) == "fresh"
    # They are no reads: what a queue brings after them is late, not recorded.
    gate.read(H, 8 * H, is_read=False)
    assert gate.read(H + S, 8 * H - 10 * MIN) == "late"


def test_a_camera_that_was_never_measured_may_be_some_minutes_off() -> None:
    assert Gate().read(0, FIRST_MS) == Gate().read(0, -FIRST_MS) == "fresh"
    assert (Gate().read(0, FIRST_MS + 1), Gate().read(0, -FIRST_MS - 1)) == ("ahead", "old")


@pytest.mark.parametrize(
    ("local", "zone", "now", "utc"),
    [
        ("2026-11-18T18:49:59.250", "Asia/Shanghai", "2026-11-18T10:50:00", "2026-11-18T10:49:59.250"),
        ("2026-10-25T02:30:00", "Europe/Berlin", "2026-10-25T00:30:05", "2026-10-25T00:30:00"),
        ("2026-10-25T02:30:00", "Europe/Berlin", "2026-10-25T01:30:05", "2026-10-25T01:30:00"),
        ("2026-03-29T02:30:00", "Europe/Berlin", "2026-03-29T01:30:05", "2026-03-29T01:30:00"),
    ],
)
def test_a_time_without_its_zone_is_the_sites(local: str, zone: str, now: str, utc: str) -> None:
    found = of_zone(_ms(local), ZoneInfo(zone), _ms(now))
    assert found == _ms(utc)


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(f"{text}+00:00").timestamp() * 1000)


errors = st.integers(-FIRST_MS + 20 * S, FIRST_MS)
gaps = st.lists(st.tuples(st.integers(S, 4 * H), st.integers(0, 20 * S)), min_size=1, max_size=12)


@given(errors, gaps)
def test_an_honest_camera_is_never_doubted(error: int, reads: list[tuple[int, int]]) -> None:
    gate, at = Gate(), 0
    for gap, delay in reads:
        at += gap
        assert gate.read(at + delay, error - delay) == "fresh"


@given(errors, gaps, st.data())
def test_no_recorded_read_is_of_now(error: int, reads: list[tuple[int, int]], data: st.DataObject) -> None:
    """Whoever plays what an honest camera sent, once more, in any order and at any time, and however often."""
    gate, at = Gate(), 0
    sent: list[int] = []
    for gap, delay in reads:
        at += gap
        assert gate.read(at + delay, error - delay) == "fresh"
        sent.append(at + error)
        at += delay
        for _ in range(data.draw(st.integers(0, 5))):
            at += data.draw(st.integers(0, 2 * H))
            stamp = data.draw(st.sampled_from(sent))
            age = at + error - stamp
            # Delays of the measured reads, and what the clock may have run wrong meanwhile.
            if gate.read(at, stamp - at) == "fresh":
                assert age <= TOLERANCE + 20 * S + at // 1000


@given(st.integers(-20 * YEAR, 10 * YEAR), st.integers(0, 8))
def test_a_clock_that_was_set_right_is_believed_with_the_third_read_at_the_latest(was: int, before: int) -> None:
    gate = Gate()
    for n in range(before):
        gate.read(n * MIN, was)
    found = [gate.read(H + n * MIN, 0) for n in range(AGREEING)]
    assert found[-1] == "fresh"

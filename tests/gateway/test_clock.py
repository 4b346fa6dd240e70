from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import (
    LEAP_MS,
    MEASURED,
    OFF_MS,
    PLAUSIBLE_FROM_MS,
    PLAUSIBLE_UNTIL_MS,
    SET_AFTER_S,
    SETTLED_S,
    TOLERATED_STEP_MS,
    WRONG_MS,
    Clock,
    Corrected,
    Doubted,
    Measured,
    Trusted,
    Turn,
)
from gateway.hubtime import HubWord
from tests.gateway.disks import NOW_MS, Hands

IN_2099 = 4_080_000_000_000
HOUR_MS, DAY_MS = 3_600_000, 86_400_000


def clock_of(hands: Hands) -> Clock:
    return Clock(hands.machine, hands.monotonic)


def test_follows_a_sane_machine() -> None:
    hands = Hands()
    clock = clock_of(hands)
    clock.start_after(NOW_MS - 5_000)
    assert clock.wall_ms() == NOW_MS
    hands.pass_s(1.5)
    assert clock.wall_ms() == NOW_MS + 1_500
    assert clock.state == "ok"
    assert clock.monotonic() == 101.5


def test_1970_goes_on_from_the_last_record_and_is_doubtful() -> None:
    hands = Hands(wall=3_000)
    clock = clock_of(hands)
    clock.start_after(NOW_MS)
    assert clock.doubt == Doubted(last_known_ms=NOW_MS, wall_ms=3_000)
    assert clock.state == "doubtful"
    hands.pass_s(10)
    assert clock.wall_ms() == NOW_MS + 10_000


def test_trusted_again_once_the_machine_overtakes() -> None:
    hands = Hands(wall=3_000)
    clock = clock_of(hands)
    heard: list[Turn] = []
    clock.start_after(NOW_MS)
    clock.watch(heard.append)
    hands.pass_s(60)
    clock.wall_ms()
    hands.wall = NOW_MS + 59_999
    assert clock.wall_ms() == NOW_MS + 60_000
    assert clock.state == "doubtful"
    hands.wall = NOW_MS + 3_600_000
    assert clock.wall_ms() == NOW_MS + 3_600_000
    assert clock.doubt is None
    assert heard == [Trusted(NOW_MS + 3_600_000)]


def test_a_new_gateway_in_1970_does_not_record_1970() -> None:
    hands = Hands(wall=3_000)
    clock = clock_of(hands)
    clock.start_after(0)
    assert clock.wall_ms() == PLAUSIBLE_FROM_MS
    assert clock.state == "doubtful"


def test_the_far_future_is_not_believed() -> None:
    hands = Hands()
    clock = clock_of(hands)
    clock.start_after(NOW_MS)
    hands.wall = PLAUSIBLE_UNTIL_MS
    assert clock.wall_ms() == NOW_MS
    assert clock.state == "doubtful"


def test_a_small_step_back_is_waited_out() -> None:
    hands = Hands()
    clock = clock_of(hands)
    clock.start_after(0)
    clock.wall_ms()
    hands.wall -= TOLERATED_STEP_MS
    assert clock.wall_ms() == NOW_MS
    assert clock.state == "ok"
    hands.pass_s(3)
    assert clock.wall_ms() == NOW_MS - TOLERATED_STEP_MS + 3_000


def test_a_large_step_back_while_running_is_a_doubt_that_watchers_hear() -> None:
    hands = Hands()
    clock = clock_of(hands)
    heard: list[Turn] = []
    clock.watch(heard.append)
    clock.wall_ms()
    hands.wall -= 3_600_000
    assert clock.wall_ms() == NOW_MS
    assert heard == [Doubted(NOW_MS, NOW_MS - 3_600_000)]
    assert clock.machine_ms() == NOW_MS - 3_600_000


@pytest.mark.parametrize(
    "walls", [[NOW_MS, 0, NOW_MS - 1, NOW_MS + 1, 5, PLAUSIBLE_UNTIL_MS + 1, NOW_MS + 3, NOW_MS - 10_000]]
)
def test_never_goes_back(walls: list[int]) -> None:
    hands = Hands()
    clock = clock_of(hands)
    told = []
    for wall in walls:
        hands.wall = wall
        hands.steady += 0.001
        told.append(clock.wall_ms())
    assert told == sorted(told)


# --- Leaps of a machine that nobody vouches for


class Leap(NamedTuple):
    """A machine's clock that leaps by `by_ms`, runs on for `after_s`, and what is told then: `followed` or not."""

    name: str
    by_ms: int
    after_s: float
    followed: bool


LEAPS = [
    Leap("forward a little", LEAP_MS - 1_000, 1, True),
    Leap("forward", LEAP_MS + 1_000, 1, False),
    Leap("forward an hour, and stays", HOUR_MS, SET_AFTER_S + 1, True),
    Leap("forward an hour, not for long enough", HOUR_MS, SET_AFTER_S - 1, False),
    Leap("forward a day, and stays", DAY_MS + 1_000, SET_AFTER_S + 1, False),
    Leap("to 2099, and stays", IN_2099 - NOW_MS, DAY_MS / 1000, False),
    Leap("back an hour", -HOUR_MS, 1, False),
    Leap("back an hour, and stays", -HOUR_MS, SET_AFTER_S + 1, True),
    Leap("back to 1970, and stays", -NOW_MS, SET_AFTER_S + 1, False),
]


@pytest.mark.parametrize("leap", LEAPS, ids=[leap.name for leap in LEAPS])
def test_a_leap_while_running(leap: Leap) -> None:
    hands = Hands()
    clock = clock_of(hands)
    clock.wall_ms()
    hands.wall += leap.by_ms
    clock.wall_ms()
    for _ in range(10):
        hands.pass_s(leap.after_s / 10)
        clock.wall_ms()
    steady_ms = NOW_MS + round(leap.after_s * 1000)
    assert clock.wall_ms() == (steady_ms + leap.by_ms if leap.followed else steady_ms)
    assert (clock.doubt is None) is leap.followed


def test_a_machine_that_comes_back_is_trusted_at_once() -> None:
    hands = Hands()
    clock = clock_of(hands)
    clock.wall_ms()
    hands.wall = IN_2099
    clock.wall_ms()
    hands.steady += 30
    assert clock.wall_ms() == NOW_MS + 30_000
    assert clock.doubt is not None
    hands.wall = NOW_MS + 29_500
    assert (clock.wall_ms(), clock.state) == (NOW_MS + 30_000, "ok")


def test_a_machine_that_jumps_about_is_never_taken_for_one_that_was_set() -> None:
    hands = Hands()
    clock = clock_of(hands)
    clock.wall_ms()
    for turn in range(100):
        hands.steady += 60
        hands.wall = NOW_MS + round((hands.steady - 100) * 1000) + (HOUR_MS if turn % 2 else 2 * HOUR_MS)
        clock.wall_ms()
    assert clock.wall_ms() == NOW_MS + 6_000_000
    assert clock.state == "doubtful"


@pytest.mark.parametrize(("off_ms", "believed"), [(0, True), (30 * DAY_MS, True), (OFF_MS + DAY_MS, False)])
def test_how_long_a_gateway_can_have_been_off(off_ms: int, believed: bool) -> None:
    clock = clock_of(Hands(wall=NOW_MS + off_ms))
    clock.start_after(NOW_MS)
    assert clock.wall_ms() == (NOW_MS + off_ms if believed else NOW_MS)
    assert (clock.state == "ok") is believed


# --- The hub's word


def word_of(hands: Hands, hub_ms: int, within_ms: int = 50, answers: int = 8) -> HubWord:
    return HubWord(hub_ms, hands.steady, within_ms, answers)


def test_the_hub_takes_back_a_poisoned_record_and_time_goes_on_from_there() -> None:
    hands = Hands()
    clock = clock_of(hands)
    heard: list[Turn] = []
    clock.start_after(IN_2099)
    clock.watch(heard.append)
    assert (clock.wall_ms(), clock.state) == (IN_2099, "doubtful")
    clock.heard_hub(word_of(hands, NOW_MS + 40))
    assert (clock.wall_ms(), clock.state) == (NOW_MS, "ok")
    assert heard == [Corrected(IN_2099, NOW_MS), Trusted(NOW_MS), Measured(-40, wrong=False)]
    hands.wall = NOW_MS - 1_000
    assert clock.wall_ms() == NOW_MS


def test_the_hub_ends_the_doubt_of_1970_with_its_first_answer() -> None:
    hands = Hands(wall=3_000)
    clock = clock_of(hands)
    clock.start_after(NOW_MS - DAY_MS)
    clock.heard_hub(word_of(hands, NOW_MS, answers=1))
    hands.pass_s(60)
    assert (clock.wall_ms(), clock.state) == (NOW_MS + 60_000, "ok")
    assert clock.error_ms() == 3_000 - NOW_MS


def test_once_the_hub_has_told_its_time_a_machine_in_2099_is_no_doubt() -> None:
    hands = Hands()
    clock = clock_of(hands)
    clock.heard_hub(word_of(hands, NOW_MS))
    hands.wall = IN_2099
    hands.steady += 30
    assert (clock.wall_ms(), clock.state) == (NOW_MS + 30_000, "ok")
    hands.wall = NOW_MS + 31_000
    hands.steady += 1
    assert clock.wall_ms() == NOW_MS + 31_000


@pytest.mark.parametrize("hub_ms", [0, PLAUSIBLE_FROM_MS - 1, PLAUSIBLE_UNTIL_MS])
def test_a_hub_that_cannot_be_right_is_only_what_its_commands_are_stamped_with(hub_ms: int) -> None:
    hands = Hands()
    clock = clock_of(hands)
    clock.heard_hub(word_of(hands, hub_ms))
    assert (clock.wall_ms(), clock.hub_ms()) == (NOW_MS, hub_ms)


def test_how_wrong_the_machine_is_by_several_answers_and_with_hysteresis() -> None:
    hands = Hands()
    clock = clock_of(hands)
    heard: list[Turn] = []
    clock.watch(heard.append)

    def measured(error_ms: int, within_ms: int = 0, answers: int = 3) -> list[Turn]:
        hands.pass_s(10)
        clock.heard_hub(word_of(hands, hands.wall - error_ms, within_ms, answers))
        found = [turn for turn in heard if isinstance(turn, Measured)]
        heard.clear()
        return list(found)

    assert measured(90_000, answers=2) == []
    assert measured(WRONG_MS + 4_000, within_ms=5_000) == [Measured(9_000, wrong=False)]
    assert measured(90_000) == [Measured(90_000, wrong=True)]
    assert measured(3_000) == []
    assert measured(-1_900) == [Measured(-1_900, wrong=False)]
    assert measured(-4_900) == []
    assert measured(-5_100) == [Measured(-5_100, wrong=True)]


def test_nothing_is_forgotten_before_time_is_settled() -> None:
    hands = Hands()
    clock = clock_of(hands)
    assert clock.forget_before(DAY_MS) == 0
    hands.pass_s(SETTLED_S)
    assert clock.forget_before(DAY_MS) == NOW_MS + HOUR_MS - DAY_MS
    hands.wall = IN_2099
    assert clock.forget_before(DAY_MS) == 0
    clock.heard_hub(word_of(hands, IN_2099))
    hands.pass_s(SETTLED_S - 1)
    assert clock.forget_before(DAY_MS) == 0


MACHINES = st.one_of(
    st.integers(0, PLAUSIBLE_UNTIL_MS + DAY_MS),
    st.integers(NOW_MS - 400 * DAY_MS, NOW_MS + 800 * DAY_MS),
    st.integers(NOW_MS - 10_000, NOW_MS + 10_000),
)
STEPS = st.lists(st.tuples(st.one_of(st.none(), MACHINES), st.floats(0, 7200), st.booleans()), max_size=40)


@given(recorded=st.one_of(st.just(0), MACHINES), steps=STEPS)
def test_whatever_the_machine_does(recorded: int, steps: list[tuple[int | None, float, bool]]) -> None:
    """Told time goes back by a told correction only; from the hub's first word on its error is bounded."""
    hands = Hands()
    clock = clock_of(hands)
    heard: list[Turn] = []
    clock.watch(heard.append)
    clock.start_after(recorded)
    last, hub_told = clock.wall_ms(), False
    for machine, seconds, hub_speaks in steps:
        hands.pass_s(seconds)
        if machine is not None:
            hands.wall = machine
        truth = NOW_MS + round((hands.steady - 100) * 1000)
        heard.clear()
        if hub_speaks:
            clock.heard_hub(word_of(hands, truth))
            hub_told = True
        told = clock.wall_ms()
        if told < last:
            corrections = [turn for turn in heard if isinstance(turn, Corrected)]
            assert corrections
            assert told >= corrections[-1].to_ms
        if hub_told:
            drift_ms = (hands.steady - 100) * 1000 / 10_000
            assert abs(told - truth) <= WRONG_MS + TOLERATED_STEP_MS + 51 + drift_ms
            assert clock.state == "ok"
        last = told


def test_the_first_word_of_a_hub_alone_leads_away_from_no_machine_that_goes_on_from_the_record() -> None:
    hands = Hands()
    clock = clock_of(hands)
    clock.start_after(NOW_MS - 5_000)
    clock.heard_hub(word_of(hands, IN_2099, answers=1))
    assert clock.wall_ms() == NOW_MS
    clock.heard_hub(word_of(hands, NOW_MS + HOUR_MS, answers=MEASURED))
    assert clock.wall_ms() == NOW_MS + HOUR_MS

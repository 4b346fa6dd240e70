from __future__ import annotations

import pytest

from gateway.clock import PLAUSIBLE_FROM_MS, PLAUSIBLE_UNTIL_MS, TOLERATED_STEP_MS, Clock, Doubt
from tests.gateway.disks import NOW_MS, Hands


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
    assert clock.doubt == Doubt(last_known_ms=NOW_MS, wall_ms=3_000)
    assert clock.state == "doubtful"
    hands.pass_s(10)
    assert clock.wall_ms() == NOW_MS + 10_000


def test_trusted_again_once_the_machine_overtakes() -> None:
    hands = Hands(wall=3_000)
    clock = clock_of(hands)
    heard: list[Doubt | None] = []
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
    assert heard == [None]


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
    heard: list[Doubt | None] = []
    clock.watch(heard.append)
    clock.wall_ms()
    hands.wall -= 3_600_000
    assert clock.wall_ms() == NOW_MS
    assert heard == [Doubt(NOW_MS, NOW_MS - 3_600_000)]
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

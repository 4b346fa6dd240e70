"""From how many wrong PINs on nobody may go on, and for how long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.access.attempts import FORGIVEN_S, REFUSED_LIMIT_S, REFUSED_S, Guesses, after_wrong


def tried(*at: float, guesses: Guesses | None = None) -> Guesses:
    """Wrong PINs at these moments."""
    found = Guesses() if guesses is None else guesses
    for now in at:
        found = after_wrong(found, now)
    return found


@pytest.mark.parametrize(
    ("at", "refused"),
    [
        ((0, 1, 2, 3), False),
        ((0, 1, 2, 3, 4), True),
        ((0, 10, 20, 30, 59.9), True),
        ((0, 10, 20, 30, 60), False),
        (tuple(range(0, 19 * 180, 180)), False),
        (tuple(range(0, 20 * 180, 180)), True),
        (tuple(range(0, 20 * 190, 190)), False),
    ],
)
def test_how_many_are_too_many(at: tuple[float, ...], refused: bool) -> None:
    assert tried(*at).refused(at[-1]) is refused


def test_for_how_long() -> None:
    guesses = tried(0, 1, 2, 3, 4)
    assert guesses.refused(4 + REFUSED_S - 0.1)
    assert not guesses.refused(4 + REFUSED_S)


def test_a_trial_while_none_is_taken_makes_it_no_longer() -> None:
    guesses = tried(0, 1, 2, 3, 4)
    assert tried(5, 6, 7, 8, 9, guesses=guesses) == guesses


def test_each_time_twice_as_long_until_it_is_forgiven() -> None:
    guesses, now, lasted = Guesses(), 0.0, []
    for _ in range(6):
        guesses = tried(*(now + each for each in range(5)), guesses=guesses)
        lasted.append(guesses.refused_until - now - 4)
        now = guesses.refused_until
    assert lasted == [60, 120, 240, 480, 960, REFUSED_LIMIT_S]
    now += FORGIVEN_S
    guesses = tried(*(now + each for each in range(5)), guesses=guesses)
    assert guesses.refused_until == now + 4 + REFUSED_S


@given(st.lists(st.floats(0.5, 4000), min_size=1, max_size=300))
def test_nobody_tries_more_than_a_few_hundred_a_day(pauses: list[float]) -> None:
    guesses, now, taken = Guesses(), 0.0, []
    for pause in pauses:
        now += pause
        if not guesses.refused(now):
            taken.append(now)
        guesses = after_wrong(guesses, now)
    for since in taken:
        assert sum(since <= at < since + 60 for at in taken) <= 5
        assert sum(since <= at < since + 3600 for at in taken) <= 40

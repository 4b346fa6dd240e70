"""How failures make a key wait."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from web.session.throttle import Allowance, Throttle


def throttle(keys: int = 10) -> Throttle:
    return Throttle(Allowance(free=3, first_wait_s=10, longest_wait_s=60), forget_s=900, keys=keys)


def test_the_wait_doubles_up_to_its_limit() -> None:
    found, waits, now = throttle(), [], 0.0
    for _ in range(8):
        found.begin("a", now)
        waits.append(found.wait_s("a", now))
        now += waits[-1]
    assert waits == [0, 0, 10, 20, 40, 60, 60, 60]


def test_success_forgives_one_failure_or_all() -> None:
    found = throttle()
    for _ in range(3):
        found.begin("a", 0)
    found.forgive("a", everything=False)
    assert found.wait_s("a", 0) == 0
    found.begin("a", 0)
    assert found.wait_s("a", 0) == 10
    found.forgive("a", everything=True)
    found.begin("a", 0)
    assert found.wait_s("a", 0) == 0


def test_quiet_is_forgotten() -> None:
    found = throttle()
    for _ in range(3):
        found.begin("a", 0)
    assert found.wait_s("a", 901) == 0
    found.begin("a", 901)
    assert found.wait_s("a", 901) == 0


@given(st.lists(st.sampled_from("abcdefgh"), max_size=200))
def test_no_more_keys_are_held_than_allowed(names: list[str]) -> None:
    found = throttle(keys=4)
    for now, name in enumerate(names):
        found.begin(name, now)
    assert len(found._records) <= 4

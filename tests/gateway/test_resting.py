"""Long work in bits: rests come by the work that was done."""

from __future__ import annotations

import time

from gateway.resting import BIT_S, REST_AT_MOST_S, RESTS, in_bits


def work(seconds: float) -> None:
    """So much of this thread's processor time goes by."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def test_a_rest_follows_a_bit_of_work_and_is_so_many_times_as_long() -> None:
    rests: list[float] = []
    for _ in in_bits(range(3), rest=rests.append):
        work(BIT_S * 1.1)
    assert len(rests) == 3
    assert all(BIT_S * RESTS <= rest <= REST_AT_MOST_S for rest in rests)


def test_a_rest_is_never_long_however_long_a_thing_took() -> None:
    rests: list[float] = []
    for _ in in_bits(range(1), rest=rests.append):
        work(REST_AT_MOST_S)
    assert rests == [REST_AT_MOST_S]


def test_a_few_things_need_no_rest() -> None:
    rests: list[float] = []
    assert list(in_bits(range(20), rest=rests.append)) == list(range(20))
    assert rests == []

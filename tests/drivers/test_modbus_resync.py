"""Late answers on a line without transaction numbers: what is asked, and what an answer proves."""

from __future__ import annotations

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.frames import body_size
from drivers.modbus.plan import Block, Span
from drivers.modbus.resync import FORGOTTEN_S, Ask, Unanswered


def block(size: int, start: int = 0, fc: int = 3) -> Block:
    return Block(
        fc, start, size, "normal", tuple(Span(f"{start + at}", fc, start + at, 1, "normal") for at in range(size))
    )


def test_a_unit_in_doubt_is_asked_for_another_length() -> None:
    unit, wanted, other = Unanswered(0.5), block(4), block(2, 10)
    first = unit.next(wanted, [wanted, other], 0.0)
    assert first == Ask(3, 0, 4, wanted)
    unit.missed(first, 0.0)
    second = unit.next(wanted, [wanted, other], 1.0)
    assert second == Ask(3, 10, 2, other)
    unit.missed(second, 1.0)
    third = unit.next(wanted, [wanted, other], 2.0)
    assert third is not None
    assert third.whole is None
    assert third.size in {1, 3}
    unit.settled()
    assert unit.next(wanted, [wanted, other], 3.0) == first


def test_bits_that_fit_in_one_byte_look_alike() -> None:
    unit, wanted = Unanswered(0.5), block(8, fc=2)
    first = unit.next(wanted, [wanted], 0.0)
    assert first is not None
    unit.missed(first, 0.0)
    assert unit.next(wanted, [wanted], 0.4) is None
    assert unit.next(wanted, [wanted], 0.5) == first


def test_a_unit_with_one_register_is_left_alone_for_its_latency() -> None:
    unit, wanted = Unanswered(0.5), block(1)
    first = unit.next(wanted, [wanted], 0.0)
    assert first is not None
    unit.missed(first, 0.0)
    assert unit.next(wanted, [wanted], 0.49) is None
    # It came after 0.8 s: from now on this unit is known to take that long, and more.
    assert unit.late(3, 2, 0.8) == 0.8
    assert not unit.in_doubt(0.8)
    unit.missed(first, 2.0)
    assert unit.next(wanted, [wanted], 3.1) is None
    assert unit.next(wanted, [wanted], 3.2) == first


def test_a_late_answer_settles_what_was_asked_before_it() -> None:
    unit = Unanswered(0.5)
    for size, at in ((4, 0.0), (2, 1.0), (3, 2.0)):
        unit.missed(Ask(3, 0, size, None), at)
    assert unit.late(3, 4, 2.5) == 1.5
    assert not unit.can_tell(Ask(3, 0, 3, None), 2.5)
    assert unit.can_tell(Ask(3, 0, 4, None), 2.5)
    assert unit.late(4, 8, 2.5) is None


def test_the_same_question_twice_may_be_answered_twice() -> None:
    unit = Unanswered(0.5)
    unit.missed(Ask(3, 0, 1, None), 0.0)
    unit.missed(Ask(3, 0, 1, None), 1.0)
    assert unit.late(3, 2, 1.2) == 1.2
    assert unit.in_doubt(1.2)


def test_no_unit_answers_after_a_minute() -> None:
    unit = Unanswered(0.5)
    unit.missed(Ask(3, 0, 1, None), 0.0)
    assert unit.in_doubt(FORGOTTEN_S - 1)
    assert not unit.in_doubt(FORGOTTEN_S)


@given(st.lists(st.floats(0.0, 2.5), min_size=1, max_size=40))
def test_no_answer_is_ever_taken_for_another(delays: list[float]) -> None:
    """A unit that answers in order, each time after any delay: an accepted answer is always this question's."""
    blocks = [block(5), block(3, 100)]
    unit = Unanswered(0.5)
    now, free_at, timeout = 0.0, 0.0, 0.3
    coming: deque[tuple[float, Ask]] = deque()
    accepted = 0
    for number, delay in enumerate(delays):
        while coming and coming[0][0] <= now:
            at, old = coming.popleft()
            unit.late(old.fc, body_size(old.fc, old.size), at)
        ask = unit.next(blocks[number % 2], blocks, now)
        if ask is None:
            now = unit.clear_at()
            continue
        asked_at = now
        free_at = max(free_at, now) + delay
        coming.append((free_at, ask))
        answer: Ask | None = None
        while coming and coming[0][0] <= asked_at + timeout and answer is None:
            at, old = coming.popleft()
            if old.shape == ask.shape:
                answer, now = old, at
            else:
                unit.late(old.fc, body_size(old.fc, old.size), at)
        if answer is None:
            now = asked_at + timeout + 1.0
            unit.missed(ask, asked_at)
        else:
            assert answer is ask
            unit.settled()
            accepted += 1
            now += 0.01
    if max(delays) < timeout:
        assert accepted == len(delays)

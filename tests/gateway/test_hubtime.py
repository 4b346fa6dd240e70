"""What the hub's answers tell of its time, and how exactly."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from contract.acks import Ack
from contract.instants import instant
from gateway.hubtime import OPEN_LIMIT, RIVALS, HubTime, HubWord
from tests.gateway.disks import NOW_MS

STREAM = "a" * 32


def ack(seq: int, at_ms: int) -> Ack:
    return Ack(stream=STREAM, state="committed", seq=seq, at=instant(at_ms))


def answered(hub: HubTime, seq: int, sent_at: float, took_s: float, hub_ms: int) -> HubWord:
    """The hub's time after an answer of a hub whose clock says `hub_ms` in the middle of the way."""
    hub.sent(STREAM, seq, sent_at)
    found = hub.answered(ack(seq, hub_ms), sent_at + took_s)
    assert found is not None
    return found


def test_half_the_way_is_what_may_be_wrong() -> None:
    word = answered(HubTime(), 1, 100.0, 0.5, NOW_MS)
    assert word == HubWord(NOW_MS + 250, 100.5, 250)
    assert word.now_ms(101.5) == NOW_MS + 1250
    assert word.within(100.5 + 3600) == 250 + 360


def test_a_quick_answer_among_slow_ones_counts() -> None:
    hub = HubTime()
    answered(hub, 1, 100.0, 20.0, NOW_MS + 3_000)
    quick = answered(hub, 2, 130.0, 0.2, NOW_MS + 30_100)
    slow = answered(hub, 3, 140.0, 20.0, NOW_MS + 55_000)
    assert abs(quick.now_ms(160.0) - NOW_MS - 60_000) <= quick.within(160.0)
    assert (slow.now_ms(160.0), slow.answers) == (quick.now_ms(160.0), 3)


def test_what_was_not_sent_says_nothing() -> None:
    hub = HubTime()
    assert hub.answered(ack(1, NOW_MS), 100.0) is None
    hub.sent(STREAM, 1, 100.0)
    assert hub.answered(Ack(stream=STREAM, state="committed", seq=1, at="2026-02-31T00:00:00.000Z"), 101.0) is None


def test_a_resent_batch_counts_from_its_first_sending() -> None:
    hub = HubTime()
    hub.sent(STREAM, 1, 100.0)
    word = answered(hub, 1, 110.0, 0.1, NOW_MS)
    assert word.within_ms == 5_050


def test_what_is_never_answered_is_forgotten() -> None:
    hub = HubTime()
    for seq in range(OPEN_LIMIT + 1):
        hub.sent(STREAM, seq, 100.0)
    assert hub.answered(ack(0, NOW_MS), 101.0) is None
    assert hub.answered(ack(1, NOW_MS), 101.0) is not None


def test_one_bad_answer_changes_nothing_and_a_hub_that_was_set_is_followed() -> None:
    hub = HubTime()
    answered(hub, 1, 100.0, 0.1, NOW_MS)
    bad = answered(hub, 2, 101.0, 0.1, NOW_MS + 10**12)
    assert abs(bad.now_ms(101.0) - NOW_MS - 1_000) <= 100
    back = answered(hub, 3, 102.0, 0.1, NOW_MS + 2_000)
    assert back.answers == 2
    for seq in range(4, 4 + RIVALS):
        word = answered(hub, seq, 100.0 + seq, 0.1, NOW_MS + 3_600_000 + seq * 1_000)
    assert abs(word.now_ms(100.0) - NOW_MS - 3_600_000) <= 200


@given(st.lists(st.tuples(st.floats(0, 60), st.floats(0, 30), st.floats(0, 1)), min_size=1, max_size=30))
def test_the_truth_is_always_within(answers: list[tuple[float, float, float]]) -> None:
    """Wherever on the way the hub looked at its clock."""
    hub, now = HubTime(), 100.0
    for seq, (pause_s, took_s, where) in enumerate(answers):
        now += pause_s
        hub.sent(STREAM, seq, now)
        at_ms = NOW_MS + round((now + took_s * where) * 1000)
        now += took_s
        word = hub.answered(ack(seq, at_ms), now)
        assert word is not None
        assert abs(word.now_ms(now) - NOW_MS - now * 1000) <= word.within(now) + 2

"""The sender's side of the stream rule: a table of situations, one test each."""

from __future__ import annotations

import msgspec
import pytest

from contract.acks import Ack
from gateway.uplink.outbox import (
    FORK_AGAIN_S,
    REFUSED_S,
    SILENCE_S,
    WINDOW,
    ForkNeeded,
    Freed,
    HubRefusal,
    Ignored,
    Outbox,
    Rewound,
    Told,
)

STREAM = "a" * 32
OTHER = "b" * 32
AT = "2026-09-21T14:13:20.000Z"


def ack(state: str, seq: int, stream: str = STREAM, why: str = "") -> Ack:
    return Ack(stream=stream, state=state, seq=seq, at=AT, why=why)  # type: ignore[arg-type]


def online(acked: int = 0) -> Outbox:
    outbox = Outbox(STREAM, acked)
    outbox.connected()
    return outbox


def send_all(outbox: Outbox, durable: int, now: float, size: int = 10) -> list[int]:
    """Sends batches of `size` while it may; where they end."""
    ends: list[int] = []
    while (after := outbox.next_after(durable, now)) is not None:
        ends.append(min(after + size, durable))
        outbox.sent(ends[-1], now)
    return ends


def opened(durable: int) -> Outbox:
    """An outbox whose first batch (1..10) was acknowledged at 0 and whose window is full."""
    outbox = online()
    assert send_all(outbox, durable, 0.0) == [10]
    assert outbox.heard(ack("committed", 10), 0, 0.0) == Freed(10)
    send_all(outbox, durable, 0.0)
    return outbox


def test_nothing_goes_without_a_connection() -> None:
    assert Outbox(STREAM, 0).next_after(100, 0.0) is None


def test_nothing_goes_that_is_not_on_disk() -> None:
    outbox = online(acked=7)
    assert outbox.next_after(7, 0.0) is None
    assert outbox.next_after(8, 0.0) == 7


def test_one_batch_first_then_the_window() -> None:
    outbox = online()
    assert send_all(outbox, 1000, 0.0) == [10]
    outbox.heard(ack("committed", 10), 0, 0.1)
    assert send_all(outbox, 1000, 0.1) == [20, 30, 40, 50, 60, 70, 80, 90]
    assert len(send_all(outbox, 1000, 0.1)) == 0
    assert outbox.heard(ack("committed", 40), 0, 0.2) == Freed(40)
    assert send_all(outbox, 1000, 0.2) == [100, 110, 120]


def test_after_a_silence_again_from_the_acknowledgement() -> None:
    outbox = opened(1000)
    assert outbox.next_after(1000, SILENCE_S - 0.01) is None
    assert outbox.wake_at(0.0) == SILENCE_S
    assert outbox.next_after(1000, SILENCE_S) == 10
    assert send_all(outbox, 1000, SILENCE_S) == [20]
    assert outbox.wake_at(SILENCE_S) == 2 * SILENCE_S


def test_every_progress_renews_the_patience() -> None:
    outbox = opened(1000)
    outbox.heard(ack("committed", 20), 0, 1.9)
    assert outbox.wake_at(1.9) == 1.9 + SILENCE_S


def test_a_late_answer_to_what_went_out_before_the_silence_counts() -> None:
    outbox = opened(1000)
    send_all(outbox, 1000, SILENCE_S)
    assert outbox.heard(ack("committed", 90), 0, 2.5) == Freed(90)
    assert outbox.next_after(1000, 2.5) == 90


@pytest.mark.parametrize(
    ("heard", "meaning"),
    [
        (ack("committed", 30, OTHER), Ignored(f"of stream {OTHER}")),
        (ack("committed", 10), Ignored("10 was acknowledged before")),
        (ack("committed", 5), Ignored("5 was acknowledged before")),
        (ack("committed", 91), Ignored("no batch that ends with 91 was sent through this connection")),
        (ack("committed", 25), Ignored("no batch that ends with 25 was sent through this connection")),
        (ack("committed", 90), Freed(90)),
        (ack("expected", 10), Ignored("going on from 11")),
        (ack("expected", 50), Ignored("going on from 11")),
        (ack("expected", 3), Rewound(3)),
        (ack("fork", 20, why="copied back"), Ignored("a fork at 20 (copied back), to be confirmed")),
        (ack("fork", 3), Ignored("a fork at 3, but 10 was acknowledged")),
        (ack("refused", 0, why="unknown version"), HubRefusal("unknown version")),
    ],
)
def test_what_an_answer_means(heard: Ack, meaning: object) -> None:
    assert opened(1000).heard(heard, 0, 1.0) == meaning


def test_a_gap_is_sent_again_at_once_and_only_once() -> None:
    outbox = opened(1000)
    outbox.heard(ack("committed", 20), 0, 1.0)
    outbox.heard(ack("expected", 20), 0, 1.0)
    assert send_all(outbox, 1000, 1.0) == [30]
    for _ in range(6):
        outbox.heard(ack("expected", 20), 0, 1.1)
        assert outbox.next_after(1000, 1.1) is None


def test_a_hub_restored_from_a_backup_gets_again_what_is_held() -> None:
    outbox = opened(1000)
    assert outbox.heard(ack("expected", 2), 5, 1.0) == Rewound(5)
    assert outbox.acked == 5
    assert outbox.next_after(1000, 1.0) == 5


def forked(outbox: Outbox, agreed: int, now: float) -> float:
    """Lets the hub say `fork` twice; the moment at which it was confirmed."""
    assert isinstance(outbox.heard(ack("fork", agreed, outbox.stream), 0, now), Ignored)
    now += SILENCE_S
    send_all(outbox, 1000, now)
    assert outbox.heard(ack("fork", agreed, outbox.stream, why="copied back"), 0, now) == ForkNeeded(
        agreed, "copied back"
    )
    return now


def test_a_fork_is_made_when_a_batch_sent_after_a_pause_confirms_it() -> None:
    outbox = opened(1000)
    assert isinstance(outbox.heard(ack("fork", 20), 0, 1.0), Ignored)
    assert outbox.next_after(1000, 1.0) is None
    assert isinstance(outbox.heard(ack("fork", 20), 0, 1.1), Ignored)
    assert outbox.wake_at(1.1) == 1.0 + SILENCE_S
    assert send_all(outbox, 1000, 3.0) == [20]
    assert outbox.heard(ack("fork", 20, why="copied back"), 0, 3.1) == ForkNeeded(20, "copied back")


def test_a_birth_that_batches_have_overtaken_forks_nothing() -> None:
    outbox = opened(1000)
    assert isinstance(outbox.heard(ack("fork", 10), 0, 1.0), Ignored)
    send_all(outbox, 1000, 3.0)
    assert outbox.heard(ack("committed", 20), 0, 3.1) == Freed(20)
    assert isinstance(outbox.heard(ack("fork", 20), 0, 3.2), Ignored)


def test_another_fork_than_the_suspected_one_is_suspected_in_its_turn() -> None:
    outbox = opened(1000)
    outbox.heard(ack("fork", 10), 0, 1.0)
    send_all(outbox, 1000, 3.0)
    assert isinstance(outbox.heard(ack("fork", 15), 0, 3.1), Ignored)
    assert outbox.next_after(1000, 3.1) is None
    send_all(outbox, 1000, 5.1)
    assert isinstance(outbox.heard(ack("fork", 15), 0, 5.2), ForkNeeded)


def test_what_is_no_longer_held_needs_a_new_stream() -> None:
    outbox = opened(1000)
    assert isinstance(outbox.heard(ack("expected", 2), 10, 1.0), Ignored)
    send_all(outbox, 1000, 1.0 + SILENCE_S)
    assert isinstance(outbox.heard(ack("expected", 2), 10, 1.0 + SILENCE_S), ForkNeeded)


def test_nothing_goes_while_a_fork_is_made_and_all_goes_after_it() -> None:
    outbox = opened(1000)
    now = forked(outbox, 10, 1.0)
    assert outbox.next_after(1000, now) is None
    assert outbox.wake_at(now) is None
    assert outbox.heard(ack("fork", 10), 0, now) == Ignored("a fork is being made")
    outbox.restarted(OTHER, now)
    assert outbox.heard(ack("committed", 90), 0, now) == Ignored(f"of stream {STREAM}")
    assert send_all(outbox, 100, now) == [10]
    assert outbox.heard(ack("committed", 10, OTHER), 0, now) == Freed(10)


def test_a_hub_that_always_forks_does_not_make_endless_streams() -> None:
    outbox = opened(1000)
    first = forked(outbox, 10, 0.0)
    outbox.restarted(OTHER, first)
    outbox.heard(ack("fork", 0, OTHER), 0, first)
    send_all(outbox, 1000, first + SILENCE_S)
    assert isinstance(outbox.heard(ack("fork", 0, OTHER), 0, first + SILENCE_S), Ignored)
    assert outbox.next_after(1000, first + SILENCE_S) is None
    assert outbox.wake_at(first + SILENCE_S) == first + FORK_AGAIN_S
    send_all(outbox, 1000, first + FORK_AGAIN_S)
    assert isinstance(outbox.heard(ack("fork", 0, OTHER), 0, first + FORK_AGAIN_S), ForkNeeded)


def test_a_fork_after_the_last_one_was_accepted_is_made_without_a_delay() -> None:
    outbox = opened(1000)
    now = forked(outbox, 10, 0.0)
    outbox.restarted(OTHER, now)
    send_all(outbox, 1000, now)
    outbox.heard(ack("committed", 10, OTHER), 0, now)
    forked(outbox, 10, now)


def test_a_refusal_is_tried_again_much_later() -> None:
    outbox = opened(1000)
    outbox.heard(ack("refused", 0, why="not enrolled"), 0, 1.0)
    assert outbox.refused == "not enrolled"
    assert outbox.next_after(1000, REFUSED_S) is None
    assert outbox.wake_at(1.0) == 1.0 + REFUSED_S
    assert send_all(outbox, 1000, 1.0 + REFUSED_S) == [20]
    outbox.heard(ack("committed", 20), 0, 40.0)
    assert outbox.refused is None


def test_a_new_connection_forgets_what_was_under_way() -> None:
    outbox = opened(1000)
    outbox.disconnected()
    assert outbox.wake_at(1.0) is None
    outbox.connected()
    assert outbox.heard(ack("committed", 90), 0, 1.0) == Ignored(
        "no batch that ends with 90 was sent through this connection"
    )
    assert send_all(outbox, 1000, 1.0) == [20]


def test_an_answer_to_another_life_of_the_journal_frees_nothing() -> None:
    outbox = online()
    outbox.sent(10, 0.0, "1" * 64)
    theirs = Ack(stream=STREAM, state="committed", seq=10, at=AT, head="2" * 64)
    assert isinstance(outbox.heard(theirs, 0, 0.1), Ignored)
    ours = Ack(stream=STREAM, state="committed", seq=10, at=AT, head="1" * 64)
    assert outbox.heard(ours, 0, 0.2) == Freed(10)


# --- Holes


def at_a_hole(last: int = 1000) -> Outbox:
    """An outbox that has sent all up to a hole after 90, got it acknowledged, and has asked at 1.0."""
    outbox = opened(90)
    outbox.broken(90, "events 91 to 99 are not held")
    assert not outbox.asks(0.5)
    assert outbox.heard(ack("committed", 90), 0, 1.0) == Freed(90)
    assert outbox.next_after(last, 1.0) is None
    assert outbox.asks(1.0)
    outbox.asked(last, "1" * 64, 1.0)
    return outbox


def word(state: str, seq: int, head: str | None) -> Ack:
    return msgspec.structs.replace(ack(state, seq), head=head)


def test_the_hub_is_asked_again_while_it_says_nothing() -> None:
    outbox = at_a_hole()
    assert not outbox.asks(1.0)
    assert outbox.wake_at(1.0) == 1.0 + SILENCE_S
    assert outbox.asks(1.0 + SILENCE_S)


def test_a_hole_that_lies_beyond_the_hubs_head_forks_there() -> None:
    outbox = at_a_hole()
    assert outbox.heard(word("expected", 90, "9" * 64), 0, 1.1) == ForkNeeded(90, "events 91 to 99 are not held")


def test_a_hub_whose_head_lies_in_the_hole_agrees_up_to_there() -> None:
    outbox = at_a_hole()
    told = outbox.heard(word("expected", 95, "9" * 64), 0, 1.1)
    assert told == Told(95, "9" * 64)
    assert outbox.next_after(1000, 1.1) is None
    assert outbox.compared(told, None, 1.2) == ForkNeeded(95, "events 91 to 99 are not held")


def test_a_hole_that_the_hub_fills_moves_nothing() -> None:
    outbox = at_a_hole()
    told = outbox.heard(word("expected", 120, "9" * 64), 0, 1.1)
    assert told == Told(120, "9" * 64)
    assert outbox.compared(told, "9" * 64, 1.2) == Freed(120)
    assert outbox.next_after(1000, 1.2) == 120


def test_a_hub_that_holds_all_of_it_frees_all_of_it() -> None:
    outbox = at_a_hole()
    assert outbox.heard(word("committed", 1000, "1" * 64), 0, 1.1) == Freed(1000)
    assert outbox.next_after(1000, 1.1) is None
    assert not outbox.asks(9.0)


def test_a_head_of_another_life_proves_nothing_behind_the_hole() -> None:
    outbox = at_a_hole()
    told = outbox.heard(word("expected", 120, "9" * 64), 0, 1.1)
    assert isinstance(told, Told)
    assert outbox.compared(told, "8" * 64, 1.2) == ForkNeeded(90, "events 91 to 99 are not held")
    assert isinstance(at_a_hole().heard(word("expected", 100, None), 0, 1.1), ForkNeeded)


def test_a_hub_that_holds_more_than_this_journal_agrees_to_all_that_is_here() -> None:
    assert at_a_hole().heard(ack("fork", 1000, why="1200 events are held"), 0, 1.1) == ForkNeeded(
        1000, "1200 events are held"
    )


def test_a_hub_that_was_restored_gets_again_what_is_before_the_hole() -> None:
    outbox = at_a_hole()
    assert outbox.heard(word("expected", 20, "9" * 64), 5, 1.1) == Rewound(20)
    assert send_all(outbox, 1000, 1.1, size=70) == [90]
    assert not outbox.asks(1.1)
    outbox.heard(ack("committed", 90), 5, 1.2)
    assert outbox.asks(1.0 + SILENCE_S)
    assert isinstance(at_a_hole().heard(word("expected", 20, "9" * 64), 90, 1.1), ForkNeeded)


def turned_back(outbox: Outbox, now: float) -> None:
    """The hub, asked at the hole, expects 20; it gets everything before the hole again."""
    assert outbox.asks(now)
    outbox.asked(1000, "1" * 64, now)
    assert outbox.heard(word("expected", 20, None), 0, now) == Rewound(20)
    assert send_all(outbox, 1000, now, size=70) == [90]


def test_a_hub_that_turns_back_twice_for_what_it_then_has_parts_at_the_hole() -> None:
    outbox = at_a_hole()
    turned_back(outbox, 1.0 + SILENCE_S)
    assert outbox.heard(ack("committed", 90), 0, 3.1) == Freed(90)
    turned_back(outbox, 3.0 + SILENCE_S)
    assert outbox.heard(ack("committed", 90), 0, 5.1) == ForkNeeded(90, "events 91 to 99 are not held")


def test_a_new_connection_begins_to_count_anew_how_often_it_is_turned_back() -> None:
    outbox = at_a_hole()
    for now in (10.0, 20.0, 30.0):
        turned_back(outbox, now)
        assert outbox.heard(ack("committed", 90), 0, now) == Freed(90)
        outbox.connected()


def test_a_fork_that_nothing_can_confirm_keeps_nobody_at_a_hole() -> None:
    outbox = opened(90)
    outbox.broken(90, "events 91 to 99 are not held")
    assert isinstance(outbox.heard(ack("fork", 1000), 0, 1.0), Ignored)
    assert outbox.heard(ack("committed", 90), 0, 1.1) == Freed(90)
    turned_back(outbox, 1.0 + SILENCE_S)


def test_an_unanswered_birth_hides_no_fork_before_a_hole() -> None:
    outbox = online()
    outbox.asked(1000, "1" * 64, 0.0)
    assert send_all(outbox, 90, 0.0) == [10]
    assert outbox.heard(ack("committed", 10), 0, 0.1) == Freed(10)
    send_all(outbox, 90, 0.1)
    outbox.broken(90, "events 91 to 99 are not held")
    forked(outbox, 20, 0.2)


def test_what_was_sent_before_the_hole_is_answered_first() -> None:
    outbox = opened(1000)
    outbox.broken(90, "event 92 was changed")
    assert outbox.next_after(1000, 0.5) is None
    assert outbox.heard(ack("expected", 10), 0, 0.6) == Ignored("going on from 11")
    assert outbox.next_after(1000, 0.6) == 10
    assert not outbox.asks(0.6)


def test_an_answer_to_an_ordinary_birth_sends_nothing_twice() -> None:
    outbox = online()
    outbox.asked(1000, "1" * 64, 0.0)
    assert send_all(outbox, 1000, 0.0) == [10]
    assert isinstance(outbox.heard(word("expected", 0, None), 0, 0.1), Ignored)
    assert send_all(outbox, 1000, 0.1) == []
    assert outbox.heard(ack("committed", 10), 0, 0.2) == Freed(10)


def test_owed_says_since_when_the_hub_is_silent() -> None:
    outbox = opened(1000)
    assert outbox.owed_since == 0.0
    send_all(outbox, 1000, SILENCE_S)
    assert outbox.owed_since == 0.0
    outbox.heard(ack("expected", 10), 0, 3.0)
    assert outbox.owed_since is None


def test_nothing_wakes_an_outbox_that_has_nothing_to_say() -> None:
    outbox = online(acked=5)
    assert outbox.wake_at(0.0) is None
    outbox.heard(ack("refused", 0), 0, 1.0)
    assert outbox.next_after(5, 1.0 + REFUSED_S) is None
    assert outbox.wake_at(1.0 + REFUSED_S) is None


def test_the_window_is_what_the_design_says() -> None:
    assert WINDOW == 8


def test_a_hole_stays_where_it_was_found_whatever_was_given_up_meanwhile() -> None:
    outbox = opened(90)
    outbox.heard(ack("expected", 10), 0, 0.5)
    outbox.broken(90, "events 91 to 99 are not held")
    assert outbox.next_after(1000, 0.6) == 10
    assert not outbox.asks(0.6)


def test_another_file_in_the_journals_place_holds_up_no_fork() -> None:
    outbox = online()
    outbox.renewed(OTHER, 0)
    assert send_all(outbox, 1000, 0.0) == [10]
    outbox.heard(ack("fork", 0, OTHER), 0, 0.1)
    send_all(outbox, 1000, 0.1 + SILENCE_S)
    assert isinstance(outbox.heard(ack("fork", 0, OTHER), 0, 0.2 + SILENCE_S), ForkNeeded)

"""The stream rule as a table, without a database."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.events import GENESIS, Batch, chain
from contract.limits import BATCH_LIMIT
from hub.ingest.rule import BatchVerdict, Head, empty_head, held_range, judge, judge_birth
from tests.hub.senders import Journal

OURS = Journal().record_many(300)
OTHER = OURS.copied(5)
OTHER.record_many(300, "other")


def head_of(journal: Journal, seq: int, *, ended: bool = False) -> Head:
    return Head("gw-1", seq, journal.hash_at(seq), ended)


def judged(head: Head, batch: Batch, gateway: str = "gw-1") -> BatchVerdict:
    wanted = held_range(head, batch.first_seq, batch.events[-1].seq)
    held = {} if wanted is None else {seq: OURS.hash_at(seq) for seq in range(wanted[0], wanted[1] + 1)}
    return judge(head, gateway, batch, chain(batch.prev, batch.events), held)


class Case(NamedTuple):
    name: str
    head: Head
    batch: Batch
    state: str
    seq: int


CASES = [
    Case("first batch of a new stream", empty_head("gw-1"), OURS.batch(1, 3), "accept", 0),
    Case("new stream that begins in the middle", empty_head("gw-1"), OURS.batch(4, 6), "expected", 0),
    Case("next", head_of(OURS, 10), OURS.batch(11, 20), "accept", 10),
    Case("gap", head_of(OURS, 10), OURS.batch(12, 20), "expected", 10),
    Case("repeat of all", head_of(OURS, 10), OURS.batch(1, 10), "committed", 10),
    Case("repeat of some: no more than was shown", head_of(OURS, 10), OURS.batch(3, 7), "committed", 7),
    Case("repeat of the last", head_of(OURS, 10), OURS.batch(10, 10), "committed", 10),
    Case("overlap with new events", head_of(OURS, 10), OURS.batch(6, 15), "accept", 10),
    Case("overlap from the first event on", head_of(OURS, 10), OURS.batch(1, 15), "accept", 10),
    Case("an older journal copied back", head_of(OURS, 10), OTHER.batch(6, 9), "fork", 5),
    Case("the same across the head", head_of(OURS, 10), OTHER.batch(4, 15), "fork", 5),
    Case("the same from the first event on", head_of(OURS, 10), OTHER.batch(1, 10), "fork", 5),
    Case("only the last held event disagrees", head_of(OURS, 6), OTHER.batch(3, 6), "fork", 5),
    Case("fork before the batch, next in sequence", head_of(OURS, 10), OTHER.batch(11, 12), "expected", 0),
    Case("fork before the batch, far behind", head_of(OURS, 290), OTHER.batch(281, 285), "expected", 80),
    Case("forked stream goes on", head_of(OURS, 10, ended=True), OURS.batch(11, 12), "fork", 10),
    Case("forked stream repeats", head_of(OURS, 10, ended=True), OURS.batch(9, 10), "committed", 10),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_batch(case: Case) -> None:
    verdict = judged(case.head, case.batch)
    assert (verdict.state, verdict.seq) == (case.state, case.seq)


def test_a_stream_of_another_gateway_is_refused() -> None:
    assert judged(Head("gw-2", 10, OURS.hash_at(10)), OURS.batch(11, 12)).state == "refused"
    assert judged(Head(None, 10, OURS.hash_at(10)), OURS.batch(11, 12)).state == "refused"


def test_a_first_event_that_does_not_follow_genesis_is_refused() -> None:
    batch = OURS.batch(1, 1)
    wrong = Batch(
        stream=batch.stream, first_seq=1, prev="1" * 64, head=chain("1" * 64, batch.events)[-1], events=batch.events
    )
    assert judged(empty_head("gw-1"), wrong).state == "refused"


@given(st.integers(1, 290), st.integers(1, 290), st.data())
def test_walking_back_finds_the_last_agreeing_event(split: int, head_seq: int, data: st.DataObject) -> None:
    """However late the fork is noticed, following `expected` ends in `fork` at exactly the last common event."""
    theirs = OURS.copied(min(split, head_seq))
    theirs.record_many(300 - len(theirs.events), "theirs")
    first = data.draw(st.integers(1, head_seq + 1))
    head = head_of(OURS, head_seq)
    for _ in range(10):
        verdict = judged(head, theirs.batch(first, min(first + BATCH_LIMIT - 1, 300)))
        if verdict.state == "expected":
            assert verdict.seq + 1 < first
        if verdict.state not in ("expected", "committed"):
            break
        first = verdict.seq + 1
    common = min(split, head_seq)
    expected = ("accept", head_seq) if common == head_seq else ("fork", common)
    assert (verdict.state, verdict.seq) == expected


BIRTHS = [
    ("a stream that was never seen", None, OURS, 10, ("expected", 0)),
    ("ahead of what is held", head_of(OURS, 5), OURS, 10, ("expected", 5)),
    ("level", head_of(OURS, 10), OURS, 10, ("committed", 10)),
    ("behind: a copy or a power cut", head_of(OURS, 20), OURS, 10, ("fork", 10)),
    ("empty, though events are held", head_of(OURS, 20), OURS, 0, ("fork", 0)),
    ("behind and disagreeing", head_of(OURS, 20), OTHER, 10, ("expected", 0)),
    ("level and disagreeing", head_of(OURS, 290), OTHER, 290, ("expected", 90)),
]


@pytest.mark.parametrize(("name", "head", "journal", "seq", "answer"), BIRTHS, ids=[case[0] for case in BIRTHS])
def test_a_birth(name: str, head: Head | None, journal: Journal, seq: int, answer: tuple[str, int]) -> None:
    assert name
    held = OURS.hash_at(seq) if head is not None and 0 < seq <= head.seq else None
    verdict = judge_birth(head, "gw-1", journal.copied(seq).presence(), held)
    assert (verdict.state, verdict.seq) == answer


def test_a_birth_with_a_foreign_stream_is_refused() -> None:
    verdict = judge_birth(Head("gw-2", 0, GENESIS), "gw-1", OURS.presence(), None)
    assert verdict.state == "refused"

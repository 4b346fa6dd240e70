"""The stream rule: what becomes of a batch, given what is held of its stream. Pure.

| held of the stream          | the batch                              | verdict                                       |
|-----------------------------|----------------------------------------|-----------------------------------------------|
| up to n                     | begins at n+1, `prev` is the head      | accept                                        |
| up to n                     | within or across n, all held agree     | committed (all held) or accept (what is new)  |
| up to n                     | begins after n+1                       | expected n                                    |
| up to n                     | a held event disagrees                 | fork after the last that agrees               |
| up to n                     | `prev` disagrees: the fork lies before | expected further back, until the fork shows   |
| of another gateway          | any                                    | refused                                       |

An acknowledgement never says more than the sender has shown that it holds: a restored copy of a journal must not
believe that what it is going to record is already here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from contract.events import GENESIS, Batch, Hash
from contract.limits import BATCH_LIMIT
from contract.presence import Presence


class Head(NamedTuple):
    """How far a stream is held. `gateway` None: the hub's own. `ended`: it was forked, and takes nothing more."""

    gateway: str | None
    seq: int
    hash: Hash
    ended: bool = False


class BatchVerdict(NamedTuple):
    """`accept`: the events after `seq` are new. The others are what the acknowledgement says, with its `seq`."""

    state: Literal["accept", "committed", "expected", "fork", "refused"]
    seq: int
    why: str = ""


def empty_head(gateway: str) -> Head:
    """What is held of a stream that was never seen."""
    return Head(gateway, 0, GENESIS)


def held_range(head: Head, first_seq: int, last_seq: int) -> tuple[int, int] | None:
    """(from, to): the held events whose hashes `judge` needs besides the head's; None if none."""
    if first_seq > head.seq or first_seq < 1:
        return None
    return max(first_seq - 1, 1), min(last_seq, head.seq)


def judge(head: Head, gateway: str, batch: Batch, hashes: Sequence[Hash], held: Mapping[int, Hash]) -> BatchVerdict:
    """What becomes of `batch`, sent by `gateway`; `hashes` are its events', `held` those of `held_range`."""
    if head.gateway != gateway:
        return BatchVerdict("refused", 0, f"stream {batch.stream} belongs to another gateway")
    first, last = batch.first_seq, batch.events[-1].seq
    if first > head.seq + 1:
        return BatchVerdict("expected", head.seq)
    before = _hash_at(head, held, first - 1)
    if batch.prev != before:
        if first == 1:
            return BatchVerdict("refused", 0, "the first event of a stream must follow the genesis hash")
        return BatchVerdict("expected", further_back(first - 1), f"the chain disagrees at or before {first - 1}")
    for seq in range(first, min(last, head.seq) + 1):
        if hashes[seq - first] != _hash_at(head, held, seq):
            return BatchVerdict("fork", seq - 1, f"event {seq} disagrees with the one that is held")
    if last <= head.seq:
        return BatchVerdict("committed", last)
    if head.ended:
        return BatchVerdict("fork", head.seq, "this stream was forked and takes nothing more")
    return BatchVerdict("accept", head.seq)


def judge_birth(head: Head | None, gateway: str, presence: Presence, held: Hash | None) -> BatchVerdict:
    """What to answer to a birth: `held` is the hash of the event at its `head_seq`, None if it is not held.

    A gateway that has more than is held hears up to where: one whose journal has holes needs to know.
    """
    if head is None:
        return BatchVerdict("expected", 0)
    if head.gateway != gateway:
        return BatchVerdict("refused", 0, f"stream {presence.stream} belongs to another gateway")
    seq = presence.head_seq
    if seq > head.seq:
        return BatchVerdict("expected", head.seq)
    agrees = presence.head == (GENESIS if seq == 0 else held)
    if not agrees:
        return BatchVerdict("expected", further_back(seq), f"the chain disagrees at or before {seq}")
    if seq < head.seq:
        return BatchVerdict("fork", seq, f"{head.seq} events are held, the gateway has {seq}")
    return BatchVerdict("committed", seq)


def further_back(seq: int) -> int:
    """Where to look for the last agreeing event when `seq` disagrees: one batch further back."""
    return max(0, seq - BATCH_LIMIT)


def _hash_at(head: Head, held: Mapping[int, Hash], seq: int) -> Hash:
    if seq == 0:
        return GENESIS
    return head.hash if seq == head.seq else held[seq]

"""Events, the batches they travel in, and the hash chain that makes a stream verifiable.

The chain: `hash(n) = SHA-256(hash(n-1) || "seq\\nat\\nkind\\nsource\\nclock\\n" || data)`, where `data` is the exact
JSON text that was appended. `data` therefore stays raw bytes from journal to database.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from contract import VERSION
from contract.instants import Instant
from contract.limits import BATCH_LIMIT

GENESIS = "0" * 64
"""`prev` of a stream's first event."""

Clock = Literal["ok", "doubtful"]
Hash = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
StreamId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]
Kind = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+\Z", max_length=64)]
SOURCE_LENGTH = 128
Source = Annotated[str, msgspec.Meta(min_length=1, max_length=SOURCE_LENGTH)]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """An immutable fact at one place in one stream. `data` is JSON text; `at` is the gateway's wall clock."""

    seq: Annotated[int, msgspec.Meta(ge=1)]
    at: Instant
    kind: Kind
    source: Source
    data: msgspec.Raw
    clock: Clock = "ok"


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """Where the event `seq` of a batch was first recorded: as event `was` of `stream`, with this hash.

    A fork moves events to a new stream, perhaps several times; this place of each stays the same for ever.
    """

    seq: Annotated[int, msgspec.Meta(ge=1)]
    stream: StreamId
    was: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
    hash: Hash


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Consecutive events of one stream: `prev` is the hash before the first, `head` the hash of the last.

    `moved`: of those events that were first recorded in another stream, where. The chain does not cover it.
    """

    stream: StreamId
    first_seq: Annotated[int, msgspec.Meta(ge=1)]
    prev: Hash
    head: Hash
    events: Annotated[tuple[Event, ...], msgspec.Meta(min_length=1, max_length=BATCH_LIMIT)]
    moved: Annotated[tuple[Moved, ...], msgspec.Meta(max_length=BATCH_LIMIT)] = ()
    v: int = VERSION


def chained(prev: Hash, event: Event) -> Hash:
    """The hash of `event` when it follows the event whose hash is `prev`."""
    digest = hashlib.sha256(bytes.fromhex(prev))
    digest.update(f"{event.seq}\n{event.at}\n{event.kind}\n{event.source}\n{event.clock}\n".encode())
    digest.update(event.data)
    return digest.hexdigest()


def chain(prev: Hash, events: Sequence[Event]) -> list[Hash]:
    """The hash of each of `events`, the first following `prev`."""
    hashes: list[Hash] = []
    for event in events:
        prev = chained(prev, event)
        hashes.append(prev)
    return hashes


def batch_fault(batch: Batch) -> str | None:
    """What contradicts itself inside a batch (sequence, chain, places), or None. Says nothing of what the hub holds."""
    for place, event in enumerate(batch.events):
        if event.seq != batch.first_seq + place:
            return f"event {place} of the batch has seq {event.seq}, expected {batch.first_seq + place}"
    head = chain(batch.prev, batch.events)[-1]
    if head != batch.head:
        last = batch.events[-1].seq
        return f"the chain of {batch.first_seq}..{last} ends in {head[:12]}, the batch says {batch.head[:12]}"
    return _moved_fault(batch) if batch.moved else None


def _moved_fault(batch: Batch) -> str | None:
    places = [moved.seq for moved in batch.moved]
    if len(set(places)) < len(places):
        return "an event of the batch has two first places"
    strange = [seq for seq in places if not batch.first_seq <= seq <= batch.events[-1].seq]
    return f"a first place of event {strange[0]}, which is not in the batch" if strange else None

"""What goes into the journal and what comes out of it, and how one becomes the other: facts, state, the chain.

Pure: drafts are checked and turned into JSON here, before they reach the writer's thread.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from contract.events import GENESIS, SOURCE_LENGTH, Clock, Event, Hash, Moved, StreamId, chained
from contract.fitting import recorded_data, shortened, writable
from contract.instants import instant
from contract.kinds import KINDS, may_say

DRAFTS_LIMIT = 1_000
"""Drafts of one append at the most."""

_KIND = re.compile(r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$")


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A fact that is to be recorded. `at_ms`: Unix ms, never in the future; None: now, by the journal's clock."""

    kind: str
    source: str
    data: msgspec.Struct
    at_ms: int | None = None


class StateChange(NamedTuple):
    """State that decisions depend on, changed together with its event: JSON by (kind, id); None removes it."""

    kind: str
    id: str
    value: bytes | None


class First(NamedTuple):
    """The place where an event was first recorded, in a stream that is not the one it is in now."""

    stream: StreamId
    seq: int
    hash: Hash


class Recorded(Event, frozen=True, kw_only=True):
    """An event as this journal holds it. `id`: its place in the journal over all streams, never reused."""

    id: int
    stream: StreamId
    first: First | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """A draft that was checked: ready to be given its place."""

    at_ms: int
    kind: str
    source: str
    data: bytes
    clock: Clock


@dataclass(frozen=True, slots=True)
class Place:
    """Where a journal stands: the stream's number here and its id, the last sequence and hash, the last local id.

    `append`: the last append of this process that is in it, also one of state alone.
    """

    number: int
    stream: StreamId
    seq: int = 0
    head: Hash = GENESIS
    id: int = 0
    append: int = 0


class Row(NamedTuple):
    """One event as the table holds it. `first`: of one that a fork has moved, for ever the same."""

    id: int
    number: int
    seq: int
    at_ms: int
    kind: str
    source: str
    clock: Clock
    data: bytes
    hash: Hash
    first: First | None = None


def fact(draft: Draft, now_ms: int, clock: Clock) -> Fact:
    """The draft, checked against the contract; `ValueError` or `TypeError` if its author broke it."""
    if not _KIND.match(draft.kind) or len(draft.kind) > 64:
        raise ValueError(f"{draft.kind!r} is not an event kind")
    if not draft.source:
        raise ValueError(f"{draft.kind} has no source")
    if not may_say(draft.kind):
        raise ValueError(f"{draft.kind} is for the hub to say")
    expected = KINDS.get(draft.kind)
    if expected is not None and type(draft.data) is not expected:
        raise TypeError(f"data of {draft.kind} is a {expected.__name__}, not a {type(draft.data).__name__}")
    data = recorded_data(draft.kind, draft.data)
    at_ms = now_ms if draft.at_ms is None else min(draft.at_ms, now_ms)
    return Fact(at_ms, draft.kind, shortened(writable(draft.source), SOURCE_LENGTH), data, clock)


def placed(facts: Sequence[Fact], place: Place) -> tuple[list[Row], Place]:
    """The facts chained on after `place`, and the place after them."""
    rows: list[Row] = []
    for each in facts:
        row = _row(each, place)
        rows.append(row)
        place = Place(place.number, place.stream, row.seq, row.hash, row.id)
    return rows, place


def rechained(rows: Iterable[Row], place: Place, old: StreamId) -> tuple[list[Row], Place]:
    """Rows of the stream `old` ("": nobody knows) moved on to `place`'s: new sequences and hashes, the same ids."""
    moved: list[Row] = []
    for row in rows:
        seq = place.seq + 1
        head = chained(place.head, event_of(row._replace(seq=seq)))
        first = row.first or (First(old, row.seq, row.hash) if old else None)
        moved.append(row._replace(number=place.number, seq=seq, hash=head, first=first))
        place = Place(place.number, place.stream, seq, head, place.id)
    return moved, place


def unbroken(rows: Iterable[Row]) -> list[Row]:
    """Of rows that were found in a damaged file, by sequence: those that are events and that the chain does not belie.

    Behind a hole nothing belies the first one: its hash shows that it is one, what follows shows its hash.
    """
    good: list[Row] = []
    for row in sorted(rows, key=lambda row: row.seq):
        last = good[-1] if good else None
        if last is not None and last.seq == row.seq:
            continue
        try:
            event = event_of(row)
            if last is not None and last.seq == row.seq - 1 and chained(last.hash, event) != row.hash:
                continue
        except (ValueError, TypeError, OverflowError):
            continue
        good.append(row)
    return good


def completed(good: list[Row], former: Iterable[Row]) -> list[Row]:
    """`good` (see `unbroken`), and of its holes what older copies of their pages hold.

    A copy may be of a transaction that never was: only what the chain joins to a good row is taken. `former`: of two
    with the same sequence the later one first.
    """
    copies: dict[int, list[Row]] = {}
    for row in former:
        copies.setdefault(row.seq, []).append(row)
    held = {row.seq: row for row in good or unbroken(row for rows in copies.values() for row in rows)}
    for row in reversed(list(held.values())):
        after: Row | None = row
        while after is not None and after.seq - 1 not in held:
            after = next((copy for copy in copies.get(after.seq - 1, ()) if _follows(after, copy)), None)
            if after is not None:
                held[after.seq] = after
    for row in sorted(held.values(), key=lambda row: row.seq):
        before: Row | None = row
        while before is not None and before.seq + 1 not in held:
            before = next((copy for copy in copies.get(before.seq + 1, ()) if _follows(copy, before)), None)
            if before is not None:
                held[before.seq] = before
    return unbroken(held.values())


def _follows(after: Row, before: Row) -> bool:
    """Whether the hash of `after` was made of the hash of `before`."""
    try:
        return chained(before.hash, event_of(after)) == after.hash
    except (ValueError, TypeError, OverflowError):
        return False


def _row(each: Fact, place: Place) -> Row:
    row = Row(
        place.id + 1, place.number, place.seq + 1, each.at_ms, each.kind, each.source, each.clock, each.data, GENESIS
    )
    return row._replace(hash=chained(place.head, event_of(row)))


def moved_of(row: Row) -> Moved | None:
    """Where the event was first recorded, as it travels; None if that is where it is."""
    first = row.first
    return None if first is None else Moved(seq=row.seq, stream=first.stream, was=first.seq, hash=first.hash)


def event_of(row: Row) -> Event:
    """The event as it travels."""
    return Event(
        seq=row.seq,
        at=instant(row.at_ms),
        kind=row.kind,
        source=row.source,
        clock=row.clock,
        data=msgspec.Raw(row.data),
    )


def recorded(row: Row, stream: StreamId) -> Recorded:
    """The event as the site's own readers see it."""
    return Recorded(
        id=row.id,
        stream=stream,
        seq=row.seq,
        at=instant(row.at_ms),
        kind=row.kind,
        source=row.source,
        clock=row.clock,
        data=msgspec.Raw(row.data),
        first=row.first,
    )

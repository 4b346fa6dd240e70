"""Verifying the history: every stream's hashes again, from the exact text that is stored.

An event that came again after a fork has one row, and a place in each of those streams: the chains run through both.
One that was refused has no row, only a place: the event of the hub's own stream that refused it names its hash.
What an edit changed lies beside its event, which holds a hash of it: it may be erased, but is not altered unseen.
An event whose numbers were taken out is a link by its hash alone; what stands in it is held by the event that told it.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.errors import Malformed
from contract.events import GENESIS, Event, chained
from contract.facts.hub import EventRefused
from contract.kinds import decode_data
from hub.database.event import to_instant
from hub.database.rows import StatementRow
from hub.database.transactions import Database
from hub.events.digest import digest
from hub.events.redacting import LEFT, Digest, left_of

_ROWS = text(
    "SELECT id, stream, seq, at, kind, source, clock, CAST(data AS text) AS data, hash, redacted_by, refused FROM ("
    "SELECT id, stream, seq, at, kind, source, clock, data, hash, redacted_by, false AS refused FROM events"
    " UNION ALL SELECT id, p.stream, p.seq, at, kind, source, clock, data, p.hash, redacted_by,"
    " kind = 'event.refused' AND gateway IS NULL"
    " FROM event_places p JOIN events ON events.id = p.event WHERE p.chained) AS places"
    " WHERE CAST(:stream AS text) IS NULL OR stream = :stream ORDER BY stream, seq"
)
_HEADS = text(
    "SELECT id, head_seq, head_hash FROM streams WHERE CAST(:stream AS text) IS NULL OR id = :stream ORDER BY id"
)

_CHANGES = text(
    "SELECT e.id, e.stream, e.seq, e.data ->> 'digest' AS digest, c.said, c.salt FROM changes c"
    " LEFT JOIN events e ON e.id = c.event WHERE c.said IS NOT NULL"
    " AND (CAST(:stream AS text) IS NULL OR e.stream = :stream) ORDER BY c.event"
)

_REDACTED = text(
    f"SELECT {LEFT}, e.redacted_by, told.data ->> 'digest' AS digest FROM events e"
    " LEFT JOIN events told ON told.id = e.redacted_by AND told.kind = 'data.pruned'"
    " AND told.gateway IS NULL WHERE e.redacted_by IS NOT NULL AND (CAST(:stream AS text) IS NULL OR e.redacted_by IN"
    " (SELECT redacted_by FROM events WHERE stream = :stream)) ORDER BY e.redacted_by, e.id"
)
"""All that one event tells of: of other streams too, as its digest is of all of them."""


class Disagreement(NamedTuple):
    """The first row of a stream that disagrees. `event`: its id, None where it is missing."""

    stream: str
    seq: int
    event: int | None
    why: str


class Verified(NamedTuple):
    """How much was read, and what disagrees: at most one row a stream. `redacted`: events without their numbers."""

    streams: int
    events: int
    disagreements: list[Disagreement]
    redacted: int = 0


class _Link(NamedTuple):
    seq: int
    hash: str


async def verify(database: Database, stream: str | None = None) -> Verified:
    """Read every stream (or one) from its beginning; nothing may be missing, changed, added or cut off at the end."""
    broken: dict[str, Disagreement] = {}
    ends: dict[str, _Link] = {}
    count = 0
    async with database.transaction() as conn:
        # One snapshot for events and heads: ingest goes on meanwhile.
        await conn.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        heads = {
            row.id: _Link(row.head_seq, row.head_hash.hex()) for row in await conn.execute(_HEADS, {"stream": stream})
        }
        async for row in await conn.stream(_ROWS, {"stream": stream}):
            count += 1
            if row.stream in broken:
                continue
            before = ends.get(row.stream, _Link(0, GENESIS))
            if row.seq != before.seq + 1:
                missing = before.seq + 1
                broken[row.stream] = Disagreement(row.stream, missing, None, f"event {missing} is missing")
                continue
            event = Event(
                seq=row.seq,
                at=to_instant(row.at),
                kind=row.kind,
                source=row.source,
                data=msgspec.Raw(row.data.encode()),
                clock=row.clock,
            )
            ends[row.stream] = _Link(row.seq, row.hash.hex())
            agrees = (
                _names(event, row.stream, ends[row.stream])
                if row.refused
                else row.redacted_by is not None or chained(before.hash, event) == row.hash.hex()
            )
            if not agrees:
                why = "its content or its hash was changed"
                broken[row.stream] = Disagreement(row.stream, row.seq, row.id, why)
        async for row in await conn.stream(_CHANGES, {"stream": stream}):
            if row.digest != digest(row.salt, row.said):
                why = "the values that it is said to have changed are others"
                broken.setdefault(row.stream, Disagreement(row.stream, row.seq, row.id, why))
        redacted = await _redacted(conn, stream, broken)
    for name in sorted((heads.keys() | ends.keys()) - broken.keys()):
        if found := _end_fault(name, ends.get(name, _Link(0, GENESIS)), heads.get(name)):
            broken[name] = found
    return Verified(len(heads.keys() | ends.keys()), count, [broken[name] for name in sorted(broken)], redacted)


class _Redaction:
    """What one event tells of, as it is read. `firsts`: the first row of each stream, which is named if it is wrong."""

    def __init__(self, told: StatementRow) -> None:
        self.by: int = told.redacted_by
        self._told: str | None = told.digest
        self._digest = Digest()
        self._firsts: dict[str, StatementRow] = {}

    def add(self, row: StatementRow) -> None:
        self._digest.add(left_of(row))
        self._firsts.setdefault(row.stream, row)

    def end(self, stream: str | None, broken: dict[str, Disagreement]) -> None:
        if self._digest.hex() == self._told:
            return
        for name, row in self._firsts.items():
            if stream in {None, name}:
                why = "it is not what was left of it when its numbers were taken out"
                broken.setdefault(name, Disagreement(name, row.seq, row.id, why))


async def _redacted(conn: AsyncConnection, stream: str | None, broken: dict[str, Disagreement]) -> int:
    """Whether what stands in redacted events is what was told when they were; how many there are."""
    count = 0
    current: _Redaction | None = None
    async for row in await conn.stream(_REDACTED, {"stream": stream}):
        if current is None or current.by != row.redacted_by:
            if current is not None:
                current.end(stream, broken)
            current = _Redaction(row)
        current.add(row)
        count += stream in {None, row.stream}
    if current is not None:
        current.end(stream, broken)
    return count


def _names(refusal: Event, stream: str, place: _Link) -> bool:
    """Whether the hub's own word on refused events names this one."""
    try:
        found = decode_data(refusal.kind, refusal.data)
    except Malformed:
        return False
    return (
        isinstance(found, EventRefused)
        and found.stream == stream
        and any((one.seq, one.hash) == place for one in found.events)
    )


def _end_fault(stream: str, end: _Link, head: _Link | None) -> Disagreement | None:
    if head is None:
        return Disagreement(stream, 1, None, "the stream itself is not known")
    if end.seq < head.seq:
        return Disagreement(stream, end.seq + 1, None, f"events {end.seq + 1} to {head.seq} are missing")
    if end != head:
        return Disagreement(stream, end.seq, None, f"the stream's head says {head.seq}, the events end at {end.seq}")
    return None

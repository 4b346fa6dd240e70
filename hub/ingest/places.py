"""The places of an event that is stored once: where it was first recorded, and where it came again after a fork.

A fork moves events to a new stream, and an older journal that is copied back may move the same ones once more. They
name the place of their first recording, by which they are recognised here: as the row of that place itself, or as a
place that is noted of a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from contract.events import Event, Hash, Moved
from hub.database.driver import Driver
from hub.database.event import StoredEvent, to_instant
from hub.ingest.arrivals import EventsArrived


class StreamPlace(NamedTuple):
    """A place in a stream. Two lives of one journal may use the same sequence: the hash tells them apart."""

    stream: str
    seq: int
    hash: Hash


class Recognised(NamedTuple):
    """An event that needs no second row: `id` of its row, or (if it is new) its `position` among the new ones.

    `redacted`: its row has lost its numbers since; the hash of its place says all the same that it is the one.
    """

    event: Event
    id: int | None = None
    position: int = 0
    redacted: bool = False


class Noted(NamedTuple):
    """A place to be noted of an event. `chained`: the stream's head moved over it here, so its chain needs it."""

    kept: Recognised
    chained: bool


_KNOWN = """
WITH asked AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bytea[]) AS asked (gateway, stream, seq, hash)
), found AS (
    SELECT asked.*, e.id FROM asked
    JOIN events e ON e.stream = asked.stream AND e.seq = asked.seq AND e.hash = asked.hash
    UNION ALL
    SELECT asked.*, p.event FROM asked
    JOIN event_places p ON p.stream = asked.stream AND p.seq = asked.seq AND p.hash = asked.hash
)
SELECT found.*, e.at, e.kind, e.source, e.clock, e.data::text AS data, e.redacted_by
FROM found JOIN events e ON e.id = found.id AND e.gateway = found.gateway
"""


class Places:
    """What one transaction knows of moved events, and what it has to note of them."""

    def __init__(self, known: dict[tuple[str, StreamPlace], Recognised]) -> None:
        self._known = known
        self.noted: dict[StreamPlace, Noted] = {}

    def again(self, gateway: str, event: Event, moved: Moved, here: StreamPlace) -> bool:
        """Whether the event is held already: then `here` is noted as one more place of it."""
        kept = self._known.get((gateway, _first(moved)))
        if kept is None or not _same(kept, event):
            return False
        self._note(here, kept, chained=True)
        self._known[gateway, here] = kept
        return True

    def new(self, gateway: str, event: Event, moved: Moved | None, here: StreamPlace, position: int) -> None:
        """The event is the new one at `position`; it may come again in this very transaction."""
        kept = Recognised(event, position=position)
        self._known[gateway, here] = kept
        if moved is not None:
            self._known[gateway, _first(moved)] = kept
            self._note(_first(moved), kept, chained=False)

    async def store(self, pg: Driver, new: Sequence[StoredEvent]) -> None:
        """Notes what there is to note; `new` are the new events' rows in their order."""
        if not self.noted:
            return
        await pg.execute(
            "INSERT INTO event_places (stream, seq, hash, event, chained)"
            " SELECT * FROM unnest($1::text[], $2::bigint[], $3::bytea[], $4::bigint[], $5::boolean[])"
            " ON CONFLICT (stream, seq, hash) DO UPDATE SET chained = event_places.chained OR excluded.chained",
            [place.stream for place in self.noted],
            [place.seq for place in self.noted],
            [bytes.fromhex(place.hash) for place in self.noted],
            [new[kept.position].id if kept.id is None else kept.id for kept, _ in self.noted.values()],
            [chained for _, chained in self.noted.values()],
        )

    def _note(self, place: StreamPlace, kept: Recognised, *, chained: bool) -> None:
        before = self.noted.get(place)
        self.noted[place] = Noted(kept, chained) if before is None else Noted(before.kept, before.chained or chained)


async def places_of(pg: Driver, arrived: Iterable[EventsArrived]) -> Places | None:
    """What is held of the moved events in `arrived`, in one query; None, without a query, if none was moved."""
    asked = {(one.gateway, _first(moved)) for one in arrived for moved in one.batch.moved}
    if not asked:
        return None
    rows = await pg.fetch(
        _KNOWN,
        [gateway for gateway, _ in asked],
        [place.stream for _, place in asked],
        [place.seq for _, place in asked],
        [bytes.fromhex(place.hash) for _, place in asked],
    )
    known: dict[tuple[str, StreamPlace], Recognised] = {}
    for row in rows:
        event = Event(
            seq=row["seq"],
            at=to_instant(row["at"]),
            kind=row["kind"],
            source=row["source"],
            clock=row["clock"],
            data=msgspec.Raw(row["data"].encode()),
        )
        known[row["gateway"], StreamPlace(row["stream"], row["seq"], row["hash"].hex())] = Recognised(
            event, row["id"], redacted=row["redacted_by"] is not None
        )
    return Places(known)


def _first(moved: Moved) -> StreamPlace:
    return StreamPlace(moved.stream, moved.was, moved.hash)


def _same(kept: Recognised, other: Event) -> bool:
    """Whether both are the same fact. Their sequences and hashes differ: those belong to the place."""
    one = kept.event
    return (one.at, one.kind, one.source, one.clock) == (other.at, other.kind, other.source, other.clock) and (
        kept.redacted or bytes(one.data) == bytes(other.data)
    )

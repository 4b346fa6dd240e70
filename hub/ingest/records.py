"""The rows of streams and events, past the ORM: asyncpg's own arrays and COPY. All inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from contract.events import Event, Hash, Moved
from contract.instants import Instant
from hub.database.driver import Driver
from hub.database.event import FirstPlace, StoredEvent, to_datetime
from hub.ingest.rule import Head


class NewEvent(NamedTuple):
    """An accepted event on its way into the table. `first`: where it was first recorded, if that was elsewhere."""

    site: str
    gateway: str
    stream: str
    event: Event
    hash: Hash
    first: Moved | None = None


_COLUMNS = (
    "id", "site", "gateway", "stream", "seq", "at", "received_at", "kind", "source", "clock", "data", "hash",
)  # fmt: skip


async def sites_of(pg: Driver, gateways: Iterable[str]) -> dict[str, str]:
    """Gateway → site, of those that are enrolled."""
    rows = await pg.fetch("SELECT id, site FROM gateways WHERE id = ANY($1::text[])", list(gateways))
    return {row["id"]: row["site"] for row in rows}


async def lock_streams(pg: Driver, streams: Iterable[str]) -> dict[str, Head]:
    """The heads of those streams that are known, locked until the end of the transaction."""
    rows = await pg.fetch(
        "SELECT id, gateway, head_seq, head_hash, forked_to IS NOT NULL AS ended FROM streams"
        " WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE",
        list(streams),
    )
    return {row["id"]: Head(row["gateway"], row["head_seq"], row["head_hash"].hex(), row["ended"]) for row in rows}


async def held_hashes(pg: Driver, ranges: Sequence[tuple[str, int, int]]) -> dict[str, dict[int, Hash]]:
    """stream → sequence → hash of the events in each (stream, from, to), wherever their rows are."""
    if not ranges:
        return {}
    rows = await pg.fetch(
        "WITH asked AS (SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS asked (stream, low, high))"
        " SELECT e.stream, e.seq, e.hash FROM asked"
        " JOIN events e ON e.stream = asked.stream AND e.seq BETWEEN asked.low AND asked.high"
        " UNION SELECT p.stream, p.seq, p.hash FROM asked"
        " JOIN event_places p ON p.stream = asked.stream AND p.seq BETWEEN asked.low AND asked.high AND p.chained",
        *map(list, zip(*ranges, strict=True)),
    )
    found: dict[str, dict[int, Hash]] = {}
    for row in rows:
        found.setdefault(row["stream"], {})[row["seq"]] = row["hash"].hex()
    return found


async def insert_events(pg: Driver, events: Sequence[NewEvent], received_at: Instant) -> list[StoredEvent]:
    """Store `events` in their order, with ids that follow it. The history lock must be held."""
    last_id = await pg.fetchval(
        "SELECT setval('events_id_seq', nextval('events_id_seq') + $1::bigint)", len(events) - 1
    )
    first_id = last_id - len(events) + 1
    received = to_datetime(received_at)
    stored = [_stored(first_id + place, new, received_at) for place, new in enumerate(events)]
    rows = (_row(event, new, received) for event, new in zip(stored, events, strict=True))
    await pg.copy_records_to_table("events", records=rows, columns=_COLUMNS)
    return stored


async def move_heads(pg: Driver, heads: Mapping[str, Head], sites: Mapping[str, str], now: datetime) -> None:
    """Store how far the streams are held now."""
    await pg.execute(
        "INSERT INTO streams (id, gateway, site, head_seq, head_hash, started_at)"
        " SELECT id, gateway, site, seq, hash, $6 FROM"
        " unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bytea[]) AS moved (id, gateway, site, seq, hash)"
        " ON CONFLICT (id) DO UPDATE SET head_seq = excluded.head_seq, head_hash = excluded.head_hash",
        list(heads),
        [head.gateway for head in heads.values()],
        [sites.get(head.gateway or "") for head in heads.values()],
        [head.seq for head in heads.values()],
        [bytes.fromhex(head.hash) for head in heads.values()],
        now,
    )


def _stored(event_id: int, new: NewEvent, received_at: Instant) -> StoredEvent:
    return StoredEvent(
        id=event_id,
        site=new.site,
        gateway=new.gateway,
        stream=new.stream,
        seq=new.event.seq,
        at=new.event.at,
        received_at=received_at,
        kind=new.event.kind,
        source=new.event.source,
        data=new.event.data,
        first=None if new.first is None else FirstPlace(stream=new.first.stream, seq=new.first.was),
    )


def _row(stored: StoredEvent, new: NewEvent, received: datetime) -> tuple[object, ...]:
    return (
        stored.id,
        stored.site,
        stored.gateway,
        stored.stream,
        stored.seq,
        to_datetime(stored.at),
        received,
        stored.kind,
        stored.source,
        new.event.clock,
        bytes(stored.data).decode(),
        bytes.fromhex(new.hash),
    )

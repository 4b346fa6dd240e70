"""The hub's own stream: what people and the hub itself do, hash-chained like a gateway's journal, in the same table."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import BigInteger, LargeBinary, Text

from contract.commands import Person
from contract.events import GENESIS, SOURCE_LENGTH, Event, chain
from contract.fitting import recorded_data, shortened, writable
from contract.instants import instant
from hub.database.event import StoredEvent, to_datetime
from hub.database.transactions import Database, lock_history, outcome
from web.witness import Recorder, Told

HUB = Person(id="hub", name="Gatehouse", role="admin")
"""Who changes what no person changed: the command line, the clock."""

_HEAD = text("SELECT id, head_seq, head_hash FROM streams WHERE gateway IS NULL FOR UPDATE")
_FIRST = text(
    "INSERT INTO streams (id, gateway, site, head_seq, head_hash, started_at)"
    " VALUES (:id, NULL, NULL, 0, :genesis, now())"
)
_MOVE = text("UPDATE streams SET head_seq = :seq, head_hash = :hash WHERE id = :id")
# Ids follow the order of the stream: the next one is drawn after the rows are sorted.
_INSERT = text(
    "INSERT INTO events (id, site, gateway, stream, seq, at, received_at, kind, source, clock, data, hash)"
    " SELECT nextval('events_id_seq'), site, NULL, :stream, seq, :at, :at, kind, source, 'ok', CAST(data AS json), hash"
    " FROM unnest(:sites, :seqs, :kinds, :sources, :datas, :hashes) AS new (site, seq, kind, source, data, hash)"
    " ORDER BY seq RETURNING id"
).bindparams(
    bindparam("seqs", type_=ARRAY(BigInteger)),
    bindparam("hashes", type_=ARRAY(LargeBinary)),
    *(bindparam(name, type_=ARRAY(Text)) for name in ("sites", "kinds", "sources", "datas")),
)


class Fact(NamedTuple):
    """Something that happened at the hub. `site`: whose history it belongs to, None for the whole company."""

    kind: str
    source: str
    data: msgspec.Struct
    site: str | None = None


async def record(
    conn: AsyncConnection,
    kind: str,
    source: str,
    data: msgspec.Struct,
    *,
    site: str | None = None,
    at: datetime | None = None,
) -> StoredEvent:
    """Append one event to the hub's stream; see `record_all`."""
    return (await record_all(conn, [Fact(kind, source, data, site)], at=at))[0]


async def record_all(conn: AsyncConnection, facts: Sequence[Fact], *, at: datetime | None = None) -> list[StoredEvent]:
    """Append events to the hub's stream in this transaction; screens see them after the commit.

    Takes the history lock: a transaction that has changed rows before must have been opened with `writes=True`.
    """
    await lock_history(conn)
    stream, head_seq, head_hash = await _head(conn)
    moment = instant(round((at or datetime.now(UTC)).timestamp() * 1000))
    events = [
        Event(
            seq=head_seq + place,
            at=moment,
            kind=fact.kind,
            source=shortened(writable(fact.source), SOURCE_LENGTH),
            data=msgspec.Raw(recorded_data(fact.kind, fact.data)),
        )
        for place, fact in enumerate(facts, 1)
    ]
    hashes = [bytes.fromhex(digest) for digest in chain(head_hash, events)]
    rows = {
        "stream": stream,
        "at": to_datetime(moment),
        "sites": [fact.site for fact in facts],
        "seqs": [event.seq for event in events],
        "kinds": [event.kind for event in events],
        "sources": [event.source for event in events],
        "datas": [bytes(event.data).decode() for event in events],
        "hashes": hashes,
    }
    ids = (await conn.execute(_INSERT, rows)).scalars().all()
    await conn.execute(_MOVE, {"seq": events[-1].seq, "hash": hashes[-1], "id": stream})
    stored = [
        StoredEvent(
            id=event_id,
            site=fact.site,
            gateway=None,
            stream=stream,
            seq=event.seq,
            at=moment,
            received_at=moment,
            kind=event.kind,
            source=event.source,
            data=event.data,
        )
        for event_id, fact, event in zip(ids, facts, events, strict=True)
    ]
    outcome(conn).events.extend(stored)
    return stored


def witnessed(database: Database) -> Recorder:
    """Records what people read and were refused, each in a transaction of its own."""

    async def record_it(told: Told) -> None:
        async with database.transaction(writes=True) as conn:
            await record(conn, told.kind, told.source, told.data, site=told.site)

    return record_it


async def _head(conn: AsyncConnection) -> tuple[str, int, str]:
    row = (await conn.execute(_HEAD)).one_or_none()
    if row is not None:
        return row.id, row.head_seq, row.head_hash.hex()
    stream = uuid.uuid4().hex
    await conn.execute(_FIRST, {"id": stream, "genesis": bytes.fromhex(GENESIS)})
    return stream, 0, GENESIS

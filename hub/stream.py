"""The hub's own stream: what people and the hub itself do, hash-chained like a gateway's journal, in the same table."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.events import GENESIS, Event, chained
from contract.instants import instant
from contract.kinds import encode_data
from hub.db import lock_history, outcome
from hub.events.stored import StoredEvent, to_datetime

_HEAD = text("SELECT id, head_seq, head_hash FROM streams WHERE gateway IS NULL FOR UPDATE")
_FIRST = text(
    "INSERT INTO streams (id, gateway, site, head_seq, head_hash, started_at)"
    " VALUES (:id, NULL, NULL, 0, :genesis, now())"
)
_MOVE = text("UPDATE streams SET head_seq = :seq, head_hash = :hash WHERE id = :id")
_INSERT = text(
    "INSERT INTO events (id, site, gateway, stream, seq, at, received_at, kind, source, clock, data, hash)"
    " VALUES (nextval('events_id_seq'), :site, NULL, :stream, :seq, :at, :at, :kind, :source, 'ok',"
    " CAST(:data AS json), :hash) RETURNING id"
)


async def record(
    conn: AsyncConnection,
    kind: str,
    source: str,
    data: msgspec.Struct,
    *,
    site: str | None = None,
    at: datetime | None = None,
) -> StoredEvent:
    """Append one event to the hub's stream in this transaction; screens see it after the commit.

    `site`: whose history it belongs to, None for the whole company. Takes the history lock: a transaction that has
    changed rows before must have been opened with `writes=True`.
    """
    await lock_history(conn)
    stream, head_seq, head_hash = await _head(conn)
    moment = instant(round((at or datetime.now(UTC)).timestamp() * 1000))
    event = Event(seq=head_seq + 1, at=moment, kind=kind, source=source, data=encode_data(data))
    digest = bytes.fromhex(chained(head_hash, event))
    row = {
        "site": site,
        "stream": stream,
        "seq": event.seq,
        "at": to_datetime(moment),
        "kind": kind,
        "source": source,
        "data": bytes(event.data).decode(),
        "hash": digest,
    }
    stored_id = (await conn.execute(_INSERT, row)).scalar_one()
    await conn.execute(_MOVE, {"seq": event.seq, "hash": digest, "id": stream})
    stored = StoredEvent(
        id=stored_id,
        site=site,
        gateway=None,
        stream=stream,
        seq=event.seq,
        at=moment,
        received_at=moment,
        kind=kind,
        source=source,
        data=event.data,
    )
    outcome(conn).events.append(stored)
    return stored


async def _head(conn: AsyncConnection) -> tuple[str, int, str]:
    row = (await conn.execute(_HEAD)).one_or_none()
    if row is not None:
        return row.id, row.head_seq, row.head_hash.hex()
    stream = uuid.uuid4().hex
    await conn.execute(_FIRST, {"id": stream, "genesis": bytes.fromhex(GENESIS)})
    return stream, 0, GENESIS

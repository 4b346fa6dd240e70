"""Plates and card numbers leave the history when their time is over, and the chain goes on to verify.

What is redacted keeps its hash, which the next event's hash covers. What stands in its place is told by an event of the
hub's own (`data.pruned`) with a digest of it: `hub verify` finds a row that was altered under the cover of a redaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import BigInteger, Text

from contract.kinds import DataPruned
from hub import stream
from hub.events.stored import to_instant

GONE = "••••"

PERSONAL: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "access.granted": (("credential", "value"),),
    "access.denied": (("credential", "value"),),
    "passage.made": (("credential", "value"),),
    "plate.seen": (("plate",), ("plate_id",)),
}
"""Event kind → where in its data a number stands that leads to a person. As in the index `ix_events_personal`."""

_KINDS = ", ".join(f"'{kind}'" for kind in sorted(PERSONAL))
INDEXED = f"redacted_by IS NULL AND kind IN ({_KINDS})"

_OLD = text(
    f"SELECT id, kind, CAST(data AS text) AS data FROM events WHERE {INDEXED} AND received_at < :before"
    " ORDER BY received_at LIMIT :most"
)
_PUT = text(
    "UPDATE events SET data = CAST(new.data AS json), redacted_by = :by"
    " FROM unnest(:ids, :datas) AS new (id, data) WHERE events.id = new.id"
).bindparams(bindparam("ids", type_=ARRAY(BigInteger)), bindparam("datas", type_=ARRAY(Text)))


async def redact(conn: AsyncConnection, before: datetime, most: int) -> int:
    """Take the numbers out of at most `most` events that came before then, and record it; how many those were.

    In a transaction opened with `writes=True`.
    """
    rows = (await conn.execute(_OLD, {"before": before, "most": most})).all()
    if not rows:
        return 0
    kept = sorted((row.id, without(row.kind, row.data)) for row in rows)
    done = DataPruned(what="numbers", before=to_instant(before), count=len(kept), digest=digest(kept))
    told = await stream.record(conn, "data.pruned", "hub", done)
    await conn.execute(_PUT, {"by": told.id, "ids": [id for id, _ in kept], "datas": [data for _, data in kept]})
    return len(kept)


def without(kind: str, data: str) -> str:
    """An event's data without the numbers that lead to a person."""
    found = msgspec.json.decode(data)
    for path in PERSONAL.get(kind, ()):
        _blank(found, path)
    return msgspec.json.encode(found).decode()


def digest(rows: Iterable[tuple[int, str]]) -> str:
    """Of redacted events, (id, data) by id."""
    found = hashlib.sha256()
    for row_id, data in rows:
        found.update(f"{row_id}\n{data}\n".encode())
    return found.hexdigest()


def _blank(found: Any, path: tuple[str, ...]) -> None:
    *outer, last = path
    for name in outer:
        found = found.get(name) if isinstance(found, dict) else None
    if isinstance(found, dict) and found.get(last):
        found[last] = GONE

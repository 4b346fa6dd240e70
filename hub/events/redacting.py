"""Plates and card numbers leave the history when their time is over, and the chain goes on to verify.

What is redacted keeps its hash, which the next event's hash covers. What is left of it is told by an event of the hub's
own (`data.pruned`) with a digest of it: `hub verify` finds a row that was altered under the cover of a redaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import BigInteger, Text

from contract.facts.hub import DataPruned
from contract.instants import Instant
from hub.database.event import to_instant
from hub.database.rows import StatementRow
from hub.events import stream

GONE = "••••"

PERSONAL: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "access.granted": (("credential", "value"),),
    "access.denied": (("credential", "value"),),
    "car.arrived": (("plate",),),
    "car.left": (("plate",),),
    "command.done": (("plate",), ("despite",)),
    "command.failed": (("plate",),),
    "passage.made": (("credential", "value"),),
    "plate.seen": (("plate",), ("plate_id",)),
}
"""Event kind → where in its data a number stands that leads to a person. As in the index `ix_events_personal`."""

LEFT = "e.id, e.stream, e.seq, e.at, e.kind, e.source, e.clock, CAST(e.data AS text) AS data, e.hash"
"""Columns that `left_of` needs of `events e`."""

_KINDS = ", ".join(f"'{kind}'" for kind in sorted(PERSONAL))
INDEXED = f"redacted_by IS NULL AND kind IN ({_KINDS})"

_OLD = text(f"SELECT {LEFT} FROM events e WHERE {INDEXED} AND received_at < :before ORDER BY received_at LIMIT :most")
_PUT = text(
    "UPDATE events SET data = CAST(new.data AS json), redacted_by = :by"
    " FROM unnest(:ids, :datas) AS new (id, data) WHERE events.id = new.id"
).bindparams(bindparam("ids", type_=ARRAY(BigInteger)), bindparam("datas", type_=ARRAY(Text)))


class Left(NamedTuple):
    """All that is left of a redacted event, and may not be altered."""

    id: int
    stream: str
    seq: int
    at: Instant
    kind: str
    source: str
    clock: str
    data: str
    hash: str


async def redact(conn: AsyncConnection, before: datetime, most: int) -> list[int]:
    """Take the numbers out of at most `most` events that came before then, and record it; which those were.

    In a transaction opened with `writes=True`.
    """
    rows = (await conn.execute(_OLD, {"before": before, "most": most})).all()
    if not rows:
        return []
    left = sorted(row._replace(data=without(row.kind, row.data)) for row in map(left_of, rows))
    done = DataPruned(what="numbers", before=to_instant(before), count=len(left), digest=digest(left))
    told = await stream.record(conn, "data.pruned", "hub", done)
    await conn.execute(_PUT, {"by": told.id, "ids": [row.id for row in left], "datas": [row.data for row in left]})
    return [row.id for row in left]


def without(kind: str, data: str) -> str:
    """An event's data without the numbers that lead to a person; `{}` of what cannot be looked into.

    The ingest keeps data as it came, also what no reader takes: a number out of range in a field that nobody knows.
    """
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "{}"
    numbers = [_blank(found, path) for path in PERSONAL.get(kind, ())]
    if isinstance(found, dict) and isinstance(found.get("why"), dict):
        # Why a command was not carried out may name the plate besides.
        for number in filter(None, numbers):
            found["why"] = {name: _without_number(words, number) for name, words in found["why"].items()}
    return msgspec.json.encode(found).decode()


def left_of(row: StatementRow) -> Left:
    """What is left of an event, from a row with the columns `LEFT`."""
    return Left(
        row.id, row.stream, row.seq, to_instant(row.at), row.kind, row.source, row.clock, row.data, row.hash.hex()
    )


class Digest:
    """SHA-256 of the JSON list of redacted events, taken one after another: by id."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256(b"[")
        self._between = b""

    def add(self, row: Left) -> None:
        """The next one."""
        self._hash.update(self._between + msgspec.json.encode(row))
        self._between = b","

    def hex(self) -> str:
        """Of all that came; the last word."""
        self._hash.update(b"]")
        return self._hash.hexdigest()


def digest(rows: Iterable[Left]) -> str:
    """Of redacted events, by id."""
    found = Digest()
    for row in rows:
        found.add(row)
    return found.hex()


def _without_number(words: object, number: str) -> object:
    return words.replace(number, GONE) if isinstance(words, str) else words


def _blank(found: object, path: tuple[str, ...]) -> str:
    """Takes out what stands there, and answers with it."""
    *outer, last = path
    for name in outer:
        found = found.get(name) if isinstance(found, dict) else None
    if not isinstance(found, dict) or not found.get(last):
        return ""
    number, found[last] = found[last], GONE
    return str(number)

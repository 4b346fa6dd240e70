"""Reading the history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.events.stored import FirstPlace, StoredEvent, to_instant

COLUMNS = (
    "id, site, gateway, events.stream, events.seq, at, received_at, kind, source, CAST(data AS text) AS data,"
    " first.stream AS first_stream, first.seq AS first_seq"
)
"""What `stored` needs of `EVENTS`."""

EVENTS = "events LEFT JOIN event_places first ON first.event = events.id AND NOT first.chained"
"""The history, and of each event where it was first recorded if that was elsewhere."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which events. `sites` None: of every site, and the company's own. `after`: oldest first, above that id."""

    sites: Sequence[str] | None = None
    kinds: Sequence[str] = ()
    sources: Sequence[str] = ()
    after: int | None = None
    before: int | None = None

    @property
    def oldest_first(self) -> bool:
        """The order of the answer."""
        return self.after is not None


PAGE_BYTES = 4_000_000
"""Data of the events of one answer at the most: many large ones come in several pages."""


async def events(
    conn: AsyncConnection, wanted: Wanted, limit: int, *, most_bytes: int = PAGE_BYTES
) -> list[StoredEvent]:
    """At most `limit` events, in the order that `wanted` says; fewer if they have more data than `most_bytes`."""
    # A list of one site is the common case, and only an equality can walk the index (site, id) in order.
    values: dict[str, Any] = {"limit": limit, "most_bytes": most_bytes}
    conditions = [
        *_among("site", wanted.sites, values),
        *_among("kind", wanted.kinds or None, values),
        *_among("source", wanted.sources or None, values),
    ]
    for name, sign, edge in (("after", ">", wanted.after), ("before", "<", wanted.before)):
        if edge is not None:
            conditions.append(f"id {sign} :{name}")
            values[name] = edge
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    order = "id" if wanted.oldest_first else "id DESC"
    found = f"SELECT {COLUMNS} FROM {EVENTS} {where} ORDER BY {order} LIMIT :limit"
    # The first one always comes, however large it is.
    sized = (
        f"SELECT *, sum(octet_length(data)) OVER (ORDER BY {order}) - octet_length(data) AS size_before"
        f" FROM ({found}) AS found"
    )
    rows = await conn.execute(
        text(f"SELECT * FROM ({sized}) AS sized WHERE size_before < :most_bytes ORDER BY {order}"), values
    )
    return [stored(row) for row in rows]


def full(found: Sequence[StoredEvent], most_bytes: int = PAGE_BYTES) -> bool:
    """Whether so much data was found that there may be more events than came."""
    return sum(len(bytes(event.data)) for event in found) >= most_bytes


def stored(row: Row[Any]) -> StoredEvent:
    """An event from its row, with its exact data."""
    return StoredEvent(
        id=row.id,
        site=row.site,
        gateway=row.gateway,
        stream=row.stream,
        seq=row.seq,
        at=to_instant(row.at),
        received_at=to_instant(row.received_at),
        kind=row.kind,
        source=row.source,
        data=msgspec.Raw(row.data.encode()),
        first=None if row.first_stream is None else FirstPlace(stream=row.first_stream, seq=row.first_seq),
    )


def _among(column: str, allowed: Sequence[str] | None, values: dict[str, Any]) -> list[str]:
    if allowed is None:
        return []
    if len(allowed) == 1:
        values[column] = allowed[0]
        return [f"{column} = :{column}"]
    values[column] = list(allowed)
    return [f"{column} = ANY(:{column})"]

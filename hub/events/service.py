"""Reading the history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.rights import EVERYBODY_SEES, Viewer, data_seen, kinds_of_oneself, kinds_seen
from hub.database.event import FirstPlace, StoredEvent, to_instant
from hub.database.rows import StatementRow

COLUMNS = (
    "id, site, gateway, events.stream, events.seq, at, received_at, kind, source, CAST(data AS text) AS data,"
    " first.stream AS first_stream, first.seq AS first_seq"
)
"""What `stored` needs of `EVENTS`."""

EVENTS = "events LEFT JOIN event_places first ON first.event = events.id AND NOT first.chained"
"""The history, and of each event where it was first recorded if that was elsewhere."""


@dataclass(frozen=True, kw_only=True)
class WantedEvents:
    """Which events. `sites` None: of every site, and the company's own. `after`: oldest first, above that id.

    `viewer`: for whose eyes; what is hidden from them is not there, or not in it.
    """

    sites: Sequence[str] | None = None
    viewer: Viewer = EVERYBODY_SEES
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


class FoundEvents(NamedTuple):
    """Events as they are seen. `full`: so much data was found that there may be more events than came."""

    events: list[StoredEvent]
    full: bool


async def events(
    conn: AsyncConnection, wanted: WantedEvents, limit: int, *, most_bytes: int = PAGE_BYTES
) -> FoundEvents:
    """At most `limit` events, in the order that `wanted` says; fewer if they have more data than `most_bytes`."""
    values: dict[str, object] = {"limit": limit, "most_bytes": most_bytes}
    conditions = [
        *_among("kind", wanted.kinds or None, values),
        *_among("source", wanted.sources or None, values),
    ]
    for name, sign, edge in (("after", ">", wanted.after), ("before", "<", wanted.before)):
        if edge is not None:
            conditions.append(f"id {sign} :{name}")
            values[name] = edge
    order = "id" if wanted.oldest_first else "id DESC"
    # What is about oneself may be of no site: its own walk, as an OR would keep both from their indexes.
    walks = [_of_sites(wanted, values), *_of_oneself(wanted, values)]
    parts = [
        f"SELECT {COLUMNS} FROM {EVENTS} {_where([*walk, *conditions])} ORDER BY {order} LIMIT :limit" for walk in walks
    ]
    whole = parts[0]
    if len(parts) > 1:
        whole = " UNION ALL ".join(f"({part})" for part in parts) + f" ORDER BY {order} LIMIT :limit"
    # The first one always comes, however large it is.
    sized = (
        f"SELECT *, sum(octet_length(data)) OVER (ORDER BY {order}) - octet_length(data) AS size_before"
        f" FROM ({whole}) AS found"
    )
    rows = await conn.execute(
        text(f"SELECT * FROM ({sized}) AS sized WHERE size_before < :most_bytes ORDER BY {order}"), values
    )
    found = [stored(row) for row in rows]
    # Of the data as it is stored: what is hidden of it was read too.
    size = sum(len(bytes(event.data)) for event in found)
    return FoundEvents([seen(event, wanted.viewer) for event in found], size >= most_bytes)


def seen(event: StoredEvent, viewer: Viewer) -> StoredEvent:
    """An event that they may know of, as they see it."""
    data = data_seen(viewer, event.kind, event.data)
    return event if data is event.data else msgspec.structs.replace(event, data=data)


def _of_sites(wanted: WantedEvents, values: dict[str, object]) -> list[str]:
    """What the viewer sees of the sites that were asked for."""
    # A list of one site is the common case, and only an equality can walk the index (site, id) in order.
    conditions = _among("site", wanted.sites, values)
    kinds = kinds_seen(wanted.viewer)
    if kinds is not None:
        values |= {"seen": kinds, "own": kinds_of_oneself(), "names": sorted(wanted.viewer.names)}
        conditions.append(f"(kind = ANY(:seen) OR {_OWN})")
    return conditions


def _of_oneself(wanted: WantedEvents, values: dict[str, object]) -> list[list[str]]:
    """What is about the viewer and of no site, for those to whom that is not shown anyway."""
    if wanted.sites is None or not wanted.viewer.names:
        return []
    values |= {"own": kinds_of_oneself(), "names": sorted(wanted.viewer.names)}
    return [["site IS NULL", "source = ANY(:names)", "kind = ANY(:own)"]]


_OWN = (
    "CASE WHEN kind <> ALL(:own) THEN false WHEN source = ANY(:names) THEN true"
    " WHEN strpos(CAST(data AS text), '\\u') = 0 THEN data->>'username' = ANY(:names) ELSE false END"
)
"""Whether an event of those kinds is about the viewer; the data of no other kind is looked into, nor data with an
escape: a gateway may have escaped what no text holds (U+0000), in whichever field, and the operator would raise."""


def _where(conditions: Sequence[str]) -> str:
    return f"WHERE {' AND '.join(conditions)}" if conditions else ""


def stored(row: StatementRow) -> StoredEvent:
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


def _among(column: str, allowed: Sequence[str] | None, values: dict[str, object]) -> list[str]:
    if allowed is None:
        return []
    if len(allowed) == 1:
        values[column] = allowed[0]
        return [f"{column} = :{column}"]
    values[column] = list(allowed)
    return [f"{column} = ANY(:{column})"]

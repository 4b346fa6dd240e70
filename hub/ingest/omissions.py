"""Events that are refused one by one: they stand in no history, and their stream goes on past them.

| refused                                       | fault    |
|-----------------------------------------------|----------|
| a kind that is for the hub to say             | `origin` |
| more data than its kind may have              | `size`   |

`event.refused` of the hub's own stream names each by place, kind and hash. Their places are noted of that event, so
that what is sent again is recognised and both chains verify: the one that runs past them, and the one that says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.events import Event, Hash
from contract.facts.hub import EventRefused, RefusedEvent
from contract.kinds import data_limit, may_say
from contract.limits import BATCH_LIMIT
from hub.database.driver import Driver
from hub.events import stream
from hub.ingest.refusals import REFUSED

log = structlog.get_logger(__name__)

SAMPLE_BYTES = 120

_NOTE = (
    "INSERT INTO event_places (stream, seq, hash, event, chained)"
    " SELECT $1, seq, hash, $4, true FROM unnest($2::bigint[], $3::bytea[]) AS refused (seq, hash)"
    " ON CONFLICT (stream, seq, hash) DO UPDATE SET chained = true"
)


class Fault(NamedTuple):
    """Why an event is refused: a word for counting, a sentence for people."""

    name: str
    why: str


class Whose(NamedTuple):
    """Refused together: of one gateway and stream, for one reason."""

    gateway: str
    stream: str
    fault: Fault


def fault_of(event: Event) -> Fault | None:
    """Why an event of a gateway can never be taken in; None if it can."""
    if not may_say(event.kind):
        return Fault("origin", f"{event.kind} is not for a gateway to say")
    size, limit = len(bytes(event.data)), data_limit(event.kind)
    if size > limit:
        return Fault("size", f"{event.kind} with {size} bytes of data, at most {limit} are held")
    return None


class Omissions:
    """The refused events of one transaction."""

    def __init__(self) -> None:
        self._found: dict[Whose, list[tuple[Event, Hash]]] = {}

    def add(self, gateway: str, stream_id: str, event: Event, digest: Hash, fault: Fault) -> None:
        """Note one."""
        REFUSED.labels("event", fault.name).inc()
        self._found.setdefault(Whose(gateway, stream_id, fault), []).append((event, digest))

    async def store(self, conn: AsyncConnection, pg: Driver, sites: Mapping[str, str]) -> None:
        """Record `event.refused`, and note the places that were passed over."""
        for whose, found in self._found.items():
            log.warning("ingest.event_refused", gateway=whose.gateway, why=whose.fault.why, count=len(found))
            for start in range(0, len(found), BATCH_LIMIT):
                await _store(conn, pg, whose, found[start : start + BATCH_LIMIT], sites[whose.gateway])


async def _store(conn: AsyncConnection, pg: Driver, whose: Whose, found: list[tuple[Event, Hash]], site: str) -> None:
    first, _ = found[0]
    data = EventRefused(
        gateway=whose.gateway,
        stream=whose.stream,
        why=whose.fault.why,
        events=[RefusedEvent(seq=event.seq, kind=event.kind, hash=digest) for event, digest in found],
        sample=bytes(first.data)[:SAMPLE_BYTES].decode("utf-8", "backslashreplace").replace("\x00", "\\x00"),
    )
    told = await stream.record(conn, "event.refused", whose.gateway, data, site=site)
    places = [event.seq for event, _ in found], [bytes.fromhex(digest) for _, digest in found]
    await pg.execute(_NOTE, whose.stream, *places, told.id)

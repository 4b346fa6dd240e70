"""The hub's side of the live stream: what screens start from, what they missed, and what each commit tells them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.facts.hub import RecordChanged
from contract.kinds import decode_data
from contract.rights import Viewer
from hub.database.event import StoredEvent
from hub.database.transactions import Database, Outcome
from hub.domain import Standing
from hub.events.service import WantedEvents, events
from web.doing import concerned, seen
from web.live.screens import LiveEvent, Sites, View, things_seen
from web.live.stream import Live, Snapshot
from web.moments import written

NEWEST = 50
"""Events in a snapshot."""

MISSED_BYTES = 16_000_000
"""Data of the events that a screen is told after it was away; beyond it, it starts anew."""

_LAST = text("SELECT coalesce(max(id), 0) FROM events")


class HubLiveSource:
    """`web.live.stream.LiveSource` over PostgreSQL."""

    def __init__(self, database: Database, standing: Sequence[Standing]) -> None:
        self._database = database
        self._standing = standing

    async def missed(self, view: View, after: int, limit: int) -> list[LiveEvent] | None:
        """Events after `after`, oldest first."""
        async with self._moment() as conn:
            if after > (await conn.execute(_LAST)).scalar_one():
                return None
            wanted = WantedEvents(sites=_list(view.sites), viewer=view.viewer, after=after)
            found = await events(conn, wanted, limit + 1, most_bytes=MISSED_BYTES)
        too_many = len(found.events) > limit or found.full
        return None if too_many else [live_event(event) for event in found.events]

    async def snapshot(self, view: View) -> Snapshot:
        """Everything that a screen starts from, as of one moment."""
        async with self._moment() as conn:
            last = (await conn.execute(_LAST)).scalar_one()
            standing = await self._standing_at(conn, view)
            # What is about oneself is in the history: a snapshot is shared.
            viewer = view.viewer._replace(names=frozenset())
            newest = await events(conn, WantedEvents(sites=_list(view.sites), viewer=viewer), NEWEST)
            more = {"as_of": written(datetime.now(UTC)), "events": newest.events}
        return _snapshot(last, view.viewer, standing, more)

    async def _standing_at(self, conn: AsyncConnection, view: View) -> Mapping[str, Sequence[Mapping[str, object]]]:
        found: dict[str, Sequence[Mapping[str, object]]] = {}
        for standing in self._standing:
            here = await standing(conn, _list(view.sites))
            assert found.keys().isdisjoint(here)
            found |= here
        return found

    @asynccontextmanager
    async def _moment(self) -> AsyncIterator[AsyncConnection]:
        """A connection that sees the database as it is at one moment."""
        async with self._database.engine.connect() as conn:
            await conn.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            async with conn.begin():
                yield conn


def _snapshot(
    last: int, viewer: Viewer, things: Mapping[str, Sequence[Mapping[str, Any]]], more: Mapping[str, object]
) -> Snapshot:
    """All is written once; for whom tickets are another matter, nothing but these again."""
    rest = {kind: found for kind, found in things.items() if kind != "ticket"}
    alike = {name: _raw(value) for name, value in {**more, **things_seen(viewer, rest)}.items()}
    tickets = [
        (ticket, concerned([ticket]), _raw(seen(viewer, "ticket", ticket))) for ticket in things.get("ticket", ())
    ]

    def own(names: frozenset[str]) -> bytes:
        like = viewer._replace(names=names)
        shown = [_raw(seen(like, "ticket", ticket)) if about & names else raw for ticket, about, raw in tickets]
        return msgspec.json.encode({**alike, "tickets": shown})

    return Snapshot(last, own(viewer.names), frozenset[str]().union(*(about for _, about, _ in tickets)), own)


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def tell(live: Live) -> Callable[[Outcome], None]:
    """What to do after each commit: show it, and end the screens of accounts that changed."""

    def told(outcome: Outcome) -> None:
        live.publish([live_event(event) for event in outcome.events], outcome.states)
        for event in outcome.events:
            # Only what this hub itself did: no gateway's word ends a screen.
            if event.gateway is None and event.kind == "account.changed":
                data = decode_data(event.kind, event.data)
                # A change of language alone is no reason; whoever lost a right must lose the screen with it.
                if isinstance(data, RecordChanged) and data.fields != ["language"]:
                    live.end(data.id)

    return told


def live_event(event: StoredEvent) -> LiveEvent:
    """The event as the live stream sends it: the JSON of a REST item."""

    def item(data: msgspec.Raw) -> bytes:
        return msgspec.json.encode(event if data is event.data else msgspec.structs.replace(event, data=data))

    return LiveEvent(event.id, event.site or "", event.kind, event.source, event.data, item)


def _list(sites: Sites) -> list[str] | None:
    return None if sites is None else sorted(sites)

"""The history: filters, cursors, who may read what, and the chain that names the first row that disagrees."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from contract.facts.hub import GatewaySeen
from contract.limits import WIDE_EVENT_BYTES
from contract.rights import EVERYBODY_SEES
from hub.database.transactions import Database
from hub.domains import STANDING
from hub.events import stream
from hub.events.service import PAGE_BYTES
from hub.events.verifying import verify
from hub.live import HubLiveSource
from tests.hub.office import Office, office
from tests.hub.senders import Journal
from web.live.screens import View

GATEWAY_EVENTS = 9
"""Of each site: its description, then eight that `told` reports."""


async def told(hub: Office, site: str = "demo") -> None:
    """Eight events of two kinds from two doors."""
    journal = hub.journals[site]
    for number in range(8):
        kind, source = ("door.opened", "door.closed")[number % 2], ("lobby-a", "garage")[number // 4]
        journal.record(kind, b'{"by": "free", "n": %d}' % number, source)
    await hub.take(journal.arrived(2, 9))


async def ids(client: httpx.AsyncClient, **query: Any) -> list[int]:
    answer = await client.get("/api/events", params=query)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


async def test_the_shape_of_an_event(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as guard:
        await told(hub)
        item = (await guard.get("/api/events?kind=door.closed&limit=1")).json()["items"][0]
        assert list(item) == [
            "id", "site", "gateway", "stream", "seq", "at", "received_at", "kind", "source", "data", "first",
        ]  # fmt: skip
        assert (item["site"], item["gateway"], item["seq"], item["source"]) == ("demo", "demo-gw", 9, "garage")
        assert item["data"] == {"by": "free", "n": 7}
        assert item["at"].endswith("Z")
        assert len(item["at"]) == len("2026-09-21T08:00:00.000Z")


async def filled(hub: Office, data: bytes, count: int) -> None:
    """So many more events with this data, a few a batch."""
    journal = hub.journals["demo"]
    for _ in range(count):
        event = journal.record("ticket.raised", data, "lobby-a")
        await hub.take(journal.arrived(event.seq, event.seq))


async def test_many_large_events_come_in_several_pages_and_leave_a_snapshot_small(database: Database) -> None:
    """A gateway that fills its events as far as they are held makes nobody's answers large."""
    async with office(database) as hub, hub.signed_in("wang", "guard") as guard:
        large = b'"' + b"x" * (WIDE_EVENT_BYTES - 2) + b'"'
        await filled(hub, large, 25)
        met: list[int] = []
        cursor: int | None = 0
        while cursor is not None:
            answer = await guard.get("/api/events", params={"site": "demo", "after": cursor, "limit": 50})
            assert len(answer.content) < PAGE_BYTES + 2 * WIDE_EVENT_BYTES
            met += [item["seq"] for item in answer.json()["items"] if item["gateway"] == "demo-gw"]
            cursor = answer.json()["next"]
        assert met == list(range(1, 27))
        view = View(frozenset({"demo"}), EVERYBODY_SEES)
        snapshot = await HubLiveSource(database, STANDING).snapshot(view)
        assert len(snapshot.body) < PAGE_BYTES + 2 * WIDE_EVENT_BYTES
        # A screen that was away while more came than it can be told starts anew.
        assert await HubLiveSource(database, STANDING).missed(view, 0, 10_000) is not None
        await filled(hub, large, 25)
        assert await HubLiveSource(database, STANDING).missed(view, 0, 10_000) is None


async def test_pages_in_both_directions(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as guard:
        await told(hub)
        everything = await ids(guard, limit=500)
        assert everything == sorted(everything, reverse=True)
        newest_first: list[int] = []
        cursor = None
        while True:
            query = {"limit": 4} | ({} if cursor is None else {"before": cursor})
            page = (await guard.get("/api/events", params=query)).json()
            newest_first += [item["id"] for item in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
        assert newest_first == everything
        oldest_first: list[int] = []
        cursor = 0
        while cursor is not None:
            page = (await guard.get("/api/events", params={"limit": 4, "after": cursor})).json()
            oldest_first += [item["id"] for item in page["items"]]
            cursor = page["next"]
        assert oldest_first == everything[::-1]
        between = await ids(guard, after=everything[5], before=everything[2])
        assert between == everything[3:5][::-1]
        assert (await guard.get("/api/events", params={"after": everything[0]})).json() == {"items": [], "next": None}


FILTERS = [
    ({"kind": "door.opened"}, 4),
    ({"kind": ["door.opened", "door.closed"]}, 8),
    ({"source": "garage"}, 4),
    ({"source": ["garage", "lobby-a"], "kind": "door.closed"}, 4),
    ({"site": "demo", "kind": "door.opened", "source": "lobby-a"}, 2),
    ({"kind": "nothing.happened"}, 0),
]


@pytest.mark.parametrize(("query", "count"), FILTERS)
async def test_filters(database: Database, query: dict[str, Any], count: int) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as guard:
        await told(hub)
        assert len(await ids(guard, **query)) == count


async def test_nobody_reads_the_history_of_other_sites(database: Database) -> None:
    async with office(database, "demo", "other") as hub, hub.signed_in("wang", "guard") as guard:
        await told(hub)
        await told(hub, "other")
        async with database.transaction(writes=True) as conn:
            await stream.record(conn, "gateway.found", "gw-x", GatewaySeen(gateway="gw-x"))
        sites = {item["site"] for item in (await guard.get("/api/events?limit=500")).json()["items"]}
        assert sites == {"demo"}
        assert (await guard.get("/api/events?site=other")).status_code == 403
        async with hub.signed_in("root", "admin", "*") as admin:
            sites = {item["site"] for item in (await admin.get("/api/events?limit=500")).json()["items"]}
            assert sites == {"demo", "other", None}
        async with hub.client() as nobody:
            assert (await nobody.get("/api/events")).status_code == 401


@pytest.mark.parametrize("query", [{"after": "x"}, {"before": -1}, {"limit": 0}, {"limit": 501}, {"after": 2**63}])
async def test_refused_questions(database: Database, query: dict[str, Any]) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as guard:
        answer = await guard.get("/api/events", params=query)
        assert answer.status_code == 422
        assert list(answer.json()["error"]["fields"]) == list(query)


# --- Verifying


async def test_an_untouched_history_verifies(database: Database) -> None:
    async with office(database, "demo", "other") as hub:
        await told(hub)
        async with database.transaction(writes=True) as conn:
            await stream.record(conn, "gateway.found", "gw-x", GatewaySeen(gateway="gw-x"))
        found = await verify(database)
        assert found.disagreements == []
        # What each site told, what was recorded here, and that both sites were made.
        assert (found.streams, found.events) == (3, GATEWAY_EVENTS + 1 + 1 + 2)


TAMPERED = [
    ("data", "UPDATE events SET data = '{\"by\": \"free\", \"n\": 99}' WHERE stream = :stream AND seq = 5", 5, True),
    ("space", "UPDATE events SET data = replace(data::text,' ','')::json WHERE stream = :stream AND seq = 5", 5, True),
    ("source", "UPDATE events SET source = 'garage' WHERE stream = :stream AND seq = 3", 3, True),
    ("time", "UPDATE events SET at = at + interval '1 ms' WHERE stream = :stream AND seq = 4", 4, True),
    ("hash", "UPDATE events SET hash = sha256('x') WHERE stream = :stream AND seq = 6", 6, True),
    ("row removed", "DELETE FROM events WHERE stream = :stream AND seq = 4", 4, False),
    ("rows removed at the end", "DELETE FROM events WHERE stream = :stream AND seq > 7", 8, False),
    ("whole stream removed", "DELETE FROM events WHERE stream = :stream", 1, False),
    ("head forgotten", "DELETE FROM streams WHERE id = :stream", 1, False),
]  # fmt: skip


@pytest.mark.parametrize(("name", "change", "seq", "row"), TAMPERED, ids=[case[0] for case in TAMPERED])
async def test_whoever_changes_a_row_is_found(database: Database, name: str, change: str, seq: int, row: bool) -> None:
    assert name
    async with office(database) as hub:
        await told(hub)
        journal: Journal = hub.journals["demo"]
        async with database.transaction() as conn:
            await conn.execute(text(change), {"stream": journal.stream})
        found = (await verify(database)).disagreements
        assert [(one.stream, one.seq, one.event is not None) for one in found] == [(journal.stream, seq, row)]
        assert (await verify(database, "f" * 32)).events == 0

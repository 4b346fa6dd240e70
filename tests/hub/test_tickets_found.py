"""Finding tickets: by words, in letters and by sound, by number, whose they are, of what, from when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from alembic import command
from sqlalchemy import ClauseElement
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.layout import DeviceLayout
from contract.texts import Text
from hub import migrations
from hub.access.spelling import MOST_SAID, said_in, sayings
from hub.database.transactions import Database
from hub.jobs.job import Again, Done, Work
from hub.tickets import filling, listing
from tests.hub.office import Office, layout, office
from tests.hub.senders import rows
from web.finding.tickets import WantedTickets

FAULTS = (
    {"title": "大堂灯不亮", "place": "A 座", "severity": "minor"},
    {"title": "电梯困人救援", "asset": "lift-1", "severity": "critical"},
    {"title": {"zh": "水泵干转", "en": "Pump runs dry"}, "asset": "pump-1", "severity": "major"},
    {"title": "门禁坏了", "asset": "lobby-a", "severity": "minor"},
)


async def furnished(hub: Office, client: httpx.AsyncClient) -> dict[int, str]:
    """Four tickets of a site, by number."""
    lift = DeviceLayout(id="lift-1", name=Text("一号客梯", "Lift 1"), kind="lift", profile="p", bus="b")
    here = Text("A 座", "Tower A")
    pump = DeviceLayout(id="pump-1", name=Text("消防泵", "Fire pump"), place=here, kind="pump", profile="p", bus="b")
    await hub.report("site.described", layout("demo", devices=[lift, pump]), "demo")
    found: dict[int, str] = {}
    for fault in FAULTS:
        ticket = (await client.post("/api/tickets", json={"site": "demo", **fault})).json()
        found[ticket["number"]] = ticket["id"]
    return found


async def numbers(client: httpx.AsyncClient, **query: Any) -> list[int]:
    answer = await client.get("/api/tickets", params=query)
    assert answer.status_code == 200, answer.text
    return sorted(item["number"] for item in answer.json()["items"])


async def explained(conn: AsyncConnection, query: ClauseElement) -> str:
    """The way that PostgreSQL goes for it."""
    said = query.compile(dialect=postgresql.asyncpg.dialect(), compile_kwargs={"literal_binds": True})  # type: ignore[no-untyped-call]
    return "\n".join((await conn.exec_driver_sql(f"EXPLAIN ANALYZE {said}")).scalars())


SEARCHES: list[tuple[dict[str, Any], list[int]]] = [
    ({}, [1, 2, 3, 4]),
    ({"q": "灯"}, [1]),
    ({"q": "困人"}, [2]),
    ({"q": "kunren"}, [2]),
    ({"q": "krjy"}, [2]),
    ({"q": "RUNS dry"}, [3]),
    ({"q": "水泵 电梯"}, []),
    ({"q": "a座"}, [1]),
    ({"q": "tower"}, [1]),
    ({"q": "客梯"}, [2]),
    ({"q": "xiaofangbeng"}, [3]),
    ({"q": "lift-1"}, [2]),
    ({"q": "Lobby"}, [4]),
    ({"q": "#3"}, [3]),
    ({"q": "3"}, [3]),
    ({"q": "宋"}, [2]),
    ({"q": "songgong 电梯"}, [2]),
    ({"q": "%"}, []),
    ({"q": "#99999999999999999999"}, []),
    ({"severity": "minor"}, [1, 4]),
    ({"severity": "critical,major"}, [2, 3]),
    ({"asset": ["lift-1", "lobby-a"]}, [2, 4]),
    ({"assignee": "me"}, [2]),
    ({"assignee": "nobody"}, [1, 3, 4]),
    ({"assignee": "me,nobody"}, [1, 2, 3, 4]),
    ({"assignee": "somebody-else"}, []),
    ({"state": "raised,closed", "severity": "minor"}, [1, 4]),
    ({"site": "demo", "q": "灯"}, [1]),
]


async def test_a_list_of_tickets_is_what_was_asked_for(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("song", "maintenance") as song:
        async with database.transaction() as conn:
            await conn.exec_driver_sql("UPDATE accounts SET name = '宋工'")
        known = await furnished(hub, song)
        assert (await song.post(f"/api/tickets/{known[2]}/take")).status_code == 200
        for query, found in SEARCHES:
            assert await numbers(song, **query) == found, query
        now = datetime.now(UTC)
        assert await numbers(song, to=now.isoformat()) == [1, 2, 3, 4]
        assert await numbers(song, **{"from": (now + timedelta(hours=1)).isoformat()}) == []


@pytest.mark.parametrize(
    "query", [{"colour": "red"}, {"severity": "huge"}, {"from": "yesterday"}, {"state": "lost"}, {"q": "x" * 101}]
)
async def test_what_a_list_of_tickets_does_not_know_is_named(database: Database, query: dict[str, str]) -> None:
    async with office(database) as hub, hub.signed_in("song", "maintenance") as song:
        answer = await song.get("/api/tickets", params=query)
        assert (answer.status_code, list(answer.json()["error"]["fields"])) == (422, list(query))


async def test_every_closed_ticket_is_reached_page_by_page(database: Database) -> None:
    async with (
        office(database, "demo", "north") as hub,
        hub.signed_in("song", "maintenance", "demo", "north") as song,
        hub.signed_in("li", "maintenance", "north") as li,
    ):
        for n in range(7):
            body = {"site": "demo" if n % 2 else "north", "title": f"灯 {n} 号"}
            assert (await song.post("/api/tickets", json=body)).status_code == 201
        async with database.transaction() as conn:
            # All in one moment: the id tells them apart.
            await conn.exec_driver_sql("UPDATE tickets SET state = 'closed', raised_at = '2026-01-01T00:00Z'")
        found, cursor = list[str](), ""
        while True:
            page = (await song.get(f"/api/tickets?state=closed&q=deng&limit=2&cursor={cursor}")).json()
            found += [item["id"] for item in page["items"]]
            if (cursor := page["next"]) is None:
                break
        assert len(found) == len(set(found)) == 7
        assert {item["site"] for item in (await li.get("/api/tickets", params={"q": "灯"})).json()["items"]} == {
            "north"
        }


@pytest.mark.parametrize("most", [1, 3, 200])
async def test_tickets_of_before_are_found_after_the_migration(database: Database, most: int) -> None:
    async with office(database) as hub, hub.signed_in("song", "maintenance") as song:
        known = await furnished(hub, song)
        await song.post(f"/api/tickets/{known[3]}/take")
        before = await rows(database, "SELECT id, found_by FROM tickets ORDER BY id")
        async with database.transaction() as conn:
            await conn.run_sync(lambda sync: command.downgrade(migrations.config(sync), "tickets_passed"))
        await migrations.upgrade(database)
        assert await numbers(song, q="kunren") == []
        assert await filling.fill(database, most) == len(FAULTS)
        assert await rows(database, "SELECT id, found_by FROM tickets ORDER BY id") == before
        assert await numbers(song, q="kunren") == [2]
        assert await numbers(song, q="song") == [3]
        assert await filling.fill(database, most) == 0


async def test_what_a_hub_of_before_opens_and_passes_on_is_found(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("song", "maintenance") as song:
        known = await furnished(hub, song)
        for number in (2, 3):
            await song.post(f"/api/tickets/{known[number]}/take")
        before = await rows(database, "SELECT id, found_by FROM tickets WHERE number <> 2 ORDER BY id")
        async with database.transaction() as conn:
            await conn.exec_driver_sql("UPDATE tickets SET found_by = DEFAULT WHERE number = 1")
            li = '{"id": "li", "name": "李工", "role": "maintenance"}'
            await conn.exec_driver_sql(f"UPDATE tickets SET assignee = '{li}' WHERE number = 2")
        # Of what says nothing yet a step says nothing either: what is missing would not be seen any more.
        await song.post(f"/api/tickets/{known[1]}/take")
        assert await rows(database, "SELECT found_by FROM tickets WHERE number = 1") == [("",)]
        await filling.fill(database)
        assert await numbers(song, q="ligong") == [2]
        assert await numbers(song, q="song") == [1, 3]
        assert await numbers(song, q="tower") == [1]
        assert await numbers(song, q="客梯") == [2]
        after = await rows(database, "SELECT id, found_by FROM tickets WHERE number <> 2 ORDER BY id")
        assert [row for row in after if row[0] != known[1]] == [row for row in before if row[0] != known[1]]


async def test_many_tickets_are_filled_in_several_runs(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filling, "STEP", 1)
    monkeypatch.setattr(filling, "STEPS", 3)
    work = Work(database=database, now=datetime.now(UTC))
    async with office(database) as hub, hub.signed_in("song", "maintenance") as song:
        await furnished(hub, song)
        async with database.transaction() as conn:
            await conn.exec_driver_sql("UPDATE tickets SET found_by = DEFAULT")
        assert isinstance(await filling.JOB.work(work), Again)
        # The newest first.
        assert await rows(database, "SELECT number FROM tickets WHERE found_by = ''") == [(1,)]
        assert await filling.JOB.work(work) == Done()
        assert await numbers(song, q="灯") == [1]
        # A start reads only what is left.
        async with database.transaction() as conn:
            await conn.exec_driver_sql("SET LOCAL enable_seqscan = off")
            assert "ix_tickets_unsaid" in await explained(conn, filling._UNSAID.limit(200))


async def test_a_search_by_rare_words_walks_along_an_index(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("song", "maintenance") as song:
        await furnished(hub, song)
        async with database.transaction() as conn:
            await conn.exec_driver_sql(
                "INSERT INTO tickets (id, site, number, asset, cause, severity, title, place, state, raised_at,"
                " updated_at, count, history, found_by) SELECT 't' || n, 'demo', n, '', 'manual', 'minor',"
                """ '{"zh": "灯", "en": "灯"}', '', 'raised', now() - n * interval '1 minute', now(), 1, '[]',"""
                " E'\\n\\n 灯 d ' || md5((n % 100)::text) || repeat(' deng', 100)"
                " FROM generate_series(10, 20000) AS n"
            )
            await conn.exec_driver_sql("SELECT gin_clean_pending_list('ix_tickets_found_by')")
            await conn.exec_driver_sql("ANALYZE tickets")
            for words in (["kunren"], ["客梯"], ["lift-1"], ["电梯", "#2"], ["krjy", "灯"]):
                query = listing.statement(["demo"], None, None, 101, wanted=WantedTickets(words=words))
                plan = await explained(conn, query)
                assert "ix_tickets_found_by" in plan, plan
                assert "Seq Scan" not in plan and "ix_tickets_raised_at" not in plan, plan


@pytest.mark.parametrize(
    ("text", "typed", "found"),
    [
        ("长时间", "changshi", True),
        ("长时间", "zhangshi", True),
        ("2 号楼-漏水", "号楼漏水", True),
        ("Pump runs dry", "umprun", True),
        ("灯", "", False),
        ("灯" * 500, "灯" * 100, True),
    ],
)
def test_words_of_a_text(text: str, typed: str, found: bool) -> None:
    said = said_in(text, "")
    assert len(said) <= MOST_SAID
    assert any(f" {word}" in said for word in sayings(typed)) is found

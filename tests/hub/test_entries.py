"""Entries: made of what gateways tell, found by whatever somebody may type, and gone when their time is over."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from alembic import command
from sqlalchemy import text

from contract.commands import Person
from contract.facts.entry import Access, Direction, PassageMade, PlateSeen, Presented
from contract.facts.gateway import CommandResult
from contract.instants import instant
from contract.texts import Reason
from hub import migrations
from hub.access import respelling
from hub.database.transactions import Database
from hub.entries import filling, service
from hub.entries.service import WantedEntries
from hub.events.redacting import redact
from hub.retention import pruning
from hub.retention.terms import Terms
from tests.hub.office import Office, office
from tests.hub.senders import NOW_MS, rows
from tests.hub.test_retention import NOW

WANG = Person(id="u-1", name="王队", role="guard")


async def person(client: httpx.AsyncClient, name: str, unit: str = "", site: str = "demo") -> str:
    answer = await client.post("/api/holders", json={"site": site, "name": name, "unit": unit})
    return str(answer.json()["id"])


async def came(
    hub: Office, value: str, kind: str = "plate", *, place: str = "gate-in", holder: str | None = None,
    granted: bool = True, site: str = "demo", rule: str = "g-1", code: str = "granted", way: Direction = "in",
) -> int:  # fmt: skip
    """Somebody who came; the sequence of the decision."""
    decided = Access(
        credential=Presented(kind=kind, value=value),  # type: ignore[arg-type]
        holder=holder, rule=rule, revision=1, reason=Reason(code, "因", "why"), direction=way, picture="p-1",
    )  # fmt: skip
    await hub.report("access.granted" if granted else "access.denied", decided, place, site=site)
    return len(hub.journals[site].events)


async def found(client: httpx.AsyncClient, **query: Any) -> list[str]:
    """What was presented, newest first."""
    answer = await client.get("/api/entries", params=query)
    assert answer.status_code == 200, answer.text
    return [_value(item) for item in answer.json()["items"]]


def _value(item: dict[str, Any]) -> str:
    data = item["event"]["data"]
    return str(data["credential"]["value"] if "credential" in data else data.get("plate") or data.get("kind"))


async def day(hub: Office, client: httpx.AsyncClient) -> dict[str, str]:
    """Some people and what they did; name → id."""
    ids = {
        "周建国": await person(client, "周建国", "3-1201"),
        "吕婷": await person(client, "吕婷", "12栋301"),
    }
    await came(hub, "沪A12345", holder=ids["周建国"])
    await came(hub, "京N8X921", granted=False, rule="visitor", code="visitor_ask")
    seq = await came(hub, "04A1B2C3D4E5F6", "card", place="lobby-a", holder=ids["吕婷"])
    await hub.report("passage.made", PassageMade(direction="in", after=seq), "lobby-a")
    await came(hub, "沪AD38516", granted=False, rule="block:b-1", code="blocked_plate", way="out")
    await hub.report(
        "command.done",
        CommandResult(command="c-1", kind="barrier.open", target="gate-in", by=WANG, reason="访客已登记"),
        "gate-in",
    )
    old = Reason("replayed_old", "旧的", "old")
    seen = PlateSeen(plate="苏E00001", camera="gate-in-cam", confidence=0.9, replayed=True, reason=old)
    await hub.report("plate.seen", seen, "gate-in")
    return ids


ALL = ["苏E00001", "barrier.open", "沪AD38516", "04A1B2C3D4E5F6", "京N8X921", "沪A12345"]

SEARCHES: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ALL),
    ({"q": "沪A12345"}, ["沪A12345"]),
    ({"q": "沪a·12345"}, ["沪A12345"]),
    ({"q": "沪 Ａ 123 45"}, ["沪A12345"]),
    ({"q": "a12345"}, ["沪A12345"]),
    ({"q": "12345"}, ["沪A12345"]),
    ({"q": "沪"}, ["沪AD38516", "沪A12345"]),
    ({"q": "n8x9"}, ["京N8X921"]),
    ({"q": "周建国"}, ["沪A12345"]),
    ({"q": "zhou"}, ["沪A12345"]),
    ({"q": "zjg"}, ["沪A12345"]),
    ({"q": "3-1201"}, ["沪A12345"]),
    ({"q": "12 栋 301"}, ["04A1B2C3D4E5F6"]),
    ({"q": "12-301"}, ["04A1B2C3D4E5F6"]),
    ({"q": "04:a1:b2:c3:d4:e5:f6"}, ["04A1B2C3D4E5F6"]),
    ({"q": "大堂"}, ["04A1B2C3D4E5F6"]),
    ({"q": "entry", "site": "demo"}, ["苏E00001", "barrier.open", "沪AD38516", "京N8X921", "沪A12345"]),
    ({"q": "nobody"}, []),
    ({"q": "%"}, []),
    ({"plate": "8X9"}, ["京N8X921"]),
    ({"place": "lobby-a"}, ["04A1B2C3D4E5F6"]),
    ({"place": ["lobby-a", "gate-in"], "traveller": "person"}, ["04A1B2C3D4E5F6"]),
    ({"traveller": "car", "outcome": "waiting,blocked"}, ["沪AD38516", "京N8X921"]),
    ({"outcome": "manual"}, ["barrier.open"]),
    ({"q": "沪", "outcome": "granted"}, ["沪A12345"]),
    ({"site": "demo", "q": "zjg"}, ["沪A12345"]),
    ({"from": instant(NOW_MS - 1000), "to": instant(NOW_MS + 1000), "q": "zjg"}, ["沪A12345"]),
    ({"to": instant(NOW_MS - 1000)}, []),
    ({"from": instant(NOW_MS + 1000)}, []),
]


async def test_what_somebody_types_finds_who_came(database: Database) -> None:
    async with office(database, "demo", "north") as hub, hub.signed_in("li", "manager", "demo", "north") as client:
        ids = await day(hub, client)
        await came(hub, "粤B99999", site="north", holder=await person(client, "郑", "1-1", "north"))
        for query, expected in SEARCHES:
            asked = query if query else {"site": "demo"}
            assert await found(client, **asked) == expected, query
        assert await found(client, holder=ids["吕婷"]) == ["04A1B2C3D4E5F6"]
        assert await found(client, q="b999") == ["粤B99999"]
        assert await found(client, q="b999", site="demo") == []
        (item,) = (await client.get("/api/entries", params={"q": "lt"})).json()["items"]
        assert (item["outcome"], item["traveller"], item["picture"]) == ("granted", "person", "p-1")
        assert item["passed_at"] == instant(NOW_MS + item["event"]["seq"] + 1)
        assert (item["event"]["site"], item["event"]["source"]) == ("demo", "lobby-a")


async def test_what_is_rare_is_found_along_an_index_of_its_own(database: Database) -> None:
    """Among a year of those let in: the bound of a page is what is read, by outcome and by traveller."""
    async with database.transaction() as conn:
        await conn.execute(
            text(
                "INSERT INTO entries (event, site, at, source, outcome, traveller, code) SELECT id, 'demo',"
                " now() - id * interval '1 second', 'gate-in', CASE WHEN id > 19998 THEN 'blocked' ELSE 'granted' END,"
                " CASE WHEN id > 19998 THEN 'person' ELSE 'car' END, '' FROM generate_series(1, 20000) AS id"
            )
        )
        await conn.execute(text("ANALYZE entries"))
        for wanted, index in (
            (WantedEntries(sites=["demo"], outcomes=["blocked", "failed"]), "ix_entries_rare"),
            (WantedEntries(sites=["demo"], outcomes=["blocked"], places=["gate-in"]), "ix_entries_rare"),
            (WantedEntries(sites=["demo"], traveller="person"), "ix_entries_traveller_at"),
        ):
            query, values = service.statement(wanted, 51)
            plan = "\n".join((await conn.execute(text(f"EXPLAIN ANALYZE {query}"), values)).scalars())
            assert index in plan
            assert "rows=20000" not in plan and "Removed by Filter: 1" not in plan


async def test_pages_follow_each_other(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as client:
        for number in range(11):
            await came(hub, f"沪A{number:05}")
        for query in ({}, {"q": "沪A0"}, {"q": "入口"}, {"place": "gate-in"}):
            met: list[str] = []
            cursor: str | None = ""
            while cursor is not None:
                answer = (await client.get("/api/entries", params={**query, "limit": 4, "cursor": cursor})).json()
                met += [_value(item) for item in answer["items"]]
                cursor = answer["next"]
            assert met == [f"沪A{number:05}" for number in reversed(range(11))], query
        for bad in ({"cursor": "x"}, {"outcome": "gone"}, {"plate": "··"}, {"traveller": "dog"}, {"from": "morning"}):
            assert (await client.get("/api/entries", params=bad)).status_code == 422, bad


async def test_who_may_search(database: Database) -> None:
    async with office(database, "demo", "north") as hub:
        await came(hub, "粤B99999", site="north")
        await came(hub, "沪A12345")
        for role, status in (
            ("guard", 200),
            ("installer", 200),
            ("manager", 200),
            ("admin", 200),
            ("maintenance", 403),
        ):
            async with hub.signed_in(f"some-{role}", role, "demo") as client:
                answer = await client.get("/api/entries")
                assert answer.status_code == status
                if status == 200:
                    assert [_value(item) for item in answer.json()["items"]] == ["沪A12345"]
                assert (await client.get("/api/entries", params={"site": "north"})).status_code == 403
        async with hub.signed_in("boss", "admin", "*") as client:
            assert await found(client) == ["沪A12345", "粤B99999"]


async def test_who_looks_for_somebody_is_told_of(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as client:
        await came(hub, "沪A12345")
        await found(client)
        await hub.app.state.witness.close()
        assert await hub.events("records.read") == []
        await found(client, q="沪A1")
        await hub.app.state.witness.close()
        ((_, site, data),) = await hub.events("records.read")
        assert (site, data["what"], data["records"]) == ("demo", "holders", 1)


async def test_numbers_leave_the_entries_when_they_leave_the_history(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("li", "manager") as client:
        await day(hub, client)
        await pruning.prune(database, Terms(pictures=0, changes=0), NOW + timedelta(days=366))
        kept = await rows(database, "SELECT plate, plate_key, number FROM entries GROUP BY 1, 2, 3")
        assert kept == [(None, None, None)]
        assert await found(client, q="沪A12345") == []
        # Whose it was stands, as in the history.
        assert await found(client, q="zjg") == ["••••"]
        # Nor do they come back.
        await emptied(database)
        assert await filled(database, 3) > 1
        assert await rows(database, "SELECT plate, plate_key, number FROM entries GROUP BY 1, 2, 3") == kept


async def emptied(database: Database) -> None:
    """As after an upgrade: the table is there, and nothing in it."""
    async with database.transaction() as conn:
        await conn.execute(text("DELETE FROM entries"))
        await conn.execute(text("UPDATE entries_fill SET upto = (SELECT max(id) FROM events)"))


async def filled(database: Database, most: int) -> int:
    """Fill to the end; in how many steps."""
    for steps in range(1, 100):
        async with database.transaction() as conn:
            if not await filling.step(conn, most):
                return steps
    raise AssertionError("it never ends")


EVERYTHING = "SELECT * FROM entries ORDER BY event"


@pytest.mark.parametrize("most", [1, 2, 3, 100])
async def test_what_was_there_before_is_filled_in_alike(database: Database, most: int) -> None:
    async with office(database) as hub, hub.signed_in("li", "manager") as client:
        await day(hub, client)
        before = await rows(database, EVERYTHING)
        assert len(before) == len(ALL)
        await emptied(database)
        await filled(database, most)
        assert await rows(database, EVERYTHING) == before
        assert await filled(database, most) == 1


async def test_the_schema_of_before_is_brought_here(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("li", "manager") as client:
        await day(hub, client)
        before = await rows(database, EVERYTHING)
        people = "SELECT name, spelled, room_order, found_by FROM holders ORDER BY name"
        named = await rows(database, people)
        async with database.transaction() as conn:
            await conn.run_sync(lambda sync: command.downgrade(migrations.config(sync), "jobs"))
        await migrations.upgrade(database)
        assert await rows(database, "SELECT 1 FROM entries") == []
        assert await rows(database, people) == named
        await filled(database, 100)
        assert await rows(database, EVERYTHING) == before


@pytest.mark.parametrize("most", [1, 2, 3, 100])
async def test_what_a_hub_of_before_records_meanwhile_is_filled_in(database: Database, most: int) -> None:
    """Above the mark too, and a passage whose decision still waits to be filled in."""
    async with office(database) as hub, hub.signed_in("li", "manager") as client:
        await day(hub, client)
        people = "SELECT name, spelled, room_order, found_by FROM holders ORDER BY name"
        before, named = await rows(database, EVERYTHING), await rows(database, people)
        await emptied(database)
        async with database.transaction() as conn:
            passage = "(SELECT id - 1 FROM events WHERE kind = 'passage.made')"
            await conn.execute(text(f"UPDATE entries_fill SET upto = {passage}, mark = {passage}"))
            await conn.execute(text("UPDATE holders SET spelled = DEFAULT, room_order = DEFAULT, found_by = DEFAULT"))
        await filling.fill(database, most)
        await respelling.spell(database, most)
        assert await rows(database, EVERYTHING) == before
        assert await rows(database, people) == named
        # The next start reads on from there.
        newest = await rows(database, "SELECT 0, max(id) FROM events")
        assert await rows(database, "SELECT upto, mark FROM entries_fill") == newest
        await came(hub, "沪C00001")
        async with database.transaction() as conn:
            await conn.execute(text("DELETE FROM entries"))
        await filling.fill(database, most)
        assert await found(client) == ["沪C00001"]


async def test_nothing_is_filled_in_while_the_history_is_redacted(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("li", "manager") as client:
        await day(hub, client)
        await emptied(database)
        async with database.transaction(writes=True) as conn:
            filled_in = asyncio.create_task(filled(database, 100))
            await redact(conn, NOW + timedelta(days=366), 1000)
            assert not (await asyncio.wait({filled_in}, timeout=0.3))[0]
        await filled_in
        assert await rows(database, "SELECT plate, plate_key, number FROM entries GROUP BY 1, 2, 3") == [
            (None, None, None)
        ]


async def test_an_entry_is_kept_once_and_odd_words_harm_nobody(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as client:
        journal = hub.journals["demo"]
        odd = (
            b'{"credential":{"kind":"plate","value":"\\u0000\xe6\xb2\xaaA12345"},"holder":null,"rule":"x","revision":1,'
            b'"reason":{"code":"granted","zh":"x","en":"x"}}'
        )
        event = journal.record("access.granted", odd, "gate-in")
        await hub.take(journal.arrived(event.seq, event.seq))
        await hub.take(journal.arrived(event.seq, event.seq))
        await came(hub, "沪B" + "9" * 200)
        assert len(await rows(database, "SELECT 1 FROM entries")) == 2
        assert len(await found(client, q="沪a12345")) == 1


async def test_a_command_that_nobody_answered_is_an_entry(database: Database) -> None:
    from hub.commands import service as commands  # noqa: PLC0415

    async with office(database) as hub, hub.signed_in("wang", "guard") as client:
        body = {"site": "demo", "target": "gate-in", "kind": "barrier.open", "reason": "访客"}
        assert (await client.post("/api/commands", json=body)).status_code == 202
        async with database.transaction(writes=True) as conn:
            now = datetime.now(NOW.tzinfo) + timedelta(hours=1)
            assert await commands.expire(conn, now, since=now) == 1
        (item,) = (await client.get("/api/entries")).json()["items"]
        assert (item["outcome"], item["event"]["gateway"]) == ("failed", None)

"""Two hub processes on one database: the screens of each show what the other does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from contract.facts.entry import DoorMoved
from hub import hint_words, own_states
from hub.database.hearing import Hearing
from hub.database.transactions import Database, Outcome, outcome
from hub.domains import STATES
from hub.hint_words import Here, Part
from hub.hints import CHANNEL, Hints
from hub.live import tell
from tests.hub.office import ADMIN, Office, office
from tests.web.servers import Stream, running, streaming, until
from web.live.screens import View


class Process:
    """What of a hub process tells others, around an office."""

    def __init__(self, hub: Office) -> None:
        self.hub = hub
        self.hearing = Hearing(hub.database)
        self.hints = Hints(hub.database, self.hearing, hub.live, tell(hub.live), STATES)
        hub.database.telling = self.hints
        hub.sessions.watch(self.hints.end_session)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Process]:
        tasks = [asyncio.create_task(work) for work in (self.hearing.run(), self.hints.run())]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def knows(self, others: int = 1) -> None:
        """It knows so many others, and they know it."""
        async with asyncio.timeout(20):
            await until(lambda: self.hearing.up and len(self.hints._peers) == len(self.hints._told_by) == others)


@asynccontextmanager
async def two(database: Database, database_url: str) -> AsyncIterator[tuple[Process, Process]]:
    """An office, and another process of its hub on the same database."""
    async with office(database) as hub:
        elsewhere = Database(database_url, pool_size=5, key=lambda: database.key)
        other = Office(elsewhere)
        try:
            async with Process(hub).running() as one, Process(other).running() as two:
                await one.knows()
                await two.knows()
                yield one, two
        finally:
            await elsewhere.close()


async def open_door(hub: Office, kind: str = "door.opened") -> None:
    await hub.report(kind, DoorMoved(by="decision"), "lobby-a")


async def shown(stream: Stream) -> tuple[Any, Any]:
    """The next events and the next state, whichever comes first."""
    found: dict[str, Any] = {}
    while len(found) < 2:
        frame = await stream.next()
        assert frame is not None
        if frame.name in ("events", "state"):
            found[frame.name] = frame.data
    return found["events"], found["state"]


async def ended(stream: Stream) -> None:
    async with asyncio.timeout(10):
        while await stream.next() is not None:
            pass


async def test_a_screen_shows_within_a_second_what_another_process_does(database: Database, database_url: str) -> None:
    async with two(database, database_url) as (one, other):
        await other.hub.account("wang", "guard", "demo")
        token = await other.hub.token("wang")
        async with running(other.hub.app) as url, streaming(url, token, site="demo") as stream:
            await stream.named("snapshot")
            for kind, contact in (("door.opened", "open"), ("door.closed", "closed"), ("door.opened", "open")):
                began = time.monotonic()
                await open_door(one.hub, kind)
                events, state = await shown(stream)
                assert time.monotonic() - began < 1
                assert [event["kind"] for event in events] == [kind]
                assert (state["kind"], state["id"], state["contact"]) == ("door", "lobby-a", contact)


async def test_a_reported_fault_is_shown_by_every_process_with_all_else_of_its_tick(
    database: Database, database_url: str
) -> None:
    async with two(database, database_url) as (one, other):
        await other.hub.account("bai", "guard", "demo")
        async with (
            one.hub.signed_in("wang", "guard") as wang,
            one.hub.signed_in("song", "maintenance") as song,
            running(other.hub.app) as url,
            streaming(url, await other.hub.token("wang"), site="demo") as asked,
            streaming(url, await other.hub.token("bai"), site="demo") as colleague,
        ):
            for stream in (asked, colleague):
                await stream.named("snapshot")
            ticket = (await wang.post("/api/tickets", json={"site": "demo", "title": "路灯不亮"})).json()
            await song.post(f"/api/tickets/{ticket['id']}/take")
            await song.post(f"/api/tickets/{ticket['id']}/finish")
            await open_door(one.hub)
            for stream, can in ((asked, ["comment", "accept", "reopen"]), (colleague, ["comment"])):
                async with asyncio.timeout(5):
                    while (state := (await stream.named("state")).data)["kind"] != "ticket" or state["state"] != "done":
                        pass
                    assert state["can"] == can
                    assert "hands" not in state
                    assert (await stream.named("state")).data["kind"] == "door"


async def test_who_loses_a_right_loses_the_screen_at_every_process(database: Database, database_url: str) -> None:
    async with two(database, database_url) as (one, other):
        wang = await one.hub.account("wang", "guard", "demo")
        token = await other.hub.token("wang")
        async with (
            running(other.hub.app) as url,
            streaming(url, token, site="demo") as stream,
            one.hub.signed_in("root", "admin", "*") as admin,
        ):
            await stream.named("snapshot")
            body = {"name": "Wang", "role": "maintenance", "language": "zh", "sites": ["demo"], "active": True}
            answer = await admin.put(f"/api/accounts/{wang}", json=body)
            assert answer.status_code == 200, answer.text
            await ended(stream)


async def test_a_screen_ends_with_its_session_at_every_process(database: Database, database_url: str) -> None:
    async with two(database, database_url) as (one, other):
        await one.hub.account("wang", "guard", "demo")
        async with running(other.hub.app) as url, one.hub.client("wang") as client:
            token = client.headers["Authorization"].removeprefix("Bearer ")
            async with streaming(url, token, site="demo") as stream:
                await stream.named("snapshot")
                assert (await client.delete("/api/session")).status_code == 204
                await ended(stream)


async def test_more_than_can_be_told_is_looked_at(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hint_words, "MOST_PARTS", 1)
    monkeypatch.setattr(hint_words, "PART_BYTES", 10)
    async with two(database, database_url) as (one, other):
        await other.hub.account("wang", "guard", "demo")
        token = await other.hub.token("wang")
        async with running(other.hub.app) as url:
            async with streaming(url, token, site="demo") as stream:
                last = (await stream.named("snapshot")).id
                await open_door(one.hub)
                await ended(stream)
            async with streaming(url, token, last, site="demo") as stream:
                assert [event["kind"] for event in (await stream.named("events")).data] == ["door.opened"]


async def test_who_could_not_hear_looks_again(database: Database, database_url: str) -> None:
    async with two(database, database_url) as (one, other):
        await other.hub.account("wang", "guard", "demo")
        token = await other.hub.token("wang")
        async with running(other.hub.app) as url:
            async with streaming(url, token, site="demo") as stream:
                await stream.named("snapshot")
                async with database.transaction() as conn:
                    await conn.execute(
                        text(
                            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                            " AND query ILIKE 'LISTEN%'"
                        )
                    )
                await ended(stream)
            await one.knows()
            await other.knows()
            async with streaming(url, token, site="demo") as stream:
                await stream.named("snapshot")
                await open_door(one.hub)
                async with asyncio.timeout(5):
                    await shown(stream)


async def test_who_is_alone_says_nothing(database: Database) -> None:
    async with office(database) as hub, Process(hub).running() as process:
        heard: list[str] = []
        other = Hearing(database)
        other.subscribe(CHANNEL, lambda _, words: heard.append(words))
        listening = asyncio.create_task(other.run())
        while not (process.hearing.up and other.up and heard):
            process.hints._to_say.set()
            await asyncio.sleep(0.05)
        assert not process.hints.alone
        assert process.hints.together() is not None
        process.hints._met_at = 0
        assert process.hints.alone
        assert process.hints.together() is None
        await open_door(hub)
        await asyncio.sleep(0.3)
        assert all(isinstance(msgspec.json.decode(words, type=Here), Here) for words in heard)
        # Whoever says that it is there is told from now on.
        async with database.transaction() as conn:
            words = msgspec.json.encode(Here("other", [])).decode()
            await conn.execute(text(f"SELECT pg_notify('{CHANNEL}', :words)"), {"words": words})
        await until(lambda: not process.hints.alone)
        await open_door(hub)
        async with asyncio.timeout(5):
            await until(lambda: any('"part"' in words for words in heard))
        listening.cancel()


async def test_an_older_state_of_another_process_does_not_hide_a_newer_one_of_ones_own(database: Database) -> None:
    async with office(database) as hub:
        told: list[Outcome] = []
        process = Process(hub)
        process.hearing.up = True
        hints = Hints(database, process.hearing, hub.live, told.append)
        screen = hub.live.open("wang", None)  # type: ignore[arg-type]
        mine = {"site": "demo", "kind": "door", "id": "lobby-a", "contact": "closed", "can": []}
        older = Part("other", 1, states=[mine | {"contact": "open"}, mine | {"id": "garage"}])

        async with database.transaction() as conn:
            number = await hints.sends(conn, Outcome(states=[mine]))
        assert number is not None
        hints._part(older)
        assert [state["id"] for outcome in told for state in outcome.states] == ["garage"]
        # One's own word has come back: what comes now was committed after it.
        hints._part(Part(hints._name, number))
        hints._part(older)
        assert [state["id"] for outcome in told[1:] for state in outcome.states] == ["lobby-a", "garage"]
        # What was passed over for something that was rolled back is looked at.
        async with database.transaction() as conn:
            number = await hints.sends(conn, Outcome(states=[mine]))
        assert number is not None
        hints._part(older)
        assert not screen.ended
        hints.undone(number)
        assert screen.ended


async def test_an_older_state_of_ones_own_does_not_hide_a_newer_one_of_another_process(database: Database) -> None:
    """It was committed first and came back, and the other's after it, before the answer to the commit was seen."""

    class Between(Hints):
        """What arrives between a commit and its answer."""

        def committed(self, number: int, told: Outcome) -> None:
            self._part(Part(self._name, number))
            self._part(Part("other", 1, states=[newer]))
            super().committed(number, told)

    async with office(database) as hub:
        shown: list[Any] = []

        def show(told: Outcome) -> None:
            shown.extend((state["id"], state["contact"]) for state in told.states)

        process = Process(hub)
        process.hearing.up = True
        hints = database.telling = Between(database, process.hearing, hub.live, show)
        database.subscribe(show)
        hub.live.open("wang", None)  # type: ignore[arg-type]
        mine = {"site": "demo", "kind": "door", "id": "lobby-a", "contact": "closed", "can": []}
        newer = mine | {"contact": "open"}
        async with database.transaction() as conn:
            outcome(conn).state(mine)
            outcome(conn).state(mine | {"id": "garage"})
        assert shown == [("lobby-a", "open"), ("garage", "closed")]
        assert not len(hints._own)


async def test_what_was_committed_all_the_same_is_looked_at(database: Database) -> None:
    async with office(database) as hub:
        process = Process(hub)
        process.hearing.up = True
        screen = hub.live.open("wang", None)  # type: ignore[arg-type]
        mine = {"site": "demo", "kind": "door", "id": "lobby-a", "contact": "closed", "can": []}
        async with database.transaction() as conn:
            number = await process.hints.sends(conn, Outcome(states=[mine]))
        assert number is not None
        process.hints._part(Part(process.hints._name, number))
        process.hints.undone(number)
        assert screen.ended


async def test_what_cannot_come_back_is_not_kept(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_states, "MOST", 3)
    async with office(database) as hub:
        process = Process(hub)
        screen = hub.live.open("wang", View(None, ADMIN))

        async def tell_some() -> None:
            for _ in range(5):
                async with database.transaction() as conn:
                    outcome(conn).state({"site": "demo", "kind": "door", "id": "lobby-a", "can": []})

        await tell_some()
        assert not len(process.hints._own)
        process.hearing._change(up=True)
        await tell_some()
        *_, last = process.hints._own._on_their_way
        assert len(process.hints._own) == 3
        # A word of several parts comes back once.
        for number in (last, last):
            process.hints._part(Part(process.hints._name, number))
        assert not screen.ended
        # Of what was forgotten it is not known what was shown in vain before it.
        process.hints._part(Part(process.hints._name, last - 4))
        assert screen.ended


def test_ids_are_told_in_runs() -> None:
    assert hint_words.joined([(5, 5), (1, 2), (3, 3), (9, 9), (2, 3)]) == [(1, 3), (5, 5), (9, 9)]

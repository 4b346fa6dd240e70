"""Two hub processes on one database: what is too large to be told is named, read, and shown where nothing newer is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.rights import EVERYBODY_SEES
from hub import hint_words
from hub.database.transactions import Database, Outcome
from hub.hint_words import Named, Part, parts_of
from hub.hints import MISSED, Hints
from tests.hub.office import office
from tests.hub.test_hints import Process, two
from tests.web.servers import running, streaming, until
from web.live.screens import View


async def test_a_state_too_large_to_be_told_is_read(database: Database, database_url: str) -> None:
    """A ticket that much was written about: the screens of another process go on, and show it."""
    async with two(database, database_url) as (one, other), one.hub.signed_in("song", "maintenance") as song:
        await one.hub.raise_alarm(ticket=True)
        (ticket,) = (await song.get("/api/tickets")).json()["items"]
        await other.hub.account("wang", "guard", "demo")
        token = await other.hub.token("wang")
        async with running(other.hub.app) as url, streaming(url, token, site="demo") as stream:
            await stream.named("snapshot")
            for number in range(1, 4):
                words = {"text": f"{number}" + "检" * 999}
                assert (await song.post(f"/api/tickets/{ticket['id']}/comment", json=words)).status_code == 200
                async with asyncio.timeout(5):
                    while (frame := (await stream.named("state")).data)["kind"] != "ticket":
                        pass
                assert len(frame["steps"]) == 1 + number
            assert len(msgspec.json.encode(frame)) > hint_words.PART_BYTES


async def test_what_is_read_hides_nothing_newer_of_ones_own(database: Database) -> None:
    async with office(database) as hub:
        shown: list[tuple[str, int]] = []
        reads: list[int] = []
        meanwhile: list[Any] = []
        ticket = {"site": "demo", "kind": "ticket", "id": "t"}

        async def read(_: AsyncConnection, ids: Sequence[str]) -> list[dict[str, Any]]:
            reads.append(len(reads) + 1)
            found = [ticket | {"n": reads[-1]}]
            while meanwhile:
                await meanwhile.pop()()
            return found

        def show(told: Outcome) -> None:
            shown.extend((state["id"], state["n"]) for state in told.states)

        process = Process(hub)
        process.hearing.up = True
        hints = database.telling = Hints(database, process.hearing, hub.live, show, {"ticket": read})
        hub.live.open("wang", None)  # type: ignore[arg-type]
        reading = asyncio.create_task(hints._read())

        async def own_one() -> None:
            """Committed and shown here while it is read."""
            async with database.transaction() as conn:
                number = await hints.sends(conn, Outcome(states=[ticket]))
            assert number is not None
            hints.committed(number, Outcome(states=[ticket]))

        meanwhile.append(own_one)
        hints._part(Part("other", 1), [("demo", "ticket", "t")])
        await until(lambda: bool(shown))
        assert shown == [("t", 2)]

        # One's own is on its way when it was read: it is read again when that is shown.
        async with database.transaction() as conn:
            number = await hints.sends(conn, Outcome(states=[ticket]))
        assert number is not None
        hints._part(Part("other", 2), [("demo", "ticket", "t")])
        await until(lambda: len(reads) == 3)
        await asyncio.sleep(0.1)
        assert len(shown) == 1
        # And nothing older is shown beside it.
        hints.committed(number, Outcome(states=[ticket]))
        hints._part(Part("other", 3, states=[ticket | {"n": 0}]))
        await until(lambda: len(shown) == 2)
        assert shown[1] == ("t", 4)
        reading.cancel()


async def test_only_screens_of_the_site_begin_anew_and_once_for_words_of_another_version(database: Database) -> None:
    async with office(database) as hub:
        process = Process(hub)
        here, there, all_of_them = (
            hub.live.open("wang", View(sites, EVERYBODY_SEES))
            for sites in (frozenset({"demo"}), frozenset({"other"}), None)
        )
        process.hints._part(Part("other", 1, look=True, at=["demo"]))
        assert [here.ended, there.ended, all_of_them.ended] == [True, False, True]
        # Nobody says how such a thing is read.
        there.ended = here.ended = False
        reading = asyncio.create_task(process.hints._read())
        process.hints._heard(0, msgspec.json.encode(Named("other", 2, [("demo", "fridge", "f")])).decode())
        await until(lambda: here.ended)
        assert not there.ended
        reading.cancel()

        missed = MISSED._value.get()
        for number in range(20):
            process.hints._heard(0, f'{{"tag": "unheard of", "n": {number}}}')
        assert there.ended
        assert MISSED._value.get() == missed + 1
        # What was done meanwhile is not forgotten.
        assert process.hints._strange is not None
        process.hints._strange.cancel()
        process.hints._understood()
        assert MISSED._value.get() == missed + 2


def test_the_last_of_each_state_is_told_and_the_large_ones_are_named() -> None:
    door = {"site": "demo", "kind": "door", "id": "d", "can": []}
    large = door | {"kind": "ticket", "text": "x" * hint_words.PART_BYTES}
    told = Outcome(states=[door | {"n": 1}, large, door | {"n": 2}, large])
    assert parts_of("a", 1, told) == [Part("a", 1, states=[door | {"n": 2}]), Named("a", 1, [("demo", "ticket", "d")])]
    many = Outcome(states=[large | {"id": f"{number:036}"} for number in range(200)])
    assert parts_of("a", 1, many)[0] == Part("a", 1, look=True, at=["demo"])
    assert all(len(msgspec.json.encode(part)) < 8_000 for part in parts_of("a", 1, many))
    full = [door | {"site": f"{number:064}", "id": f"{number:036}", "n": "x" * 3300} for number in range(200)]
    parts = parts_of("a", 1, Outcome(states=full))
    assert all(len(msgspec.json.encode(part)) < 8_000 for part in parts)
    assert parts[0] == Part("a", 1, look=True)
    of_fifty = parts_of("a", 1, Outcome(states=[one | {"site": f"{at % 50:064}"} for at, one in enumerate(full)]))
    assert all(len(msgspec.json.encode(part)) < 8_000 for part in of_fifty)
    assert isinstance(of_fifty[0], Part)
    assert len(of_fifty[0].at) == 50

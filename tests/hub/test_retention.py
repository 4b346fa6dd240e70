"""What is kept no longer goes, night by night, in slices, and the history says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import event, text

from contract.commands import Person
from contract.facts.entry import Access, PassageMade, PlateSeen, Presented
from contract.facts.gateway import CommandResult
from contract.instants import instant
from contract.pictures import Picture, picture_id
from contract.texts import Reason, Text
from hub.database.driver import driver
from hub.database.transactions import Database
from hub.events.verifying import verify
from hub.pictures.service import keep
from hub.retention import pruning
from hub.retention.terms import Terms, next_time
from hub.settings import SettingsError, from_environment
from tests.hub.office import Office, office
from tests.hub.senders import NOW_MS, rows
from tests.hub.test_access import holder_of

NOW = datetime.now(UTC)


async def keep_pictures(hub: Office, site: str, count: int, age: timedelta) -> None:
    async with hub.database.transaction() as conn:
        await conn.execute(text("SELECT 1"))
        pg = await driver(conn)
        for number in range(count):
            jpeg = b"\xff\xd8\xff\xe0" + f"{site} {age} {number}".encode()
            await keep(pg, site, f"{site}-gw", Picture(id=picture_id(jpeg), at=instant(NOW_MS), jpeg=jpeg), NOW - age)


async def test_pictures_go_when_their_time_is_over(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "SLICE", 10)
    async with office(database, "demo", "north") as hub:
        await keep_pictures(hub, "demo", 23, timedelta(days=31))
        await keep_pictures(hub, "north", 2, timedelta(days=40))
        await keep_pictures(hub, "demo", 3, timedelta(days=29))
        dropped = await pruning.prune(database, Terms(), NOW)
        assert dropped["pictures"] == {"demo": 23, "north": 2}
        assert await rows(database, "SELECT site, count(*) FROM pictures GROUP BY site") == [("demo", 3)]
        before = instant(round((NOW - timedelta(days=30)).timestamp() * 1000))
        told = {site: data for _, site, data in await hub.events("data.pruned")}
        one = {"what": "pictures", "before": before, "digest": ""}
        assert told == {"demo": one | {"count": 23}, "north": one | {"count": 2}}
        # With nothing to do, nothing is said.
        assert (await pruning.prune(database, Terms(), NOW))["pictures"] == {}
        assert len(await hub.events("data.pruned")) == 2
        await pruning.prune(database, Terms(pictures=0), NOW + timedelta(days=1000))
        assert len(await rows(database, "SELECT 1 FROM pictures")) == 3


async def test_values_of_old_edits_go_and_the_history_verifies(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("root", "admin", "*") as client:
        holder = await holder_of(client)
        (told,) = await rows(database, "SELECT count(*) FROM changes")
        dropped = await pruning.prune(database, Terms(changes=10), NOW + timedelta(days=11))
        assert dropped["changes"][""] == told[0]
        assert await rows(database, "SELECT 1 FROM changes WHERE said IS NOT NULL OR salt IS NOT NULL") == []
        (item, *_) = (await client.get("/api/changes", params={"record": holder})).json()["items"]
        assert (item["change"], item["erased"]) == ("created", True)
        assert (await verify(database)).disagreements == []


PLATE, CARD = "沪A12345", "04A1B2C3D4E5F6"


async def pass_by(hub: Office) -> None:
    """A car and a card, as their gateway tells them."""
    reason = Reason("granted", "允许", "granted")
    card = Presented(kind="card", value=CARD)
    granted = Access(credential=card, holder="h-1", rule="grant-1", revision=3, reason=reason)
    await hub.report(
        "plate.seen", PlateSeen(plate=PLATE, camera="gate-in-cam", confidence=0.9, plate_id="7"), "gate-in"
    )
    await hub.report("access.granted", granted, "lobby-a")
    await hub.report("passage.made", PassageMade(direction="in", credential=card, holder="h-1"), "lobby-a")
    await hub.report("passage.made", PassageMade(direction="out"), "lobby-a")


async def test_numbers_leave_the_history_and_the_chain_verifies(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "NUMBERS_SLICE", 3)
    async with office(database) as hub:
        await pass_by(hub)
        before = (await verify(database)).events
        later = NOW + timedelta(days=366)
        assert (await pruning.prune(database, Terms(pictures=0, changes=0), NOW))["numbers"][""] == 0
        assert (await pruning.prune(database, Terms(pictures=0, changes=0), later))["numbers"][""] == 4
        everything = str(await rows(database, "SELECT data::text FROM events"))
        assert PLATE not in everything and CARD not in everything
        # Who, where and why stand, and what comes later is chained to it.
        assert "h-1" in everything and "grant-1" in everything
        await pass_by(hub)
        found = await verify(database)
        assert (found.disagreements, found.redacted, found.events) == ([], 4, before + 2 + 4)
        assert (await pruning.prune(database, Terms(pictures=0, changes=0), NOW))["numbers"][""] == 0


async def test_what_no_reader_takes_stops_no_retention(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A number out of range in a field that nobody knows, in the oldest event."""
    monkeypatch.setattr(pruning, "NUMBERS_SLICE", 3)
    async with office(database) as hub:
        journal = hub.journals["demo"]
        odd = journal.record("plate.seen", f'{{"plate":"{PLATE}","camera":"x","zzz":1e999}}'.encode(), "gate-in")
        await hub.take(journal.arrived(odd.seq, odd.seq))
        await pass_by(hub)
        dropped = await pruning.prune(database, Terms(pictures=0, changes=0), NOW + timedelta(days=366))
        assert dropped["numbers"][""] == 5
        assert PLATE not in str(await rows(database, "SELECT data::text FROM events"))
        assert (await verify(database)).disagreements == []


async def test_what_cannot_go_keeps_nothing_else_from_going(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as client:
        await client.post("/api/tickets", json={"site": "demo", "title": "x"}, headers={"Idempotency-Key": "act-1"})
        await keep_pictures(hub, "demo", 1, timedelta(days=400))
        await pass_by(hub)
        async with database.transaction() as conn:
            await conn.execute(text("UPDATE answers SET at = at - interval '2 days'"))
            await conn.execute(text("ALTER TABLE pictures RENAME TO pictures_of_before"))
        with pytest.raises(ExceptionGroup):
            await pruning.prune(database, Terms(), NOW + timedelta(days=366))
        assert await rows(database, "SELECT 1 FROM answers") == []
        assert PLATE not in str(await rows(database, "SELECT data::text FROM events"))


async def test_what_went_before_a_slice_failed_is_told(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "SLICE", 1)
    async with office(database, "demo", "north") as hub:
        await keep_pictures(hub, "demo", 2, timedelta(days=50))
        await keep_pictures(hub, "north", 1, timedelta(days=40))
        async with database.transaction() as conn:
            await conn.exec_driver_sql(
                "CREATE FUNCTION stays() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN RAISE EXCEPTION 'it stays'; END $$"
            )
            await conn.exec_driver_sql(
                "CREATE TRIGGER stays BEFORE DELETE ON pictures FOR EACH ROW"
                " WHEN (old.site = 'north') EXECUTE FUNCTION stays()"
            )
        with pytest.raises(ExceptionGroup):
            await pruning.prune(database, Terms(), NOW)
        assert await rows(database, "SELECT site FROM pictures") == [("north",)]
        assert [(site, data["count"]) for _, site, data in await hub.events("data.pruned")] == [("demo", 2)]


async def test_verifying_one_stream_counts_its_own_and_holds_no_more_than_a_row(database: Database) -> None:
    async with office(database, "demo", "north") as hub:
        await pass_by(hub)
        await pruning.prune(database, Terms(pictures=0, changes=0), NOW + timedelta(days=366))
        streamed: list[bool] = []

        def asked(_1: object, _2: object, statement: str, _3: object, context: Any, _4: object) -> None:
            if "FROM events" in statement:
                streamed.append(bool(context.execution_options.get("stream_results")))

        event.listen(database.engine.sync_engine, "before_cursor_execute", asked)
        found = {site: await verify(database, journal.stream) for site, journal in hub.journals.items()}
        assert {site: one.redacted for site, one in found.items()} == {"demo": 4, "north": 0}
        assert (await verify(database)).redacted == 4
        assert streamed and all(streamed)
        async with database.transaction() as conn:
            await conn.execute(text("UPDATE events SET data = '{}' WHERE kind = 'plate.seen'"))
        assert [one.stream for one in (await verify(database)).disagreements] == [hub.journals["demo"].stream]
        assert (await verify(database, hub.journals["north"].stream)).disagreements == []


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE events SET data = '{\"direction\": \"out\"}' WHERE kind = 'plate.seen'",
        "UPDATE events SET data = '{}', redacted_by = (SELECT max(id) FROM events WHERE kind = 'data.pruned')"
        " WHERE kind = 'site.described'",
        "UPDATE events SET data = '{}', redacted_by = 1 WHERE kind = 'site.described'",
        "UPDATE events SET redacted_by = NULL WHERE kind = 'plate.seen'",
        "UPDATE events SET hash = 'x' WHERE kind = 'plate.seen'",
        "UPDATE events SET at = at + interval '1 hour' WHERE kind = 'plate.seen'",
        "UPDATE events SET source = 'gate-out' WHERE kind = 'plate.seen'",
        "UPDATE events SET kind = 'access.denied' WHERE kind = 'access.granted'",
        "UPDATE events SET redacted_by = redacted_by + 1000 WHERE kind = 'plate.seen'",
    ],
)
async def test_nothing_is_altered_under_the_cover_of_a_redaction(database: Database, forgery: str) -> None:
    async with office(database) as hub:
        await pass_by(hub)
        await pruning.prune(database, Terms(pictures=0, changes=0), NOW + timedelta(days=366))
        assert (await verify(database)).disagreements == []
        async with database.transaction() as conn:
            await conn.exec_driver_sql(forgery)
        assert (await verify(database)).disagreements != []


async def test_it_is_told_what_is_kept_how_long(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as client:
        hub.app.state.terms = Terms(pictures=7)
        found = {one["what"]: one["days"] for one in (await client.get("/api/retention")).json()["items"]}
        assert found == {
            "pictures": 7, "numbers": 365, "changes": 1095, "answers": 1, "people": None, "events": None,
        }  # fmt: skip


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("2026-03-09T01:00", "2026-03-09T03:30"),
        ("2026-03-09T03:30", "2026-03-10T03:30"),
        ("2026-12-31T23:59", "2027-01-01T03:30"),
    ],
)
def test_it_wakes_by_the_time_of_day(now: str, then: str) -> None:
    assert next_time(datetime.fromisoformat(now)) == datetime.fromisoformat(then)


def test_how_long_is_a_setting() -> None:
    found = from_environment({"DATABASE_URL": "postgresql://x@y/z", "GATEHOUSE_KEEP_PICTURES_DAYS": "90"})
    assert (found.keep_pictures_days, found.keep_changes_days) == (90, 1095)
    with pytest.raises(SettingsError, match="GATEHOUSE_KEEP_CHANGES_DAYS"):
        from_environment({"DATABASE_URL": "postgresql://x@y/z", "GATEHOUSE_KEEP_CHANGES_DAYS": "-1"})


async def test_plates_leave_the_commands_with_the_history(database: Database) -> None:
    """What was typed for a car on the block list, and why another one was not opened for, answered or not."""
    async with office(database) as hub, hub.signed_in("wang", "guard") as client:
        asked: list[str] = []
        for _ in range(3):
            args = {"despite": PLATE, "note": "x"}
            body = {"site": "demo", "target": "gate-in", "kind": "barrier.open", "reason": "警察同意", "args": args}
            asked.append((await client.post("/api/commands", json=body)).json()["id"])
        by = Person(id="u-1", name="王队", role="guard")
        done = CommandResult(
            command=asked[0], kind="barrier.open", target="gate-in", by=by, reason="x", plate=PLATE, despite=PLATE
        )
        await hub.report("command.done", done, "gate-in")
        why = Text(zh=f"闸前是 {PLATE}", en=f"{PLATE} stands there")
        failed = msgspec.structs.replace(done, command=asked[1], despite=None, why=why)
        await hub.report("command.failed", failed, "gate-in")
        everything = "SELECT args::text, result::text, state FROM commands ORDER BY state"
        await pruning.prune(database, Terms(pictures=0, changes=0), NOW)
        assert str(await rows(database, everything)).count(PLATE) == 5
        await pruning.prune(database, Terms(pictures=0, changes=0), NOW + timedelta(days=366))
        left = await rows(database, everything)
        assert PLATE not in str(left)
        assert [row[2] for row in left] == ["asked", "done", "failed"]
        assert "•••• stands there" in str(left[2][1]) and '"at"' in str(left[2][1])
        assert (await verify(database)).disagreements == []

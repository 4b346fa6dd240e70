"""What a role may not see is in no answer of the hub: not in a body, an order, a cursor, a search, an error, a stream.

The walk goes over every route (from the OpenAPI document), every role, every kind of event and every field of it
(`tests/marks.py`), at one's own site and at another's.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, get_args

import httpx
import msgspec
import pytest
from alembic import command
from sqlalchemy import text

from contract.desired import Role
from contract.facts.entry import PlateSeen
from contract.kinds import KINDS
from contract.rights import KIND_SIGHTS, SIGHTS, Sight
from hub import migrations
from hub.database.pins import Pins, PinUnreadable, sealed_otherwise
from hub.database.transactions import Database
from hub.desired import service as desired_service
from hub.events import stream
from tests.hub.office import Office, office
from tests.hub.senders import rows
from tests.hub.test_rights import PUBLIC, STREAMS, Route, call, furnish, routes
from tests.marks import ALL, hidden_from, mark, marked
from tests.web.servers import running, streaming
from web.sealing import is_sealed

ROLES: tuple[Role, ...] = get_args(Role)
TEXT = {"zh": "名称", "en": "Name"}


def of_every_kind(site: str, at: str) -> list[stream.Fact]:
    return [stream.Fact(kind, f"source-{at}", marked(kind, at), site) for kind in KINDS]  # type: ignore[arg-type]


async def record_every_kind(hub: Office, *sites: tuple[str, str]) -> None:
    async with hub.database.transaction(writes=True) as conn:
        for site, at in sites:
            await stream.record_all(conn, of_every_kind(site, at))


def walked(hub: Office) -> list[Route]:
    return [one for one in routes(hub) if one.method == "GET" and (one.method, one.path) not in STREAMS | PUBLIC]


@pytest.mark.parametrize("role", ROLES)
async def test_no_route_tells_a_role_what_is_hidden_from_it(database: Database, role: Role) -> None:
    async with office(database, "demo", "north") as hub:
        await hub.account("root", "admin", "*")
        things = await furnish(hub, "demo")
        plate = PlateSeen(plate=mark("passing"), camera="gate-in-cam", confidence=0.9)
        await hub.report("plate.seen", plate, "gate-in")
        await record_every_kind(hub, ("demo", "here"), ("north", "ELSEWHERE"))
        seen = ""
        async with hub.signed_in("wang", role, "demo") as client:
            for route in walked(hub):
                for name_site in (True, False):
                    answer = await call(client, route, things, name_site=name_site)
                    told = f"{role}: {route.method} {route.path} {answer.status_code}"
                    assert [secret for secret in hidden_from(role) if secret in answer.text] == [], told
                    assert "ELSEWHERE" not in answer.text, told
                    seen += answer.text
            everything = await client.get("/api/events", params={"limit": 500})
            kinds = {item["kind"] for item in everything.json()["items"]}
            # The walk above would also pass if nothing were shown.
            assert {kind for kind in KINDS if KIND_SIGHTS[kind] in SIGHTS[role]} <= kinds
            assert [sight for sight in ALL if mark(sight) in seen] == [each for each in ALL if each in SIGHTS[role]]
            picture = await client.get(f"/api/pictures/{things['picture']}")
            assert picture.status_code == (200 if "passing" in SIGHTS[role] else 403)


async def test_one_event_shows_what_its_list_shows(database: Database) -> None:
    async with office(database, "demo", "north") as hub, hub.signed_in("root", "admin", "*") as admin:
        await record_every_kind(hub, ("demo", "here"), ("north", "ELSEWHERE"))
        everything = [item["id"] for item in (await admin.get("/api/events", params={"limit": 500})).json()["items"]]
        async with hub.signed_in("wang", "guard", "demo") as guard:
            listed = {
                item["id"]: item for item in (await guard.get("/api/events", params={"limit": 500})).json()["items"]
            }
            assert 0 < len(listed) < len(everything)
            for event in everything:
                answer = await guard.get(f"/api/events/{event}")
                assert answer.status_code == (200 if event in listed else 404), event
                assert answer.status_code == 404 or answer.json() == listed[event]
            assert (await guard.get(f"/api/events/{10**12}")).status_code == 404
            assert (await guard.get("/api/events/0")).status_code == 422
        async with hub.client() as nobody:
            assert (await nobody.get(f"/api/events/{everything[0]}")).status_code == 401


@pytest.mark.parametrize("role", ROLES)
async def test_the_live_stream_hides_the_same(database: Database, role: Role) -> None:
    async with office(database, "demo", "north") as hub:
        await record_every_kind(hub, ("demo", "here"), ("north", "ELSEWHERE"))
        account = await hub.account("wang", role, "demo")
        token = await hub.token("wang")
        async with running(hub.app) as url:
            async with streaming(url, token) as screen:
                first = await screen.named("snapshot")
                told = [msgspec.json.encode(first.data).decode()]
                plate = PlateSeen(plate=mark("passing"), camera="gate-in-cam", confidence=0.9)
                await hub.report("plate.seen", plate, "gate-in")
                await record_every_kind(hub, ("demo", "here"), ("north", "ELSEWHERE"))
                async with hub.database.transaction(writes=True) as conn:
                    # The last that this screen sees: about itself, and of no site.
                    await stream.record(conn, "account.changed", account, marked("account.changed", "me"))  # type: ignore[arg-type]
                while mark("accounts", "me") not in told[-1]:
                    frame = await screen.next()
                    assert frame is not None
                    told.append(msgspec.json.encode(frame.data).decode())
            # Who comes again is told the same, and no more.
            async with streaming(url, token, last_id=0) as again:
                missed = msgspec.json.encode((await again.named("events")).data).decode()
        whole = "".join(told)
        assert [secret for secret in hidden_from(role) if secret in whole] == []
        assert "ELSEWHERE" not in whole
        assert [sight for sight in ALL if mark(sight) in whole] == [each for each in ALL if each in SIGHTS[role]]

        assert [secret for secret in hidden_from(role) if secret in missed] == []
        assert "ELSEWHERE" not in missed


async def test_everybody_sees_their_own_sign_ins_and_changes(database: Database) -> None:
    async with office(database, "demo", "north") as hub, hub.signed_in("root", "admin", "*") as admin:
        account = await hub.account("wang", "guard", "demo", "north")
        await hub.account("song", "guard", "demo")
        async with hub.client("wang") as wang, hub.client("song"):
            body = {"name": "Wang", "role": "guard", "sites": ["demo", "north"], "language": "en"}
            await admin.put(f"/api/accounts/{account}", json=body)
            mine = (await wang.get("/api/events", params={"limit": 500})).json()["items"]
        own = [(item["kind"], item["source"]) for item in mine if KIND_SIGHTS[item["kind"]] == "accounts"]
        assert {source for _, source in own} == {account}
        assert {"session.opened", "account.changed"} <= {kind for kind, _ in own}


# --- PINs


@asynccontextmanager
async def with_pin(database: Database) -> AsyncIterator[tuple[Office, httpx.AsyncClient, dict[str, Any]]]:
    async with office(database) as hub, hub.signed_in("zhao", "manager") as manager:
        holder = (await manager.post("/api/holders", json={"site": "demo", "name": "周明远"})).json()["id"]
        pins = []
        for value in ("835512", "123456", "999999"):
            body = {"site": "demo", "kind": "pin", "value": value, "holder": holder}
            answer = await manager.post("/api/credentials", json=body)
            assert answer.status_code == 201, answer.text
            pins.append(answer.json())
        block = {"site": "demo", "kind": "pin", "value": "835512", "reason": TEXT}
        assert (await manager.post("/api/blocks", json=block)).status_code == 201
        yield hub, manager, pins[0]


@pytest.mark.parametrize("role", ["guard", "installer", "manager", "admin"])
async def test_a_pin_is_found_by_no_cursor_no_search_and_no_order(database: Database, role: str) -> None:
    """What an attacker did: a cursor that held the value, and a search that named it digit by digit."""
    async with with_pin(database) as (hub, _, _), hub.signed_in("wang", role) as client:
        for noun in ("credentials", "blocks"):
            order, cursor = [], ""
            for _ in range(3):
                page = (await client.get(f"/api/{noun}", params={"kind": "pin", "limit": 1, "cursor": cursor})).json()
                assert [one["value"] for one in page["items"]] == ["••••"]
                order.append(page["items"][0]["id"])
                cursor = page["next"] or ""
                raw = base64.urlsafe_b64decode(cursor[3:] + "=" * (-len(cursor[3:]) % 4))
                assert b"835512" not in raw
                assert b"demo" not in raw
                if not cursor:
                    break
            for guess in ("8", "83", "835512", "s1", "s1."):
                found = (await client.get(f"/api/{noun}", params={"q": guess})).json()["items"]
                assert found == [], guess
            forged = base64.urlsafe_b64encode(b'["8","demo",""]').decode().rstrip("=")
            refused = await client.get(f"/api/{noun}", params={"cursor": forged})
            assert refused.status_code == 422
            assert refused.json()["error"]["fields"]["cursor"]
        assert (await client.get("/api/holders", params={"q": "8355"})).json()["items"] == []


async def test_no_table_tells_a_pin_and_the_gateway_is_told_it(database: Database) -> None:
    async with with_pin(database) as (_, _, pin):
        for table in ("credentials", "blocks", "desired_items", "events"):
            for (row,) in await rows(database, f"SELECT CAST({table} AS text) FROM {table}"):
                assert "835512" not in str(row), table
        async with database.transaction() as conn:
            changed = await desired_service.since(conn, "demo", 0, 100)
        pins = Pins(database.key)
        told = {one.item.id: msgspec.json.decode(pins.told("demo", one.item).value) for one in changed}
        assert told[pin["id"]]["value"] == "835512"
        # As a gateway of before knows it, byte for byte the form of the contract.
        assert told[pin["id"]].keys() == {"id", "kind", "value", "holder", "state", "valid_from", "valid_to"}


async def test_a_pin_is_shown_to_who_looks_after_it_and_that_is_recorded(database: Database) -> None:
    async with with_pin(database) as (hub, manager, pin):
        async with hub.signed_in("wang", "guard") as guard:
            assert (await guard.post(f"/api/credentials/{pin['id']}/pin")).status_code == 403
        assert await hub.events("records.read") == []
        assert (await manager.post(f"/api/credentials/{pin['id']}/pin")).json() == {"value": "835512"}
        ((_, site, data),) = await hub.events("records.read")
        assert (site, data["what"], data["ids"], data["by"]["name"]) == ("demo", "pin", [pin["id"]], "Zhao")
        holder = pin["holder"]
        card = {"site": "demo", "kind": "card", "value": "04A1B2C3", "holder": holder}
        other = (await manager.post("/api/credentials", json=card)).json()
        assert (await manager.post(f"/api/credentials/{other['id']}/pin")).status_code == 404


async def test_answers_that_are_kept_for_a_repeat_hold_no_pin_and_no_trace_of_one(database: Database) -> None:
    async with with_pin(database) as (_, manager, pin):
        key = {"Idempotency-Key": "act-1"}
        new = {"site": "demo", "kind": "pin", "holder": pin["holder"]}
        ids = set()
        for value in ("246810", "135790"):
            # Two bodies that differ in the PIN alone leave the same fingerprint: nobody can find it by guessing.
            answer = await manager.post("/api/credentials", json=new | {"value": value}, headers=key)
            assert answer.status_code == 201, answer.text
            ids.add(answer.json()["id"])
        assert len(ids) == 1
        shown = await manager.post(f"/api/credentials/{ids.pop()}/pin", headers=key)
        assert shown.json() == {"value": "246810"}
        kept = str(await rows(database, "SELECT convert_from(body, 'UTF8') FROM answers"))
        assert "••••" in kept
        assert "246810" not in kept


async def test_who_is_asked_for_the_password_again_was_refused_nothing(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("root", "admin", "*") as admin:
        async with database.transaction() as conn:
            await conn.execute(text("UPDATE sessions SET proven_at = now() - interval '1 hour'"))
        body = {"username": "chen", "name": "Chen", "role": "guard", "sites": ["demo"], "password": "correct horse 7"}
        answer = await admin.post("/api/accounts", json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "prove")
        await hub.app.state.witness.close()
        assert await hub.events("request.refused") == []


async def test_who_sends_back_what_was_hidden_leaves_the_pin_as_it_is(database: Database) -> None:
    async with with_pin(database) as (_, manager, pin):
        body = {name: pin[name] for name in ("kind", "value", "holder")} | {"state": "lost"}
        assert body["value"] == "••••"
        changed = await manager.put(f"/api/credentials/{pin['id']}", json=body)
        assert (changed.status_code, changed.json()["state"]) == (200, "lost")
        assert (await manager.post(f"/api/credentials/{pin['id']}/pin")).json() == {"value": "835512"}
        again = body | {"value": "246810"}
        assert (await manager.put(f"/api/credentials/{pin['id']}", json=again)).json()["value"] == "••••"
        assert (await manager.post(f"/api/credentials/{pin['id']}/pin")).json() == {"value": "246810"}
        # Nothing hidden can be added, nor a card be made a PIN by it; and one PIN is in force once.
        add = {"site": "demo", "holder": pin["holder"]}
        assert (await manager.post("/api/credentials", json=add | {"kind": "pin", "value": "••••"})).status_code == 422
        card = (await manager.post("/api/credentials", json=add | {"kind": "card", "value": "04A1B2C3"})).json()
        as_pin = {"kind": "pin", "value": "••••", "holder": pin["holder"]}
        assert (await manager.put(f"/api/credentials/{card['id']}", json=as_pin)).status_code == 422
        taken = await manager.post("/api/credentials", json=add | {"kind": "pin", "value": "123456"})
        assert taken.status_code == 409
        assert "123456" not in taken.text


async def test_pins_that_lay_open_are_sealed_by_the_migration_and_can_be_laid_open_again(database: Database) -> None:
    pins = Pins(database.key)
    async with with_pin(database):
        pass

    async def step(to: str, way: Any, given: Pins | None) -> None:
        async with database.transaction() as conn:
            await conn.run_sync(lambda sync: way(migrations.config(sync, given), to))

    before = "SELECT value FROM credentials WHERE kind = 'pin' ORDER BY value"
    whole = "SELECT value->>'value' FROM desired_items WHERE value->>'kind' = 'pin' ORDER BY 1"
    revisions = "SELECT kind, id, revision FROM desired_items ORDER BY 1, 2"
    held = await rows(database, revisions)
    with pytest.raises(RuntimeError, match="no key"):
        await step("changes", command.downgrade, None)
    await step("changes", command.downgrade, pins)
    assert [row[0] for row in await rows(database, before)] == ["123456", "835512", "999999"]
    assert [row[0] for row in await rows(database, whole)] == ["123456", "835512", "835512", "999999"]
    await step("head", command.upgrade, pins)
    assert all(is_sealed(str(row[0])) for row in [*await rows(database, before), *await rows(database, whole)])
    # No gateway has to be told anything anew.
    assert await rows(database, revisions) == held
    assert await sealed_otherwise(database) is None


async def test_another_secret_is_named_before_anything_goes_wrong(database: Database, database_url: str) -> None:
    async with with_pin(database):
        pass
    strange = Database(database_url, pool_size=1)
    try:
        assert "GATEHOUSE_KEY_FILE" in (await sealed_otherwise(strange) or "")
        async with strange.transaction() as conn:
            (changed,) = [one for one in await desired_service.since(conn, "demo", 0, 100) if one.item.kind == "block"]
        with pytest.raises(PinUnreadable):
            Pins(strange.key).told("demo", changed.item)
    finally:
        await strange.close()


# --- Who looked, who was refused, and screens that end


async def test_reads_and_refusals_are_in_the_history_for_who_needs_them(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("zhao", "manager") as manager:
        things = await furnish_one(hub, manager)
        async with hub.signed_in("song", "maintenance") as song, hub.signed_in("wang", "guard") as wang:
            for _ in range(20):
                assert (await song.get("/api/holders")).status_code == 403
                assert (await wang.get(f"/api/holders/{things['holder']}")).status_code == 200
            await hub.app.state.witness.close()
            asked: dict[str, Any] = {"kind": ["records.read", "request.refused"], "limit": 100}
            told = (await manager.get("/api/events", params=asked)).json()["items"]
            refused = [one["data"] for one in told if one["kind"] == "request.refused"]
            assert sorted(one["times"] for one in refused) == [1, 19]
            assert {one["request"] for one in refused} == {"GET /api/holders"}
            reads = [one["data"] for one in told if one["data"]["by"]["name"] == "Wang"]
            assert sorted(one["times"] for one in reads) == [1, 19]
            assert {tuple(one["ids"]) for one in reads} == {(things["holder"],)}
            # Each their own only.
            for client, name in ((song, "Song"), (wang, "Wang")):
                own = (await client.get("/api/events", params=asked)).json()["items"]
                assert {one["data"]["by"]["name"] for one in own} == {name}


async def furnish_one(hub: Office, manager: httpx.AsyncClient) -> dict[str, str]:
    holder = await manager.post("/api/holders", json={"site": "demo", "name": "周明远"})
    return {"holder": str(holder.json()["id"])}


async def test_a_screen_ends_with_the_session_that_opened_it(database: Database) -> None:
    async with office(database) as hub:
        await hub.account("wang", "guard", "demo")
        mine, other = await hub.token("wang"), await hub.token("wang")
        async with (
            running(hub.app) as url,
            streaming(url, mine) as ends,
            streaming(url, other) as goes_on,
            hub.client(Authorization=f"Bearer {mine}") as client,
        ):
            await ends.named("snapshot")
            await goes_on.named("snapshot")
            assert (await client.delete("/api/session")).status_code == 204
            # Far within the 15 s after which it would be looked at anyway: no time passes for the other one.
            async with asyncio.timeout(hub.live.limits.look_s):
                while await ends.next() is not None:
                    pass
            await hub.raise_alarm()
            assert (await goes_on.named("events")).data


def test_every_sight_is_somebodys() -> None:
    assert frozenset[Sight]().union(*SIGHTS.values()) == set(ALL)


async def test_the_sealed_row_is_what_the_index_holds_once(database: Database) -> None:
    async with with_pin(database), database.transaction() as conn:
        held = (await conn.execute(text("SELECT value FROM credentials WHERE kind = 'pin'"))).scalars().all()
    assert len(set(held)) == 3

"""What a role may not see is in no answer of the gateway, and who may no longer sign in sees nothing more."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contract.desired import Role
from contract.kinds import KINDS, may_say
from contract.rights import KIND_SIGHTS, SIGHTS, viewer_of
from gateway.engine.desk.record import Facts
from tests.gateway.test_web_site import Site, site
from tests.marks import ALL, hidden_from, mark, marked
from web.live.screens import View

ROLES: tuple[Role, ...] = ("guard", "maintenance", "admin")
SAID = {kind: shape for kind, shape in KINDS.items() if may_say(kind)}
"""Kinds that are for a gateway to say."""

NOT_WALKED = {"/api/live", "/api/openapi.json"}


async def record_every_kind(there: Site) -> None:
    facts = Facts()
    for kind, shape in SAID.items():
        # Of the right shape, each of its fields only a mark.
        facts.say(kind, "a-source", shape(**msgspec.json.decode(marked(kind))))
    await there.here.engine.record.append(facts)


def paths(there: Site) -> list[str]:
    found = there.app.openapi()["paths"]
    return [path for path, methods in found.items() if "get" in methods and path not in NOT_WALKED]


@pytest.mark.parametrize("role", ROLES)
async def test_no_route_tells_a_role_what_is_hidden_from_it(tmp_path: Path, role: Role) -> None:
    async with site(tmp_path) as there:
        await record_every_kind(there)
        await there.sign_in(role)
        seen = ""
        for path in paths(there):
            filled = path
            for name in ("alarm", "ticket", "command", "picture", "point", "id"):
                filled = filled.replace(f"{{{name}}}", "0" * 32)
            answer = await there.client.get(filled)
            assert answer.status_code < 500, f"{role} {path} {answer.text}"
            assert [secret for secret in hidden_from(role) if secret in answer.text] == [], f"{role} {path}"
            seen += answer.text
        whole = await there.get("/api/events", limit=500)
        assert {kind for kind in SAID if KIND_SIGHTS[kind] in SIGHTS[role]} <= {one["kind"] for one in whole["items"]}
        there_is = b"".join(bytes(marked(kind)) for kind in SAID).decode()
        assert [sight for sight in ALL if mark(sight) in seen] == [
            each for each in ALL if each in SIGHTS[role] and mark(each) in there_is
        ]
        assert ((await there.client.get("/api/pictures/" + "0" * 32)).status_code == 403) is (role == "maintenance")


@pytest.mark.parametrize("role", ROLES)
async def test_the_live_stream_hides_the_same(tmp_path: Path, role: Role) -> None:
    async with site(tmp_path) as there:
        await record_every_kind(there)
        viewer = viewer_of(role, f"a-{role}", role)
        live = there.app.state.live
        for after in (None, 0):
            screen = live.open(f"a-{role}", View(frozenset({"yard"}), viewer))
            told = ""
            async for chunk in live.frames(screen, after):
                if not told:
                    await record_every_kind(there)
                    there.app.state.live.publish(
                        states=[{"kind": "lane", "id": "gate", "site": "yard", "last_plate": mark("passing")}]
                    )
                told += chunk.decode()
                if '"last_plate"' in told and "event: state" in told:
                    break
            live.leave(screen)
            assert [secret for secret in hidden_from(role) if secret in told] == []
            assert mark("site") in told


async def test_one_event_shows_what_its_list_shows(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        await record_every_kind(there)
        await there.sign_in("guard")
        listed = {item["id"]: item for item in (await there.get("/api/events", limit=500))["items"]}
        last = max(listed)
        assert 0 < len(listed) < last
        for event in range(1, last + 1):
            answer = await there.client.get(f"/api/events/{event}")
            assert answer.status_code == (200 if event in listed else 404), event
            assert answer.status_code == 404 or answer.json() == listed[event]
        assert (await there.client.get(f"/api/events/{10**12}")).status_code == 404


async def test_pages_are_whole_although_much_is_hidden(tmp_path: Path) -> None:
    """A guard's page of 5 is 5, and none comes twice or is passed over, though most of the journal is not theirs."""
    async with site(tmp_path) as there:
        for _ in range(6):
            await record_every_kind(there)
        await there.sign_in("guard")
        whole = [one["id"] for one in (await there.get("/api/events", limit=500))["items"]]
        assert whole == sorted(whole, reverse=True)
        for query, order in (({}, whole), ({"after": 0}, whole[::-1])):
            found: list[int] = []
            page: dict[str, Any] = {"next": query.get("after")}
            asked: dict[str, Any] = dict(query)
            while True:
                page = await there.get("/api/events", limit=7, **asked)
                found += [one["id"] for one in page["items"]]
                if page["next"] is None:
                    break
                asked = {"after" if query else "before": page["next"]}
            assert found[: len(order)] == order[: len(found)]
            assert len(found) >= len(order) == len(set(order))


async def test_a_screen_ends_at_once_when_its_account_may_no_longer_sign_in(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        live = there.app.state.live
        open_screens = {
            account: live.open(account, View(frozenset({"yard"}), viewer_of("guard", account)))
            for account in ("a-guard", "a-maintenance", "a-admin")
        }
        kept = dict(there.people.accounts)
        del kept["guard"]
        kept["maintenance"] = msgspec.structs.replace(kept["maintenance"], role="installer")
        # That it was extended, and speaks another language, is no reason to end a screen.
        kept["admin"] = msgspec.structs.replace(kept["admin"], language="en", expires_at="2099-01-01T00:00:00.000Z")
        there.people.put(kept, there.people.holders)
        assert {name: screen.ended for name, screen in open_screens.items()} == {
            "a-guard": True,
            "a-maintenance": True,
            "a-admin": False,
        }


async def test_reads_and_refusals_are_recorded_in_the_journal(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        await there.sign_in("maintenance")
        for _ in range(10):
            assert (await there.client.get("/api/holders")).status_code == 403
        await there.sign_in("guard")
        for _ in range(10):
            assert (await there.get("/api/holders", ids="h-1"))["items"]
        await there.app.state.witness.close()
        await asyncio.sleep(0)
        told = [(kind, source, data) for kind, source, data in await recorded(there)]
        assert [(kind, source, data["times"]) for kind, source, data in told] == [
            ("request.refused", "a-maintenance", 1),
            ("records.read", "a-guard", 1),
            ("request.refused", "a-maintenance", 9),
            ("records.read", "a-guard", 9),
        ]


async def recorded(there: Site) -> list[tuple[str, str, dict[str, Any]]]:
    await there.here.engine.record.finished()
    events = await there.here.journal.events(after=0, limit=500)
    return [
        (event.kind, event.source, json.loads(bytes(event.data)))
        for event in events
        if event.kind in {"records.read", "request.refused"}
    ]

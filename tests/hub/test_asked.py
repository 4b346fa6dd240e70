"""Nothing that was asked is passed over: unknown fields, unknown filters, things that a site does not have."""

from __future__ import annotations

from typing import Any

import pytest

from hub.database.transactions import Database
from tests.hub.office import layout, office
from tests.web.console_asks import unknown_asks
from tests.web.walking import lenient_routes, open_bodies, routes


async def test_every_route_refuses_what_it_does_not_know(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("root", "admin", "*") as client:
        assert len(list(routes(hub.app))) > 40
        assert open_bodies(hub.app) == []
        assert await lenient_routes(hub.app, client) == []
        # Asked of a gateway alone, which has no address for one holder.
        assert unknown_asks(hub.app) == ["site.ts: /api/holders ids"]


@pytest.mark.parametrize(
    ("path", "filters"),
    [
        ("holders", {"state": "active"}),
        ("blocks", {"holder": "x"}),
        ("schedules", {"kind": "card", "holder": "x"}),
        ("events", {"kinds": "door.opened"}),
    ],
)
async def test_a_filter_that_a_list_does_not_have_is_named(
    database: Database, path: str, filters: dict[str, str]
) -> None:
    async with office(database) as hub, hub.signed_in("root", "admin", "*") as client:
        answer = await client.get(f"/api/{path}", params=filters, headers={"Accept-Language": "zh"})
        assert (answer.status_code, answer.json()["error"]["fields"]) == (422, dict.fromkeys(filters, "没有这个参数"))
        assert (await client.get(f"/api/{path}")).status_code == 200


NEW: dict[str, Any] = {"site": "demo", "title": "门关不上"}


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"assset": "lobby-a"}, "assset"),
        ({"asset": "pump-9"}, "asset"),
        ({"asset": "gate-in-cam", "urgency": "now"}, "urgency"),
    ],
)
async def test_a_ticket_for_what_is_not_there_is_refused(database: Database, more: dict[str, str], field: str) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as client:
        for language in ("zh", "en"):
            answer = await client.post("/api/tickets", json=NEW | more, headers={"Accept-Language": language})
            assert answer.status_code == 422
            assert list(answer.json()["error"]["fields"]) == [field]
        assert (await client.get("/api/tickets")).json()["items"] == []


async def test_a_ticket_may_name_whatever_the_site_consists_of(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as client:
        for asset in ("", "lobby-a", "gate-in", "gate-in-cam", "block-a"):
            answer = await client.post("/api/tickets", json=NEW | {"asset": asset, "place": "A 座 3 层走廊"})
            assert answer.status_code == 201, answer.text


async def test_a_site_that_never_reported_takes_any_asset(database: Database) -> None:
    """Nothing is known to check against, and a fault must be reported all the same."""
    async with office(database) as hub, hub.signed_in("wang", "guard") as client:
        assert layout("demo").site == "demo"
        async with database.transaction() as conn:
            await conn.exec_driver_sql("UPDATE sites SET layout = NULL")
        assert (await client.post("/api/tickets", json=NEW | {"asset": "pump-9"})).status_code == 201

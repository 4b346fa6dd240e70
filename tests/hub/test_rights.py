"""A user of one site can neither read nor change anything of another, through any route that the hub has.

The routes come from the OpenAPI document, so that a new one is walked the day it is added.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from contract.commands import Person
from contract.facts.alarms import AlarmAcknowledged
from contract.facts.machines import MeterRead
from contract.instants import instant
from contract.layout import PointLayout
from contract.pictures import Picture, picture_id
from contract.texts import Text
from hub.database.driver import driver
from hub.database.transactions import Database
from hub.domains import JOBS
from hub.jobs import queue
from hub.pictures.service import keep
from hub.telemetry.service import AGGS
from tests.hub.office import PASSWORD, Office, layout, office
from tests.hub.senders import NOW_MS, rows

MARK = "Northern"
"""Stands in every text of the foreign site."""

TEXT = {"zh": MARK, "en": MARK}
JPEG = b"\xff\xd8\xff\xe0" + MARK.encode()

PUBLIC = {
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/api/about"),
    ("GET", "/api/start"),
    ("POST", "/api/session"),
}
"""What everybody may ask."""

OWN = {
    ("GET", "/api/session"),
    ("DELETE", "/api/session"),
    ("PUT", "/api/accounts/self"),
    ("POST", "/api/accounts/self/password"),
    ("POST", "/api/self/confirm"),
    ("GET", "/api/self/sessions"),
    ("DELETE", "/api/self/sessions"),
    ("DELETE", "/api/self/sessions/{session}"),
    ("GET", "/api/self/second-factor"),
    ("POST", "/api/self/second-factor"),
    ("DELETE", "/api/self/second-factor"),
    ("POST", "/api/self/second-factor/confirm"),
    ("POST", "/api/self/second-factor/recovery"),
    ("GET", "/api/company"),
    ("PUT", "/api/company"),
    ("GET", "/api/jobs"),
    ("POST", "/api/jobs/{job}/run"),
}
"""What is about oneself, or about the company as a whole."""

STREAMS = {("GET", "/api/live")}
"""Never answers to the end; what it shows is held by tests/web/test_live.py and tests/hub/test_live.py."""


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    parameters: tuple[tuple[str, str], ...]
    """(place, name)"""

    def has(self, place: str, name: str) -> bool:
        return (place, name) in self.parameters

    @property
    def names_something(self) -> bool:
        return any(place == "path" for place, _ in self.parameters)


def routes(hub: Office) -> Iterator[Route]:
    for path, methods in hub.app.openapi()["paths"].items():
        for method, what in methods.items():
            parameters = tuple((one["in"], one["name"]) for one in what.get("parameters", ()))
            yield Route(method.upper(), path, parameters)


async def furnish(hub: Office, site: str) -> dict[str, str]:
    """One of everything at `site`, all with the mark; path parameter → id."""
    found = {"site": site, "post": "east", "step": "take", "session": "x"}
    async with hub.client("root") as root:

        async def add(path: str, **body: Any) -> str:
            answer = await root.post(f"/api/{path}", json={"site": site} | body)
            assert answer.status_code == 201, answer.text
            return str(answer.json()["id"])

        holder = await add("holders", name=MARK)
        found["holders"] = holder
        found["credentials"] = await add("credentials", kind="qr", value=MARK, holder=holder)
        found["grants"] = await add("grants", holder=holder, places=["lobby-a"])
        found["schedules"] = await add("schedules", name=TEXT, windows=[])
        found["blocks"] = await add("blocks", kind="qr", value=MARK, reason=TEXT)
        post = {"name": TEXT, "places": []}
        put = await root.put(f"/api/sites/{site}/posts/east", json=post, headers={"If-Match": ""})
        assert put.status_code == 200
        found["ticket"] = await add("tickets", title=MARK)
        found["alarm"] = await hub.raise_alarm(site=site, asset=MARK, rule=f"{MARK}@x", alarm=f"alarm-{site}")
        wang = Person(id="x", name=MARK, role="guard")
        await hub.report(
            "alarm.acknowledged", AlarmAcknowledged(alarm=found["alarm"], by=wang, note=MARK), "x", site=site
        )
        asked = await root.post(
            "/api/commands", json={"site": site, "target": "lobby-a", "kind": "door.unlock", "reason": MARK}
        )
        assert asked.status_code == 202
        found["command"] = asked.json()["id"]
    found["account_id"] = await hub.account(f"{MARK}-guard", "guard", site)
    found["picture"] = picture_id(JPEG)
    flow = PointLayout(id="pump-9.flow", device="pump-9", name=Text(MARK, MARK), type="number", unit=MARK)
    await hub.report("site.described", layout(site, points=[flow]), site, site=site)
    read = MeterRead(register="total", value=1.0, unit="kWh", meter_no=MARK)
    await hub.report("meter.read", read, "meter-9", site=site)
    async with hub.database.transaction() as conn:
        picture = Picture(id=found["picture"], at=instant(NOW_MS), jpeg=JPEG)
        await conn.execute(text("SELECT 1"))
        await keep(await driver(conn), site, f"{site}-gw", picture, datetime.now(UTC))
        await queue.stand(conn, JOBS)
        found["job"] = str((await conn.execute(text("SELECT min(id) FROM jobs"))).scalar_one())
        events = text("SELECT max(id) FROM events WHERE site = :site AND kind = 'meter.read'")
        found["event"] = str((await conn.execute(events, {"site": site})).scalar_one())
    return found


def body_of(route: Route, site: str, foreign: dict[str, str]) -> dict[str, Any] | None:
    """A body that would be right at the foreign site."""
    if route.method not in {"POST", "PUT"}:
        return None
    noun = route.path.split("/")[2]
    value = "other" if route.method == "POST" else MARK
    bodies: dict[str, dict[str, Any]] = {
        "holders": {"name": "x"},
        "credentials": {"kind": "qr", "value": value, "holder": foreign["holders"]},
        "grants": {"holder": foreign["holders"], "places": ["lobby-a"]},
        "schedules": {"name": TEXT, "windows": []},
        "blocks": {"kind": "qr", "value": value, "reason": TEXT},
        "sites": {"name": TEXT, "places": []},
        "tickets": {"title": "x"}
        if route.path == "/api/tickets"
        else {"text": "x"} | ({} if route.names_something else {"ids": [foreign["ticket"]], "step": "comment"}),
        "alarms": ({"for_s": 600} if route.path.endswith("/shelve") else {"note": "x"})
        | ({} if route.names_something else {"ids": [foreign["alarm"]]}),
        "commands": {"target": "lobby-a", "kind": "door.unlock", "reason": "x"},
        "accounts": {"name": "x", "role": "guard", "sites": [site]},
    }
    found = dict(bodies.get(noun, {}))
    if route.method == "POST" and not route.names_something and noun != "accounts" and "ids" not in found:
        found["site"] = site
    if route.method == "POST" and noun == "accounts":
        found |= {"username": "intruder", "password": PASSWORD}
    return found


async def call(client: httpx.AsyncClient, route: Route, foreign: dict[str, str], *, name_site: bool) -> httpx.Response:
    noun = route.path.split("/")[2]
    path = route.path.format(**foreign, id=foreign.get(noun, ""))
    query: dict[str, str] = {}
    if name_site and route.has("query", "site"):
        query["site"] = foreign["site"]
    if route.path == "/api/search":
        query["q"] = MARK
    if route.has("query", "point"):
        query |= {"point": "pump-9.flow", "agg": AGGS[0], "step": "60", "site": foreign["site"]}
    return await client.request(route.method, path, params=query, json=body_of(route, foreign["site"], foreign))


async def held(hub: Office, site: str) -> dict[str, object]:
    """A fingerprint of every row of a site, in every table that has sites."""
    found: dict[str, object] = {}
    tables = await rows(hub.database, "SELECT table_name FROM information_schema.columns WHERE column_name = 'site'"
                        " AND table_schema = 'public'")  # fmt: skip
    for (table,) in tables:
        query = f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {table} t WHERE site = :site"
        found[str(table)] = (await rows(hub.database, query, site=site))[0][0]
    return found


@pytest.mark.parametrize("role", ["guard", "maintenance", "installer", "manager", "admin"])
async def test_no_route_leads_to_another_site(database: Database, role: str) -> None:
    async with office(database, "demo", "north") as hub:
        await hub.account("root", "admin", "*")
        foreign = await furnish(hub, "north")
        before = await held(hub, "north")
        walked = 0
        async with hub.signed_in("wang", role, "demo") as client:
            for route in routes(hub):
                if (route.method, route.path) in PUBLIC | OWN | STREAMS:
                    continue
                for name_site in (True, False):
                    answer = await call(client, route, foreign, name_site=name_site)
                    told = f"{role}: {route.method} {route.path} {answer.status_code} {answer.text[:300]}"
                    assert MARK not in answer.text.replace("intruder", ""), told
                    assert JPEG not in answer.content, told
                    listed = route.method == "GET" and not route.names_something
                    allowed = {403, 404} | (
                        {200} if listed and not (name_site and route.has("query", "site")) else set()
                    )
                    assert answer.status_code in allowed, told
                    walked += 1
        assert walked > 80
        assert await held(hub, "north") == before


async def test_whose_site_it_is_reaches_everything(database: Database) -> None:
    """The walk above would also pass if the routes led nowhere: here they lead where they should."""
    async with office(database, "north") as hub:
        await hub.account("root", "admin", "*")
        foreign = await furnish(hub, "north")
        refused = []
        async with hub.signed_in("wang", "admin", "north") as client:
            for route in routes(hub):
                if (route.method, route.path) in PUBLIC | OWN | STREAMS or route.method == "DELETE":
                    continue
                answer = await call(client, route, foreign, name_site=True)
                if answer.status_code >= 400:
                    refused.append((route.method, route.path, answer.status_code))
        # The alarm is acknowledged already, and not shelved; the credential is no PIN.
        assert refused == [
            ("POST", "/api/alarms/{alarm}/ack", 409),
            ("POST", "/api/alarms/{alarm}/unshelve", 409),
            ("POST", "/api/credentials/{id}/pin", 404),
        ]


async def test_strangers_are_asked_to_sign_in_everywhere(database: Database) -> None:
    async with office(database, "north") as hub:
        await hub.account("root", "admin", "*")
        foreign = await furnish(hub, "north")
        before = await held(hub, "north")
        async with hub.client() as stranger, hub.client(Authorization="Bearer nonsense") as forger:
            for client, route in itertools.product((stranger, forger), routes(hub)):
                if (route.method, route.path) in PUBLIC:
                    continue
                answer = await call(client, route, foreign, name_site=True) if route.path != "/api/live" else (
                    await client.get("/api/live")
                )  # fmt: skip
                assert answer.status_code == 401, f"{route.method} {route.path} {answer.status_code}"
                assert answer.json()["error"]["code"] in {"unauthorized", "session_ended"}
        assert await held(hub, "north") == before


async def test_only_who_sees_the_whole_company_names_it(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "admin", "demo") as client:
        assert (await client.put("/api/company", json=TEXT)).status_code == 403

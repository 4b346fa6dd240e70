"""The gateway's own server, asked over HTTP in the process: real app, real engine, real journal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from fastapi import FastAPI

from contract.desired import Account, Holder, Role
from contract.instants import instant
from contract.layout import SiteLayout
from contract.rights import viewer_of
from drivers.camera.push.bus import PushBus
from drivers.profiles.files import load
from gateway.break_glass.account import Sealed
from gateway.hubtime import HubWord
from gateway.web import alarms
from gateway.web.app import gateway_app, push_app
from gateway.web.served import People, Served
from tests.gateway.engine_site import MORNING, Album, Time, Yard, yard
from web.live.screens import View
from web.session.passwords import Passwords

PASSWORD = "correct horse"


class Alone:
    """A gateway without a hub."""

    connected = False
    alone_since_ms: int | None = MORNING - 60_000
    readings_backlog = 3
    clock_error_ms: int | None = None
    refused: str | None = None


class Site:
    """The yard with its web server, and people who may sign in."""

    def __init__(
        self,
        here: Yard,
        app: FastAPI,
        client: httpx.AsyncClient,
        camera: httpx.AsyncClient,
        *,
        people: People,
        link: Alone,
    ) -> None:
        self.link = link
        self.here = here
        self.app = app
        self.client = client
        self.camera = camera
        self.people = people

    async def sign_in(self, username: str = "guard") -> None:
        """Opens a session as the person; the token goes with every request from now on."""
        answer = await self.client.post("/api/session", json={"username": username, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        self.client.headers["Authorization"] = f"Bearer {answer.json()['token']}"

    async def get(self, path: str, **query: Any) -> Any:
        """The JSON of a page that must be there."""
        answer = await self.client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()


HASHES: dict[str, str] = {}


@asynccontextmanager
async def site(
    folder: Path, *, time: Any = None, expires_in_s: int = 3600, push_port: int = 0, pushes_too: bool = False
) -> AsyncIterator[Site]:
    # The same at each start: an account's hash is another one only when its password is.
    if PASSWORD not in HASHES:
        HASHES[PASSWORD] = await Passwords().hash(PASSWORD)
    hash = HASHES[PASSWORD]
    async with yard(folder, time) as here:
        expires = instant(here.time.machine_ms + expires_in_s * 1000)
        roles: tuple[Role, ...] = ("guard", "maintenance", "admin")
        accounts: dict[str, Account] = {
            role: Account(
                id=f"a-{role}", username=role, name=role.title(), role=role, password_hash=hash, expires_at=expires
            )
            for role in roles
        }
        accounts["guard-2"] = msgspec.structs.replace(accounts["guard"], id="a-guard-2", username="guard-2")
        people = People(accounts, {"h-1": Holder(id="h-1", name="张三", unit="1-101")})
        cameras = {id: load("zhenshi_plate_camera") for id in ("cam-in", "cam-out", "cam-side")}
        here.engine.buses.add(PushBus("cameras", cameras, sink=here.engine.report, clock=here.engine.clock.wall_ms))
        link = Alone()
        sealed = Sealed(
            folder,
            here.engine.clock,
            here.time,
            lambda: link.alone_since_ms,
            lambda used: here.engine.turn("account.break_glass", there=used),
        )
        served = Served(
            engine=here.engine,
            journal=here.journal,
            readings=here.shelf,
            pictures=Album(folder),
            people=people,
            link=link,
            sealed=sealed,
            clock=here.engine.clock,
            software="0.0.0",
        )
        camera_app = push_app(served)
        app = gateway_app(
            served,
            console=folder / "nothing-built",
            push_port=push_port,
            pushes=camera_app if pushes_too else None,
        )
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 50_000))
        pushes = httpx.ASGITransport(camera_app, client=("127.0.0.1", 50_000))
        async with (
            httpx.AsyncClient(transport=transport, base_url="http://gateway") as client,
            httpx.AsyncClient(transport=pushes, base_url="http://gateway:8082") as camera,
        ):
            yield Site(here, app, client, camera, people=people, link=link)


async def test_nobody_sees_anything_without_signing_in_but_which_server_it_is(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        for path in (
            "events",
            "doors",
            "lanes",
            "alarms",
            "tickets",
            "points",
            "gateways",
            "wires",
            "journal",
            "site",
            "live",
        ):
            assert (await there.client.get(f"/api/{path}")).status_code == 401, path
        about = await there.get("/api/about")
        assert about == {
            "server": "gateway",
            "site": "yard",
            "name": about["name"],
            "version": "0.0.0",
            "hub_connected": False,
            "working_alone_since": instant(MORNING - 60_000),
            "backlog": None,
        }
        assert await there.get("/api/start") == {"about": about, "session": None, "sites": [], "layouts": []}
        await there.sign_in()
        # Who is about to sign in reads where by its name.
        assert about["name"] == (await there.get("/api/sites"))["items"][0]["name"]
        assert (await there.get("/api/about"))["backlog"] > 0
        begun = await there.get("/api/start")
        assert begun["session"] == await there.get("/api/session")
        assert (begun["sites"], begun["layouts"]) == (
            (await there.get("/api/sites"))["items"],
            [await there.get("/api/site")],
        )


async def test_people_can_sign_in_again_once_the_hub_has_ended_a_day_in_2099(tmp_path: Path) -> None:
    async with yard(tmp_path, Time(4_080_000_000_000)):
        pass  # the record of a new gateway on a machine in 2099
    async with site(tmp_path, time=Time()) as there:
        refused = await there.client.post("/api/session", json={"username": "guard", "password": PASSWORD})
        assert refused.status_code == 401
        there.here.engine.clock.heard_hub(HubWord(MORNING, there.here.time.steady))
        await there.sign_in()
        await there.get("/api/doors")


async def test_signing_in_with_the_account_that_the_hub_sent_down(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        wrong = await there.client.post("/api/session", json={"username": "guard", "password": "no"})
        assert wrong.status_code == 401
        await there.sign_in()
        user = (await there.get("/api/session"))["user"]
        assert (user["username"], user["role"], user["sites"]) == ("guard", "guard", ["yard"])
        kinds = await there.here.kinds()
        assert kinds == ["session.refused", "session.opened"]
        assert (await there.client.delete("/api/session")).status_code == 204
        assert (await there.client.get("/api/session")).status_code == 401


async def test_an_account_that_has_expired_or_is_gone_ends_its_sessions(tmp_path: Path) -> None:
    async with site(tmp_path, expires_in_s=600) as there:
        await there.sign_in()
        await there.here.wait(601)
        assert (await there.client.get("/api/session")).status_code == 401
        answer = await there.client.post("/api/session", json={"username": "guard", "password": PASSWORD})
        assert answer.status_code == 401
    async with site(tmp_path, time=there.here.time) as again:
        await again.sign_in("maintenance")
        del again.people.accounts["maintenance"]
        assert (await again.client.get("/api/session")).status_code == 401


async def test_a_session_outlives_a_restart(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        await there.sign_in()
        token = there.client.headers["Authorization"]
    async with site(tmp_path, time=there.here.time) as again:
        again.client.headers["Authorization"] = token
        assert (await again.get("/api/session"))["user"]["username"] == "guard"


async def test_a_new_password_ends_the_sessions_of_the_old_one(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        await there.sign_in()
        guard = there.people.accounts["guard"]
        # The copy is prolonged: nothing of the password has changed.
        later = instant(there.here.time.machine_ms + 7_200_000)
        there.people.accounts["guard"] = msgspec.structs.replace(guard, expires_at=later)
        assert (await there.client.get("/api/session")).status_code == 200
        new = await Passwords().hash("another " + PASSWORD)
        there.people.accounts["guard"] = msgspec.structs.replace(guard, password_hash=new)
        assert (await there.client.get("/api/session")).status_code == 401


async def test_the_eleventh_wrong_password_has_to_wait(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        codes = [
            (await there.client.post("/api/session", json={"username": "guard", "password": "no"})).status_code
            for _ in range(11)
        ]
        assert codes[-1] == 429


async def test_events_are_paged_in_both_directions_and_filtered(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        await there.sign_in()
        for card in ("04A1B2C3D4E5F6", "04DEADBEEF0001", "04000000000000"):
            await there.here.card(card)
        newest = await there.get("/api/events", limit=2)
        assert [item["kind"] for item in newest["items"]] == ["access.denied", "access.denied"]
        older = await there.get("/api/events", limit=2, before=newest["next"])
        assert older["items"][0]["kind"] == "access.granted"
        assert older["items"][0]["id"] < newest["items"][-1]["id"]
        first = await there.get("/api/events", after=0, limit=500)
        assert [item["id"] for item in first["items"]] == sorted(item["id"] for item in first["items"])
        assert first["next"] is None
        item = first["items"][-1]
        assert set(item) >= {"id", "site", "gateway", "stream", "seq", "at", "received_at", "kind", "source", "data"}
        both = await there.get("/api/events", kind=["access.granted", "session.opened"], after=0)
        assert [item["kind"] for item in both["items"]] == ["session.opened", "access.granted"]
        assert (await there.get("/api/events", source="nowhere"))["items"] == []
        assert (await there.client.get("/api/events", params={"site": "other"})).status_code == 403


async def test_a_guard_opens_by_hand_with_a_reason_and_hears_what_became_of_it(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        await there.sign_in()
        command = {"site": "yard", "target": "gate-in", "kind": "barrier.open", "reason": "访客来访"}
        answer = await there.client.post("/api/commands", json=command)
        assert answer.status_code == 202
        assert answer.json()["state"] == "asked"
        await there.here.settle()
        assert there.here.sent == [("write", "barrier-in", "open", True)]
        found = await there.get(f"/api/commands/{answer.json()['id']}")
        assert (found["state"], found["by"]["name"], found["reason"]) == ("done", "Guard", "访客来访")
        kinds = await there.here.kinds()
        assert [kind for kind in kinds if kind.startswith("command")] == ["command.asked", "command.done"]


# situation, who, what is asked, status, field of the fault
COMMANDS: list[tuple[str, str, dict[str, Any], int, str | None]] = [
    ("no reason", "guard", {"target": "gate-in", "kind": "barrier.open", "reason": ""}, 422, "reason"),
    ("a blank reason", "guard", {"target": "gate-in", "kind": "barrier.open", "reason": "  "}, 422, "reason"),
    ("an unknown target", "guard", {"target": "nowhere", "kind": "barrier.open", "reason": "x"}, 404, None),
    ("a door as a barrier", "guard", {"target": "lobby", "kind": "barrier.open", "reason": "x"}, 404, None),
    ("an unknown kind", "guard", {"target": "lobby", "kind": "door.blow_up", "reason": "x"}, 422, "kind"),
    ("a role that may not", "maintenance", {"target": "lobby", "kind": "door.unlock", "reason": "x"}, 403, None),
    ("a mode that does not exist", "guard", {"target": "lobby", "kind": "door.mode", "reason": "x"}, 422, "args"),
    ("another site", "guard", {"site": "b", "target": "lobby", "kind": "door.unlock", "reason": "x"}, 403, None),
    (
        "a door's lock as a point",
        "admin",
        {"target": "relays.relay_1", "kind": "point.write", "reason": "x", "args": {"value": True}},
        404,
        None,
    ),
]


@pytest.mark.parametrize(("who", "command", "status", "field"), [w[1:] for w in COMMANDS], ids=[w[0] for w in COMMANDS])
async def test_commands_that_are_refused(
    *, tmp_path: Path, who: str, command: dict[str, Any], status: int, field: str | None
) -> None:
    async with site(tmp_path) as there:
        await there.sign_in(who)
        answer = await there.client.post("/api/commands", json={"site": "yard"} | command)
        assert answer.status_code == status
        error = answer.json()["error"]
        assert error["message"]
        assert field is None or field in error["fields"]
        await there.here.settle()
        assert there.here.sent == []


async def test_an_alarm_is_acknowledged_and_its_ticket_shows_the_values_around_it(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        await there.sign_in()
        await there.here.read(pump_1__flow=0.2, pump_1__rotating=True)
        await there.here.wait(6)
        [alarm] = (await there.get("/api/alarms", state="active,acknowledged"))["items"]
        assert alarm["message"]["zh"].startswith("1 号泵 缺水")
        answer = await there.client.post(f"/api/alarms/{alarm['id']}/ack", json={"note": "在看"})
        assert answer.status_code == 202
        await there.here.settle()
        after = await there.get(f"/api/alarms/{alarm['id']}")
        assert (after["state"], after["note"], after["acknowledged_by"]["name"]) == ("acknowledged", "在看", "Guard")
        [ticket] = (await there.get("/api/tickets"))["items"]
        assert (ticket["state"], ticket["alarm"], ticket["asset"]) == ("raised", alarm["id"], "pump-1")
        whole = await there.get(f"/api/tickets/{ticket['id']}")
        assert {row[0] for row in whole["history"]} == {"pump-1.flow", "pump-1.rotating"}
        assert (await there.client.post(f"/api/alarms/{alarm['id']}/shelve", json={"for_s": 600})).status_code == 403
        assert (await there.client.post("/api/alarms/nothing/ack")).status_code == 404
        assert (await there.client.get("/api/alarms", params={"state": "purple"})).status_code == 422
        await there.here.read(pump_1__flow=9.0)
        # Whether the work is closed the hub knows: here it is the alarm that is over.
        over = await there.get(f"/api/tickets/{ticket['id']}")
        assert (over["state"], over["closed_at"], over["recovered_at"] is None) == ("cleared", None, False)
        assert [(await there.get("/api/tickets", state=state))["items"] for state in ("raised", "closed")] == [[], []]
        assert [item["id"] for item in (await there.get("/api/tickets", state="cleared"))["items"]] == [ticket["id"]]


FILTERS: list[tuple[dict[str, object], int]] = [
    ({"q": "号泵"}, 1),
    ({"q": "pump"}, 1),
    ({"q": "电梯"}, 0),
    ({"asset": ["pump-1", "lift-1"]}, 1),
    ({"asset": "lift-1"}, 0),
    ({"assignee": "me"}, 0),
    ({"assignee": "me,nobody"}, 1),
    ({"severity": "critical,major,minor,warning"}, 1),
    ({"from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z"}, 0),
]


async def test_the_few_tickets_of_a_site_are_filtered_as_at_the_hub(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        await there.sign_in()
        await there.here.read(pump_1__flow=0.2, pump_1__rotating=True)
        await there.here.wait(6)
        for query, count in FILTERS:
            assert len((await there.get("/api/tickets", **query))["items"]) == count, query
        answer = await there.client.get("/api/tickets", params={"colour": "red"})
        assert (answer.status_code, list(answer.json()["error"]["fields"])) == (422, ["colour"])


async def test_names_of_assets_are_read_once_and_only_for_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[SiteLayout] = []

    def names(layout: SiteLayout) -> dict[str, list[str]]:
        read.append(layout)
        return {"pump-1": ["一号泵", "First pump"]}

    monkeypatch.setattr(alarms, "_names", names)
    async with site(tmp_path) as there:
        await there.sign_in()
        await there.here.read(pump_1__flow=0.2, pump_1__rotating=True)
        await there.here.wait(6)
        assert len((await there.get("/api/tickets"))["items"]) == 1
        assert read == []
        assert len((await there.get("/api/tickets", q="first 一号泵"))["items"]) == 1
        assert len(read) == 1


async def test_alarms_are_paged_by_urgency(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        await there.sign_in()
        await there.here.read(relays__input_1=True)  # forced: major
        await there.here.read(pump_1__flow=0.2, pump_1__rotating=True)
        await there.here.wait(6)
        whole = (await there.get("/api/alarms"))["items"]
        first = await there.get("/api/alarms", limit=1)
        second = await there.get("/api/alarms", limit=1, cursor=first["next"])
        assert [first["items"][0]["id"], second["items"][0]["id"]] == [alarm["id"] for alarm in whole]
        assert second["next"] is None


async def test_points_and_their_history(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        await there.sign_in()
        for value in (10.0, 12.0, 20.0):
            await there.here.read(pump_1__flow=value)
            await there.here.wait(60)
        points = {point["id"]: point for point in (await there.get("/api/points"))["items"]}
        assert (points["pump-1.flow"]["value"], points["pump-1.flow"]["quality"]) == (20.0, "good")
        assert points["pump-1.head"]["value"] is None
        raw = await there.get("/api/readings", point="pump-1.flow")
        assert [item["value"] for item in raw["items"]] == [10.0, 12.0, 20.0]
        start = instant(there.here.time.machine_ms - 180_000)
        stepped = await there.get("/api/readings", point="pump-1.flow", **{"from": start}, step=120, agg="avg")
        assert [item["value"] for item in stepped["items"]] == [11.0, 20.0]
        lock = await there.get("/api/readings", point="lobby.lock")
        assert {item["value"] for item in lock["items"]} == {"locked"}
        for point in ("pump-1.nothing", "lobby.nothing", "nowhere.lock"):
            assert (await there.client.get("/api/readings", params={"point": point})).status_code == 404
        backwards = {"point": "pump-1.flow", "from": "2026-11-02T00:00:00Z", "to": "2026-11-01T00:00:00Z"}
        assert (await there.client.get("/api/readings", params=backwards)).status_code == 422


async def test_what_the_site_consists_of_and_how_it_stands(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        await there.sign_in()
        layout = await there.get("/api/site", site="yard")
        assert [lane["id"] for lane in layout["lanes"]] == ["gate-in", "gate-out", "gate-side"]
        assert [lane["can_close"] for lane in layout["lanes"]] == [True, False, False]
        [door] = (await there.get("/api/doors", site="yard"))["items"]
        assert (door["id"], door["lock"], door["contact"], door["mode"]) == ("lobby", "locked", "closed", "normal")
        [gateway] = (await there.get("/api/gateways"))["items"]
        assert (gateway["id"], gateway["online"], gateway["versions"]["desired"]) == ("yard-gw", True, 7)
        wires = {wire["id"]: wire for wire in (await there.get("/api/wires"))["items"]}
        assert wires.keys() == there.here.engine.buses.buses.keys()
        assert wires["doors-net"]["devices"] == ["relays"]
        assert {wires["doors-net"][name] for name in ("exchanges", "timeouts", "refused", "late", "overruns")} == {0}
        journal = await there.get("/api/journal")
        assert journal["first"] == 1
        assert journal["last"] == there.here.journal.last
        [holder] = (await there.get("/api/holders", ids="h-1,h-2"))["items"]
        assert holder["name"] == "张三"


async def test_health_and_figures(tmp_path: Path) -> None:
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415

    from gateway.web.metrics import publish  # noqa: PLC0415

    async with site(tmp_path) as there:
        assert (await there.get("/healthz")) == {"status": "ok"}
        assert (await there.get("/readyz"))["status"] == "ok"
        assert "/api/commands" in (await there.get("/api/openapi.json"))["paths"]
        await there.here.card("04A1B2C3D4E5F6")
        registry = CollectorRegistry()
        app: Any = there.camera._transport.app  # type: ignore[attr-defined]
        publish(app.state.served, registry)
        text = generate_latest(registry).decode()
        assert 'gatehouse_gateway_decisions_total{outcome="granted",place="door"} 1.0' in text
        assert f"gatehouse_gateway_journal_last {float(there.here.journal.last)}" in text
        assert 'gatehouse_gateway_bus_connected{bus="cameras"}' in text


async def test_what_locks_doors_is_no_point_to_write(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        installed = there.here.engine.site
        driven = {f"{door.lock.device}.{door.lock.output}" for door in installed.doors.values()}
        await there.sign_in("admin")
        points = {item["id"]: item["writable"] for item in (await there.get("/api/points"))["items"]}
        assert driven & points.keys()
        assert not any(points[id] for id in driven & points.keys())
        assert any(points.values())


async def test_everybody_is_told_what_they_may_do_here(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        await there.here.read(pump_1__flow=0.2, pump_1__rotating=True)
        await there.here.wait(6)
        found = {}
        for who in ("guard", "maintenance"):
            await there.sign_in(who)
            session = (await there.get("/api/session"))["can"]
            assert {"alarms.ack", "tickets.read"} <= set(session)
            assert not {"tickets.work", "people.read", "meters.read"} & set(session)
            assert ("open" in session) is (who == "guard")
            assert ("meters.record" in session) is (who != "guard")
            answer = await there.client.post("/api/meters/no-such/read")
            assert answer.status_code == (403 if who == "guard" else 404)
            kinds = ("doors", "lanes", "alarms", "tickets")
            found[who] = [(await there.get(f"/api/{kind}"))["items"][0]["can"] for kind in kinds]
            snapshot = await there.app.state.live._source.snapshot(View(None, viewer_of(who, f"a-{who}")))
            shown = msgspec.json.decode(snapshot.body)
            assert [shown[kind][0]["can"] for kind in kinds] == found[who]
        barrier = ["barrier.open", "barrier.close"]
        assert found["guard"] == [["door.unlock", "door.mode"], barrier, ["alarm.ack"], []]
        assert found["maintenance"] == [[], [], ["alarm.ack", "alarm.shelve"], []]

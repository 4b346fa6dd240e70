"""Sites: described by their gateways, seen by those whose they are; doors and lanes as the newest word says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from contract import SOFTWARE
from contract.commands import Person
from contract.facts.entry import BarrierMoved, DoorModeSet, DoorMoved, PlateSeen
from contract.readings import Reading, ReadingsBatch, columns_of
from hub.database.transactions import Database
from hub.domains import LATEST
from hub.ingest.arrivals import ReadingsArrived
from hub.sites.states import on_readings
from hub.telemetry.ingest import NewerReading, Readings
from tests.hub.office import Office, layout, office
from tests.hub.senders import NOW_MS, arrived

START = datetime.fromtimestamp(NOW_MS / 1000, UTC)


async def door(hub: Office, door_id: str = "lobby-a") -> dict[str, object]:
    async with hub.client("wang") as client:
        items = (await client.get("/api/doors", params={"site": "demo"})).json()["items"]
    return next(item for item in items if item["id"] == door_id)


async def lane(hub: Office) -> dict[str, object]:
    async with hub.client("wang") as client:
        (item,) = (await client.get("/api/lanes", params={"site": "demo"})).json()["items"]
    found: dict[str, object] = item
    return found


async def read(
    hub: Office, point: str, value: object, after_s: float, quality: str = "good"
) -> list[dict[str, object]]:
    """A reading reaches the hub; what screens are told."""
    told: list[dict[str, object]] = []
    end = hub.database.subscribe(lambda outcome: told.extend(outcome.states))
    reading = NewerReading(point, "", value, quality, START + timedelta(seconds=after_s))  # type: ignore[arg-type]
    async with hub.database.transaction() as conn:
        await on_readings(conn, "demo", [reading], START + timedelta(seconds=300))
    end()
    return told


async def test_everybody_may_ask_which_server_this_is(database: Database) -> None:
    async with office(database) as hub, hub.client() as client:
        about = (await client.get("/api/about")).json()
        assert about.pop("version") == SOFTWARE
        assert about == {
            "server": "hub",
            "site": None,
            "hub_connected": None,
            "working_alone_since": None,
            "backlog": None,
        }


async def test_the_console_begins_with_one_answer(database: Database) -> None:
    async with office(database, "demo", "east") as hub, hub.client() as nobody:
        begun = (await nobody.get("/api/start")).json()
        assert begun == {"about": (await nobody.get("/api/about")).json(), "session": None, "sites": [], "layouts": []}
        async with hub.signed_in("wang", "guard") as client:
            begun = (await client.get("/api/start")).json()
            assert begun["session"] == (await client.get("/api/session")).json()
            assert begun["sites"] == (await client.get("/api/sites")).json()["items"]
            assert [each["site"] for each in begun["layouts"]] == [each["id"] for each in begun["sites"]]
            (one,) = [each for each in begun["layouts"] if each["site"] == "demo"]
            assert one == (await client.get("/api/site", params={"site": "demo"})).json()


async def test_of_many_sites_only_the_one_that_is_looked_at_is_laid_out(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.sites.endpoints.LAYOUTS", 1)
    async with office(database, "demo", "east") as hub, hub.signed_in("root", "admin", "*") as client:
        for site, laid_out in ((None, []), ("east", ["east"]), ("nowhere", [])):
            begun = (await client.get("/api/start", params={} if site is None else {"site": site})).json()
            assert [each["id"] for each in begun["sites"]] == ["demo", "east"]
            assert [each["site"] for each in begun["layouts"]] == laid_out


async def test_a_site_is_what_its_gateway_says(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as client:
        found = (await client.get("/api/site", params={"site": "demo"})).json()
        assert (found["name"], found["gateway"]) == ({"zh": "demo 苑", "en": "demo court"}, "demo-gw")
        assert [place["id"] for place in found["doors"]] == ["lobby-a", "garage"]
        # Whose only site it is need not name it.
        assert (await client.get("/api/site")).json() == found
        await hub.report("site.described", layout("demo", meters=[]), "demo")
        (site,) = (await client.get("/api/sites")).json()["items"]
        assert (site["id"], site["described"], site["posts"]) == ("demo", True, [])


async def test_whoever_has_several_sites_says_which(database: Database) -> None:
    async with office(database, "demo", "north") as hub, hub.signed_in("root", "admin", "*") as client:
        assert (await client.get("/api/site")).status_code == 422
        assert (await client.get("/api/site", params={"site": "nowhere"})).status_code == 404
        assert [site["id"] for site in (await client.get("/api/sites")).json()["items"]] == ["demo", "north"]


async def test_a_gateway_describes_its_own_site_only(database: Database) -> None:
    async with office(database, "demo", "north") as hub, hub.signed_in("wang", "guard", "north") as client:
        before = (await client.get("/api/site")).json()
        await hub.report("site.described", layout("north"), "north", site="demo")
        assert (await client.get("/api/site")).json() == before
        assert len(await hub.events("projection.failed")) == 1


async def test_doors_and_lanes_are_there_before_anything_was_heard(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard"):
        assert await door(hub) == {
            "id": "lobby-a",
            "site": "demo",
            "lock": "unknown",
            "contact": "unknown",
            "mode": "normal",
            "mode_since": None,
            "mode_until": None,
            "mode_by": None,
            "at": None,
            "can": ["door.unlock", "door.mode"],
        }
        assert await lane(hub) == {
            "id": "gate-in",
            "site": "demo",
            "barrier": "unknown",
            "monitored": True,
            "loops": {"before": None, "under": None},
            "last_plate": None,
            "last_plate_at": None,
            "car": None,
            "at": None,
            "can": ["barrier.open", "barrier.close"],
        }


async def test_events_move_doors_and_lanes(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard"):
        await hub.report("door.opened", DoorMoved(by="decision"), "lobby-a")
        await hub.report("door.mode_set", DoorModeSet(mode="unlocked", by="Wang"), "lobby-a")
        found = await door(hub)
        assert (found["contact"], found["mode"]) == ("open", "unlocked")
        await hub.report("door.closed", DoorMoved(by="decision"), "lobby-a")
        assert (await door(hub))["contact"] == "closed"
        assert (await door(hub, "garage"))["contact"] == "unknown"
        seen = PlateSeen(plate="沪A12345", camera="gate-in-cam", confidence=0.98)
        await hub.report("plate.seen", seen, "gate-in")
        replayed = PlateSeen(plate="粤B00000", camera="gate-in-cam", confidence=0.98, replayed=True)
        await hub.report("plate.seen", replayed, "gate-in")
        await hub.report("barrier.opened", BarrierMoved(by="decision"), "gate-in")
        found = await lane(hub)
        assert (found["barrier"], found["last_plate"]) == ("up", "沪A12345")


async def test_a_mode_is_told_with_its_term_and_by_whose_name(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard"):
        until, wang = "2031-03-09T12:00:00.000Z", Person(id="p-1", name="王门卫", role="guard")
        await hub.report("door.mode_set", DoorModeSet(mode="unlocked", by="p-1", until=until, person=wang), "lobby-a")
        found = await door(hub)
        assert (found["mode"], found["mode_until"], found["mode_by"]) == ("unlocked", until, "王门卫")
        assert found["mode_since"] == found["at"]
        await hub.report("door.mode_set", DoorModeSet(mode="normal", by="p-1", ended=True, person=wang), "lobby-a")
        found = await door(hub)
        assert (found["mode"], found["mode_since"], found["mode_until"], found["mode_by"]) == (
            "normal",
            None,
            None,
            None,
        )


async def test_readings_move_doors_and_lanes(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard"):
        told = await read(hub, "lobby-a.lock", "released", 100)
        assert [(state["kind"], state["id"], state["lock"]) for state in told] == [("door", "lobby-a", "released")]
        await read(hub, "gate-in.barrier", "moving", 100)
        await read(hub, "gate-in.loop_before", True, 101)
        await read(hub, "gate-in.loop_under", 0, 102)
        found = await lane(hub)
        assert (found["barrier"], found["loops"]) == ("moving", {"before": True, "under": False})
        # The same word again is no news for the screens.
        assert await read(hub, "lobby-a.lock", "released", 120) == []


async def test_the_newest_word_counts_whichever_road_it_took(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard"):
        hub.now_ms += 300_000
        await read(hub, "lobby-a.contact", "open", 200)
        await hub.report("door.closed", DoorMoved(by="decision"), "lobby-a")
        assert (await door(hub))["contact"] == "open"
        await read(hub, "lobby-a.contact", "open", 220)
        await read(hub, "lobby-a.contact", "closed", 210)
        assert (await door(hub))["contact"] == "open"
        await read(hub, "lobby-a.contact", "closed", 230)
        assert (await door(hub))["contact"] == "closed"


async def test_what_was_read_before_the_layout_came_counts_too(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard"):
        bare = msgspec.structs.replace(layout("demo"), doors=[])
        await hub.report("site.described", bare, "demo")
        batch = ReadingsBatch(
            store="d" * 32,
            seq=1,
            oldest=1,
            columns=columns_of([
                Reading(point="garage.lock", value="locked", quality="good", at=NOW_MS),
                Reading(point="garage.contact", value="closed", quality="good", at=NOW_MS),
            ]),
        )  # fmt: skip
        blob = arrived("demo-gw", "telemetry", batch)
        assert isinstance(blob, ReadingsArrived)
        await Readings(database, LATEST, now_ms=lambda: NOW_MS).store([blob])
        told: list[dict[str, object]] = []
        database.subscribe(lambda outcome: told.extend(outcome.states))
        await hub.report("site.described", layout("demo"), "demo")
        assert [(frame["id"], frame["lock"], frame["contact"]) for frame in told] == [("garage", "locked", "closed")]
        assert (await door(hub, "garage"))["lock"] == "locked"


@pytest.mark.parametrize(
    ("point", "value", "quality"),
    [
        ("lobby-a.contact", "ajar", "good"),
        ("lobby-a.contact", None, "bad"),
        ("lobby-a.contact", "open", "stale"),
        ("lobby-a.contact", 7, "good"),
    ],
)
async def test_a_word_that_cannot_be_trusted_is_unknown(
    database: Database, point: str, value: object, quality: str
) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard"):
        await read(hub, "lobby-a.contact", "open", 100)
        await read(hub, point, value, 101, quality)
        assert (await door(hub))["contact"] == "unknown"


async def test_points_of_machines_are_no_doors(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard"):
        for point in ("lift-1.mode", "pump-1.flow", "lobby-a.unheard_of", "nodot"):
            assert await read(hub, point, "normal", 100) == []


async def test_posts_are_set_up_by_managers(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("zhao", "manager") as client:
        body = {"name": {"zh": "东门岗", "en": "East gate"}, "places": ["gate-in", "lobby-a"]}
        put = await client.put("/api/sites/demo/posts/east", json=body, headers={"If-Match": ""})
        version = put.json()["version"]
        assert put.json() == {"id": "east", "site": "demo", "version": version, **body}
        (site,) = (await client.get("/api/sites")).json()["items"]
        assert site["posts"] == [put.json()]
        unknown = await client.put("/api/sites/demo/posts/east", json=body | {"places": ["moon"]})
        assert unknown.status_code == 422
        assert (await client.put("/api/sites/north/posts/east", json=body)).status_code == 404
        async with hub.signed_in("wang", "guard") as guard:
            assert (await guard.put("/api/sites/demo/posts/east", json=body)).status_code == 403
        assert (await client.delete("/api/sites/demo/posts/east")).status_code == 204
        assert (await client.delete("/api/sites/demo/posts/east")).status_code == 404


async def test_the_company_has_a_name(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("root", "admin", "*") as admin:
        name = {"zh": "云杉物业", "en": "Spruce Property"}
        named = await admin.put("/api/company", json=name)
        assert named.json() == {"id": "company", "name": name, "version": named.json()["version"]}
        assert (await admin.get("/api/company")).json()["name"] == name
        async with hub.signed_in("wang", "guard") as guard:
            assert (await guard.put("/api/company", json=name)).status_code == 403
        async with hub.signed_in("lin", "admin", "demo") as of_some_sites:
            assert (await of_some_sites.put("/api/company", json=name)).status_code == 403
            assert "company.write" not in (await of_some_sites.get("/api/session")).json()["can"]

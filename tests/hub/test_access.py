"""Who may pass: validation, conflicts, and that every change reaches the gateway and the history together."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from contract.commands import Person
from contract.facts.entry import Access, Presented
from contract.texts import Reason
from hub.database.transactions import Database
from tests.hub.office import Office, office

HOLDER = {"site": "demo", "name": "周明远", "unit": "A-0301"}
TEXT = {"zh": "名称", "en": "Name"}


async def holder_of(client: httpx.AsyncClient, **fields: Any) -> str:
    answer = await client.post("/api/holders", json=HOLDER | fields)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def made(client: httpx.AsyncClient, path: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(f"/api/{path}", json={"site": "demo"} | body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_resident_from_arrival_to_departure(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("zhao", "manager") as client:
        holder = await holder_of(client)
        card = await made(client, "credentials", kind="card", value="04:a1-b2 c3d4e5f6", holder=holder)
        assert card["value"] == "04A1B2C3D4E5F6"
        grant = await made(client, "grants", holder=holder, places=["lobby-a", "block-a"])
        assert await hub.desired("demo", "holder") == {
            holder: {
                "id": holder,
                "name": "周明远",
                "kind": "resident",
                "unit": "A-0301",
                "valid_from": None,
                "valid_to": None,
            }
        }
        assert (await hub.desired("demo", "grant"))[grant["id"]]["schedule"] == "always"

        whole = (await client.get(f"/api/holders/{holder}")).json()
        assert [one["id"] for one in whole["credentials"]] == [card["id"]]
        assert [one["places"] for one in whole["grants"]] == [["lobby-a", "block-a"]]

        body = {"kind": "card", "value": "04A1B2C3D4E5F6", "holder": holder, "state": "lost"}
        lost = await client.put(f"/api/credentials/{card['id']}", json=body)
        assert lost.json()["state"] == "lost"
        assert (await hub.desired("demo", "credential"))[card["id"]]["state"] == "lost"

        # Erased: gone with everything that is theirs, while the history keeps ids only.
        assert (await client.delete(f"/api/holders/{holder}")).status_code == 204
        for kind in ("holder", "credential", "grant"):
            assert await hub.desired("demo", kind) == {}
        told = [
            (kind, data["change"])
            for kind, _, data in await hub.events("holder.changed", "credential.changed", "grant.changed")
        ]
        assert told == [
            ("holder.changed", "created"),
            ("credential.changed", "created"),
            ("grant.changed", "created"),
            ("credential.changed", "updated"),
            ("grant.changed", "removed"),
            ("credential.changed", "removed"),
            ("holder.changed", "removed"),
        ]
        recorded = str(await hub.events("holder.changed", "credential.changed", "grant.changed"))
        assert "周明远" not in recorded
        assert "04A1B2C3D4E5F6" not in recorded


async def test_the_history_outlives_an_erased_holder(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("zhao", "manager") as client:
        holder = await holder_of(client)
        granted = Access(
            credential=Presented(kind="card", value="04A1B2C3D4E5F6"),
            holder=holder,
            rule="grant-1",
            revision=3,
            reason=Reason("granted", "允许", "granted"),
        )
        await hub.report("access.granted", granted, "lobby-a")
        await client.delete(f"/api/holders/{holder}")
        found = (await client.get("/api/events", params={"site": "demo", "kind": "access.granted"})).json()["items"]
        assert found[0]["data"]["holder"] == holder
        assert "周明远" not in str(found)


async def test_who_changed_what_is_recorded(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("zhao", "manager") as client:
        holder = await holder_of(client)
        body = {"name": "周明远", "unit": "B-0101"}
        await client.put(f"/api/holders/{holder}", json=body)
        await client.put(f"/api/holders/{holder}", json=body)
        _, site, data = (await hub.events("holder.changed"))[-1]
        assert (site, data["fields"], data["by"]["name"]) == ("demo", ["unit"], "Zhao")
        # Nothing changed the second time: no event, no revision.
        assert len(await hub.events("holder.changed")) == 2


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("holders", {"name": ""}, "name"),
        ("holders", {"name": "x", "kind": "ghost"}, "kind"),
        (
            "holders",
            {"name": "x", "valid_from": "2026-02-01T00:00:00Z", "valid_to": "2026-01-01T00:00:00Z"},
            "valid_to",
        ),
        ("holders", {"name": "x", "valid_to": "2026-01-01T00:00:00"}, "valid_to"),
        ("holders", {"name": "x", "id": "no spaces"}, "id"),
        ("credentials", {"kind": "card", "value": "04A1B"}, "value"),
        ("credentials", {"kind": "card", "value": "not hex!"}, "value"),
        ("credentials", {"kind": "card", "value": "0013961168"}, "value"),
        ("credentials", {"kind": "card", "value": "4294967296", "form": "10d"}, "value"),
        ("credentials", {"kind": "card", "value": "04A1B2C3", "form": "9d"}, "form"),
        ("credentials", {"kind": "qr", "value": "0013961168", "form": "10d"}, "form"),
        ("credentials", {"kind": "plate", "value": "无牌车"}, "value"),
        ("credentials", {"kind": "pin", "value": "12"}, "value"),
        ("credentials", {"kind": "retina", "value": "1"}, "kind"),
        ("credentials", {"kind": "card", "value": "04A1B2C3", "holder": "nobody"}, "holder"),
        ("grants", {"places": []}, "places"),
        ("grants", {"places": ["lobby-z"]}, "places"),
        ("grants", {"places": ["lobby-a"], "schedule": "never-heard-of"}, "schedule"),
        (
            "schedules",
            {"name": TEXT, "windows": [{"days": [8], "since": "08:00", "until": "09:00"}]},
            "windows.0.days.0",
        ),
        ("schedules", {"name": TEXT, "windows": [{"days": [1], "since": "8:00", "until": "09:00"}]}, "windows.0.since"),
        (
            "schedules",
            {"name": TEXT, "windows": [{"days": [1], "since": "08:00", "until": "08:00"}]},
            "windows.0.until",
        ),
        ("schedules", {"name": TEXT, "windows": [], "days": [{"day": "2026-02-30"}]}, "days.0.day"),
        ("schedules", {"name": TEXT, "windows": [], "id": "always"}, "id"),
        ("schedules", {"name": {"zh": "只有中文"}, "windows": []}, "name.en"),
        ("blocks", {"kind": "plate", "value": "粤B88888"}, "reason"),
    ],
)
async def test_what_a_record_must_be(database: Database, path: str, body: dict[str, Any], field: str) -> None:
    async with office(database) as hub, hub.signed_in("zhao", "manager") as client:
        if path in {"credentials", "grants"}:
            body = {"holder": await holder_of(client)} | body
        before = await hub.desired("demo", "holder")
        answer = await client.post(f"/api/{path}", json={"site": "demo"} | body)
        assert answer.status_code == 422, answer.text
        assert list(answer.json()["error"]["fields"]) == [field]
        assert await hub.desired("demo", "holder") == before


async def test_a_card_is_enrolled_as_it_is_printed(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("zhao", "manager") as client:
        holder = await holder_of(client)
        card = await made(client, "credentials", kind="card", value="13961168", form="10d", holder=holder)
        assert card["value"] == "00D507D0"
        assert card["printed"]["10d"] == "0013961168"
        assert card["printed"]["3+5"] == "213,02000"
        assert (await hub.desired("demo", "credential"))[card["id"]]["value"] == "00D507D0"
        found = (await client.get("/api/holders", params={"q": "0013961168"})).json()["items"]
        assert [one["id"] for one in found] == [holder]
        block = await made(client, "blocks", kind="card", value="213,02000", form="3+5", reason=TEXT)
        assert block["value"] == "D507D0"
        # Ten digits that were said to be hex stay changeable without saying so again.
        wide = await made(client, "credentials", kind="card", value="0013961168", form="hex", holder=holder)
        body = {"kind": "card", "value": wide["value"], "holder": holder, "state": "lost"}
        assert (await client.put(f"/api/credentials/{wide['id']}", json=body)).json()["state"] == "lost"


async def test_one_value_has_one_credential_in_force(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("zhao", "manager") as client:
        first, second = await holder_of(client), await holder_of(client, name="许佳宁")
        card = await made(client, "credentials", kind="card", value="04A1B2C3", holder=first)
        again = await client.post(
            "/api/credentials", json={"site": "demo", "kind": "card", "value": "04-a1-b2-c3", "holder": second}
        )
        assert (again.status_code, list(again.json()["error"]["fields"])) == (409, ["value"])
        assert "周明远 A-0301" in again.json()["error"]["message"]
        # Taken back from the first it can be handed to the second, but not be in force twice.
        body = {"kind": "card", "value": "04A1B2C3", "holder": first}
        await client.put(f"/api/credentials/{card['id']}", json=body | {"state": "revoked"})
        await made(client, "credentials", kind="card", value="04A1B2C3", holder=second)
        back = await client.put(f"/api/credentials/{card['id']}", json=body)
        assert back.status_code == 409


async def test_a_plate_is_compared_in_one_form(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("zhao", "manager") as client:
        block = await made(client, "blocks", kind="plate", value="粤b·88888", reason=TEXT)
        assert block["value"] == "粤B88888"
        again = await client.post(
            "/api/blocks", json={"site": "demo", "kind": "plate", "value": "粤B 88888", "reason": TEXT}
        )
        assert again.status_code == 409
        assert (await hub.desired("demo", "block"))[block["id"]]["reason"] == TEXT


async def test_a_schedule_in_use_stays(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("zhao", "manager") as client:
        hours = {"name": TEXT, "windows": [{"days": [1, 2], "since": "08:00", "until": "19:00"}]}
        schedule = await made(client, "schedules", id="office-hours", **hours)
        grant = await made(client, "grants", holder=await holder_of(client), places=["garage"], schedule="office-hours")
        assert (await client.delete("/api/schedules/office-hours")).status_code == 409
        await client.delete(f"/api/grants/{grant['id']}")
        assert (await client.delete("/api/schedules/office-hours")).status_code == 204
        assert schedule["windows"][0]["since"] == "08:00"
        assert await hub.desired("demo", "schedule") == {}


async def test_lists_are_searched_and_come_in_pages(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("zhao", "manager") as client:
        for name in ("Cai", "An", "Bo", "Deng"):
            holder = await holder_of(client, name=name, unit=f"A-{name}")
        await made(client, "credentials", kind="plate", value="沪A12345", holder=holder)

        async def names(**query: Any) -> tuple[list[str], Any]:
            page = (await client.get("/api/holders", params={"site": "demo"} | query)).json()
            return [item["name"] for item in page["items"]], page["next"]

        assert await names() == (["An", "Bo", "Cai", "Deng"], None)
        first, cursor = await names(limit=3)
        assert (first, await names(limit=3, cursor=cursor)) == (["An", "Bo", "Cai"], (["Deng"], None))
        assert await names(q="a-b") == (["Bo"], None)
        # A holder is found by what they present, too.
        assert await names(q="a 123") == (["Deng"], None)
        assert await names(q="%") == ([], None)
        assert await names(kind="staff") == ([], None)
        assert (await client.get("/api/holders", params={"cursor": "nonsense"})).status_code == 422
        plates = (await client.get("/api/credentials", params={"holder": holder, "kind": "plate"})).json()["items"]
        assert [plate["value"] for plate in plates] == ["沪A12345"]


async def test_an_id_at_two_sites_has_to_be_told_apart(database: Database) -> None:
    async with office(database, "demo", "north") as hub, hub.signed_in("root", "admin", "*") as client:
        for site in ("demo", "north"):
            body: dict[str, Any] = {"site": site, "id": "office-hours", "name": TEXT, "windows": []}
            assert (await client.post("/api/schedules", json=body)).status_code == 201
        assert (await client.get("/api/schedules/office-hours")).status_code == 422
        found = await client.get("/api/schedules/office-hours", params={"site": "north"})
        assert found.json()["site"] == "north"
        again = await client.post("/api/schedules", json=body)
        assert (again.status_code, list(again.json()["error"]["fields"])) == (409, ["id"])


@pytest.mark.parametrize(
    ("role", "reads", "writes"),
    [
        ("guard", 200, 403),
        ("installer", 200, 403),
        ("maintenance", 403, 403),
        ("manager", 200, 201),
        ("admin", 200, 201),
    ],
)
async def test_who_may_read_and_who_may_write(database: Database, role: str, reads: int, writes: int) -> None:
    async with office(database) as hub, hub.signed_in("wang", role) as client:
        for path in ("holders", "credentials", "grants", "schedules", "blocks"):
            assert (await client.get(f"/api/{path}")).status_code == reads
        assert (await client.post("/api/holders", json=HOLDER)).status_code == writes


async def test_a_pin_is_in_no_list_and_in_no_search(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("zhao", "manager") as manager:
        holder = await holder_of(manager)
        pin = await made(manager, "credentials", kind="pin", value="482913", holder=holder)
        async with hub.signed_in("wang", "guard") as guard:
            for path in ("/api/credentials", f"/api/credentials/{pin['id']}", f"/api/holders/{holder}"):
                assert "482913" not in (await guard.get(path)).text
                assert "482913" not in (await manager.get(path)).text
            assert (await guard.get("/api/holders", params={"q": "4829"})).json()["items"] == []


async def test_a_failed_change_leaves_nothing_behind(database: Database) -> None:
    async with office(database) as hub:
        await check_nothing_half_done(hub)


async def check_nothing_half_done(hub: Office) -> None:
    """Event, desired state and row are one transaction: when the last of them fails, none of them stands."""
    from hub.access import service  # noqa: PLC0415
    from hub.access.nouns import HOLDER as NOUN  # noqa: PLC0415
    from hub.access.schemas import HolderBody  # noqa: PLC0415

    person = Person(id="x", name="x", role="manager")
    with pytest.raises(RuntimeError):
        async with hub.database.session(writes=True) as session:
            site = await service.site_of(session, "demo")
            await service.create(session, NOUN, site, HolderBody(name="x"), person)
            raise RuntimeError("the power goes")
    assert await hub.desired("demo", "holder") == {}
    assert await hub.events("holder.changed") == []


async def test_at_a_post_no_answer_has_a_whole_number(database: Database) -> None:
    card, code, plate = "04A1B2C3D4E5F6", "GH1.4f7a.99c1", "沪A12345"
    async with (
        office(database) as hub,
        hub.signed_in("zhao", "manager") as manager,
        hub.signed_in("wang", "guard") as guard,
    ):
        holder = await holder_of(manager)
        for kind, value in (("card", card), ("qr", code), ("plate", plate)):
            await made(manager, "credentials", kind=kind, value=value, holder=holder)
        await made(manager, "blocks", kind="card", value="04DEADBEEF0001", reason=TEXT)
        told = {"card": "••••E5F6", "qr": "••••99c1", "plate": plate}

        async def values(client: httpx.AsyncClient, path: str, **query: str) -> dict[str, str]:
            answer = (await client.get(f"/api/{path}", params=query)).json()
            return {one["kind"]: one["value"] for one in answer["credentials" if "credentials" in answer else "items"]}

        assert await values(guard, f"holders/{holder}") == await values(guard, "credentials") == told
        assert await values(guard, "blocks") == {"card": "••••0001"}
        assert await values(manager, "credentials") == {"card": card, "qr": code, "plate": plate}
        whole = (await guard.get("/api/credentials")).text + (await guard.get(f"/api/holders/{holder}")).text
        assert [number for number in (card, code, str(int(card, 16))) if number in whole] == []
        # What is not shown cannot be felt for, sign by sign; who holds the card finds it.
        for q, found in (
            (card, told["card"]),
            ("E5F6", told["card"]),
            ("4E5F6", None),
            ("04A1", None),
            ("A123", plate),
        ):
            assert list((await values(guard, "credentials", q=q)).values()) == ([] if found is None else [found]), q
            people = (await guard.get("/api/holders", params={"q": q})).json()["items"]
            assert len(people) == (found is not None), q
        assert await values(manager, "credentials", q="04A1") == {"card": card}

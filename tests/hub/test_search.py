"""One box for everything: what is found, what comes first, and who sees it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from contract.facts.machines import MeterRead
from contract.layout import DeviceLayout, MeterLayout
from contract.texts import Text
from hub.database.transactions import Database
from tests.hub.office import Office, layout, office
from tests.hub.test_entries import came, person


async def furnished(hub: Office, client: httpx.AsyncClient) -> None:
    """People, cars, devices, an alarm, tickets, meters."""
    device = DeviceLayout(id="pump-1", name=Text("一号水泵", "Pump 1"), kind="pump", profile="p", bus="b")
    meter = MeterLayout(id="meter-1", name=Text("总表", "Main meter"), point="m.e", register="total", meter_no="LY2048")
    await hub.report("site.described", layout("demo", devices=[device], meters=[meter]), "demo")
    zhou = await person(client, "周建国", "3-1201")
    await person(client, "周涛", "12栋301")
    for kind, value in (("plate", "沪A12345"), ("card", "04A1B2C3D4E5F6")):
        body = {"site": "demo", "kind": kind, "value": value, "holder": zhou}
        assert (await client.post("/api/credentials", json=body)).status_code == 201
    block = {"site": "demo", "kind": "plate", "value": "粤B88888", "reason": {"zh": "逃费", "en": "fees"}}
    assert (await client.post("/api/blocks", json=block)).status_code == 201
    await came(hub, "京N8X921")
    await hub.raise_alarm()
    for title in ("大堂灯不亮", "门禁坏了"):
        assert (await client.post("/api/tickets", json={"site": "demo", "title": title})).status_code == 201
    read = MeterRead(register="total", value=1.0, unit="kWh", meter_no="OLD777")
    await hub.report("meter.read", read, "meter-9")


async def found(client: httpx.AsyncClient, q: str, **more: Any) -> list[tuple[str, list[str]]]:
    answer = await client.get("/api/search", params={"q": q, **more})
    assert answer.status_code == 200, answer.text
    return [(group["kind"], [item["title"]["zh"] for item in group["items"]]) for group in answer.json()["groups"]]


SEARCHES: list[tuple[str, list[tuple[str, list[str]]]]] = [
    ("沪a·123", [("vehicle", ["沪A12345"])]),
    ("8888", [("vehicle", ["粤B88888"])]),
    ("n8x9", [("vehicle", ["京N8X921"])]),
    ("周", [("person", ["周建国", "周涛"])]),
    ("zhou", [("person", ["周建国", "周涛"])]),
    ("zjg", [("person", ["周建国"])]),
    ("12-301", [("person", ["周涛"])]),
    ("3栋1201", [("person", ["周建国"])]),
    ("入口", [("place", ["入口"])]),
    ("lobby", [("place", ["大堂"])]),
    ("pump 1", [("device", ["一号水泵"])]),
    ("水泵", [("alarm", ["水泵干转"]), ("device", ["一号水泵"])]),
    ("大堂", [("place", ["大堂"]), ("ticket", ["大堂灯不亮"])]),
    ("灯不亮", [("ticket", ["大堂灯不亮"])]),
    ("#2", [("ticket", ["门禁坏了"])]),
    ("ly2048", [("meter", ["总表"])]),
    ("old777", [("meter", ["meter-9"])]),
    ("nothing at all", []),
    ("%", []),
    (" ", []),
]


async def test_what_is_typed_finds_what_is_meant(database: Database) -> None:
    async with office(database, "demo", "north") as hub, hub.signed_in("li", "manager") as client:
        await furnished(hub, client)
        for q, expected in SEARCHES:
            assert await found(client, q) == expected, q
        # Of another site nothing, by name or without.
        async with hub.signed_in("bei", "manager", "north") as other:
            for q, _ in SEARCHES:
                assert [kind for kind, _ in await found(other, q) if kind not in {"place"}] == [], q
            assert (await other.get("/api/search", params={"q": "x", "site": "demo"})).status_code == 403
        async with hub.signed_in("boss", "admin", "*") as boss:
            assert await found(boss, "zjg") == [("person", ["周建国"])]
            assert await found(boss, "zjg", site="north") == []


async def test_who_may_not_read_people_finds_none(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("li", "manager") as client:
        await furnished(hub, client)
        async with hub.signed_in("fix", "maintenance") as fix:
            assert await found(fix, "zhou") == await found(fix, "沪A12345") == []
            assert await found(fix, "pump 1") == [("device", ["一号水泵"])]


async def test_five_of_a_kind_are_told_the_best_first(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("li", "manager") as client:
        for number in range(8):
            await person(client, f"王{'小' * number}明", "")
        await person(client, "小明", "9-9")
        (group,) = (await client.get("/api/search", params={"q": "小明"})).json()["groups"]
        assert group["items"][0]["title"]["zh"] == "小明"
        assert (len(group["items"]), group["more"]) == (5, True)


@pytest.mark.parametrize("q", ["", "x" * 101])
async def test_what_is_no_question(database: Database, q: str) -> None:
    async with office(database) as hub, hub.signed_in("li", "manager") as client:
        assert (await client.get("/api/search", params={"q": q})).status_code == 422

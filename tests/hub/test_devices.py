"""How every device stands, by its last word, however many others have spoken since."""

from __future__ import annotations

import msgspec

from contract.facts.machines import DeviceFound, DeviceLost
from contract.layout import DeviceLayout
from contract.texts import Text
from hub.database.transactions import Database
from tests.hub.office import layout, office


async def test_a_device_is_as_it_was_last_heard_of(database: Database) -> None:
    devices = [
        DeviceLayout(id=f"d-{n}", name=Text("表", "Meter"), kind="meter", profile="p", bus="b") for n in range(3)
    ]
    async with office(database, "demo", "other") as hub:
        await hub.account("wang", "guard", "demo")
        for site in ("demo", "other"):
            await hub.report("site.described", layout(site, devices=devices), site, site=site)
        await hub.report("device.lost", DeviceLost(device="d-0", bus="b", why="no answer"), "d-0")
        for _ in range(3):
            await hub.report("device.lost", DeviceLost(device="d-1", bus="b", why="no answer"), "d-1")
            await hub.report("device.found", DeviceFound(device="d-1", bus="b", after_s=1.0), "d-1")
        await hub.report("device.found", DeviceFound(device="d-0", bus="b", after_s=None), "d-0", site="other")
        async with hub.client("wang") as client:
            items = (await client.get("/api/devices")).json()["items"]
            assert (await client.get("/api/devices", params={"site": "other"})).status_code == 403
    assert [(item["site"], item["id"], item["online"], item["why"]) for item in items] == [
        ("demo", "d-0", False, "no answer"),
        ("demo", "d-1", True, None),
        ("demo", "d-2", None, None),
    ]
    assert msgspec.convert(items[0]["since"], str) and items[2]["since"] is None

"""How every device stands, by its last word, however many others have spoken since."""

from __future__ import annotations

import re

import msgspec
from alembic import command
from sqlalchemy import text

from contract.facts.machines import DeviceFound, DeviceLost
from contract.layout import DeviceLayout
from contract.texts import Text
from hub import migrations
from hub.database.transactions import Database
from hub.telemetry import devices as telemetry
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


async def test_what_its_namesakes_at_other_sites_said_is_not_walked_through(database: Database) -> None:
    """Of a meter that was never lost, among twenty thousand facts that were told before there was an index."""
    meter = DeviceLayout(id="d-0", name=Text("表", "Meter"), kind="meter", profile="p", bus="b")
    async with office(database, "demo", "other") as hub:
        await hub.report("site.described", layout("demo", devices=[meter]), "demo")
        async with database.transaction() as conn:
            await conn.run_sync(lambda sync: command.downgrade(migrations.config(sync), "tickets_found"))
            await conn.execute(
                text(
                    "INSERT INTO events (site, stream, seq, at, received_at, kind, source, clock, data, hash)"
                    " SELECT CASE WHEN n % 2 = 0 THEN 'demo' ELSE 'other' END, 'before', n, now(), now(),"
                    " CASE WHEN n % 2 = 0 THEN 'meter.read' ELSE 'device.lost' END, 'd-0', 'ok', '{}', ''"
                    " FROM generate_series(1, 20000) AS n"
                )
            )
        await migrations.upgrade(database)
        async with database.transaction() as conn:
            await conn.execute(text("ANALYZE events"))
            query = f"EXPLAIN ANALYZE {telemetry._LAST_WORDS.text}"
            plan = "\n".join((await conn.execute(text(query), {"sites": ["demo"]})).scalars())
            (standing,) = await telemetry.standings(conn, ["demo"])
    assert (standing["id"], standing["online"]) == ("d-0", None)
    assert "ix_events_devices" in plan
    assert not re.search(r"Removed by Filter: \d\d|rows=\d{5}\.", plan)

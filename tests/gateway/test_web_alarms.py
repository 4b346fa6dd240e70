"""Several alarms at once, and the list by filters, at the gateway: as at the hub, also while that is out of reach."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.gateway.test_web_site import Site, site


async def two(there: Site) -> list[dict[str, Any]]:
    """A door forced and a pump that runs dry."""
    await there.here.read(relays__input_1=True)
    await there.here.read(pump_1__flow=0.2, pump_1__rotating=True)
    await there.here.wait(6)
    found: list[dict[str, Any]] = (await there.get("/api/alarms", state="open"))["items"]
    return found


async def test_several_are_acknowledged_at_once(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        await there.sign_in()
        alarms = [alarm["id"] for alarm in await two(there)]
        assert len(alarms) >= 2
        answer = await there.client.post("/api/alarms/ack", json={"ids": [*alarms, "none"], "note": "在看"})
        assert answer.status_code == 202
        items = answer.json()["items"]
        assert [item["id"] for item in items] == [*alarms, "none"]
        assert [item["refused"] and item["refused"]["code"] for item in items] == [*(None for _ in alarms), "not_found"]
        await there.here.settle()
        after = (await there.get("/api/alarms"))["items"]
        assert {(alarm["state"], alarm["note"]) for alarm in after} == {("acknowledged", "在看")}
        again = (await there.client.post("/api/alarms/ack", json={"ids": alarms})).json()["items"]
        assert {item["refused"]["code"] for item in again} == {"alarm_state"}
        assert (await there.client.post("/api/alarms/ack", json={"ids": ["none"]})).status_code == 404
        shelve = await there.client.post("/api/alarms/shelve", json={"ids": alarms, "for_s": 600})
        assert shelve.status_code == 403, "a guard shelves nothing"


async def test_the_list_is_filtered(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        await there.sign_in()
        alarms = await two(there)
        dry = next(alarm for alarm in alarms if alarm["asset"] == "pump-1")

        async def ids(**query: str) -> list[str]:
            return [alarm["id"] for alarm in (await there.get("/api/alarms", **query))["items"]]

        assert await ids(source="pump-1") == await ids(q="缺水") == [dry["id"]]
        assert dry["id"] in await ids(severity=dry["severity"])
        assert await ids(severity="warning", source="pump-1") == []
        by_time = await ids(order="time")
        assert sorted(by_time) == sorted(alarm["id"] for alarm in alarms)
        assert by_time[0] == dry["id"]
        assert await ids(to="2000-01-01T00:00:00Z") == []

"""One pump on the RS-485 line: values, a trip, one alarm, one ticket, acknowledged, repaired, closed."""

from __future__ import annotations

from typing import Any

from tests.journeys.running import Api, Demo, eventually


def point(api: Api, name: str) -> dict[str, Any]:
    """A point as a server has it; of no value and no quality while the server has not heard of it."""
    items = api.get("/api/points", site="demo")["items"]
    found: dict[str, Any] = next((item for item in items if item["id"] == name), {"value": None, "quality": ""})
    return found


def alarms(api: Api, asset: str, **query: Any) -> list[dict[str, Any]]:
    return [item for item in api.get("/api/alarms", site="demo", **query)["items"] if item["asset"] == asset]


def tickets(api: Api, asset: str) -> list[dict[str, Any]]:
    return [item for item in api.get("/api/tickets", site="demo")["items"] if item["asset"] == asset]


def test_a_pumps_values_reach_the_hub(demo: Demo) -> None:
    hub = demo.hub("maintenance")
    eventually(lambda: good(point(hub, "pump-1.flow")))
    assert point(hub, "pump-1.flow")["unit"] == "m3/h"
    demo.sim.post("/sim/points/pump-1/flow", {"value": 12.3})
    eventually(lambda: abs(point(hub, "pump-1.flow")["value"] - 12.3) < 0.051)
    eventually(lambda: abs(point(demo.gateway("maintenance"), "pump-1.flow")["value"] - 12.3) < 0.051)
    demo.sim.post("/sim/points/pump-1/flow", {"value": None})
    eventually(lambda: abs(point(hub, "pump-1.flow")["value"] - 12.3) > 0.051)


def good(reading: dict[str, Any]) -> bool:
    return bool(reading["quality"] == "good")


def test_a_trip_is_one_alarm_and_one_ticket_until_the_pump_is_well(demo: Demo) -> None:
    hub, guard = demo.hub("maintenance"), demo.hub("guard")
    before = hub.last_id()
    demo.sim.post("/sim/faults", {"device": "pump-1", "fault": "trip"})
    try:
        raised = eventually(lambda: hub.events(after=before, kind="alarm.raised"))
        assert [event["data"]["asset"] for event in raised] == ["pump-1"]
        alarm = eventually(lambda: alarms(guard, "pump-1", state="active"))[0]
        assert alarm["severity"] in {"critical", "major"}
        ticket = eventually(lambda: [one for one in tickets(hub, "pump-1") if one["state"] == "raised"])[0]
        assert ticket["alarm"] == alarm["id"]
        assert ticket["history"], "the values around the fault are missing"

        command = guard.post(f"/api/alarms/{alarm['id']}/ack", {"note": "已通知维修"})
        eventually(lambda: guard.get(f"/api/commands/{command['id']}")["state"] == "done")
        eventually(lambda: alarms(guard, "pump-1", state="acknowledged"))

        hub.post(f"/api/tickets/{ticket['id']}/take")
        hub.post(f"/api/tickets/{ticket['id']}/comment", {"text": "到场检查"})
        done = hub.post(f"/api/tickets/{ticket['id']}/finish", {"found": "热继电器动作", "done": "复位并紧固接线"})
        # Done by word: it stays open for as long as the device itself is not back to normal.
        assert done["state"] == "done"
    finally:
        demo.sim.client.delete("/sim/faults")
    eventually(lambda: hub.events(after=before, kind="alarm.cleared"), within_s=60)
    eventually(lambda: hub.get(f"/api/tickets/{ticket['id']}")["state"] == "closed")
    assert len(hub.events(after=before, kind="alarm.raised")) == 1
    assert len(hub.events(after=before, kind="ticket.raised")) == 1
    steps = [step["step"] for step in hub.get(f"/api/tickets/{ticket['id']}")["steps"]]
    assert steps[:1] == ["raised"] or "taken" in " ".join(steps)


def test_a_silent_unit_is_lost_and_found_and_never_slows_its_neighbours(demo: Demo) -> None:
    hub = demo.hub("maintenance")
    before = hub.last_id()
    demo.sim.post("/sim/faults", {"device": "pump-2", "fault": "silent"})
    try:
        lost = eventually(lambda: hub.events(after=before, kind="device.lost"), within_s=30)
        assert [event["source"] for event in lost] == ["pump-2"]
        eventually(lambda: point(hub, "pump-2.flow")["quality"] == "stale")
        # The neighbour on the same wire goes on.
        demo.sim.post("/sim/points/pump-1/flow", {"value": 7.7})
        eventually(lambda: abs(point(hub, "pump-1.flow")["value"] - 7.7) < 0.051)
    finally:
        demo.sim.client.delete("/sim/faults")
        demo.sim.post("/sim/points/pump-1/flow", {"value": None})
    eventually(
        lambda: [e for e in hub.events(after=before, kind="device.found") if e["source"] == "pump-2"], within_s=60
    )
    eventually(lambda: good(point(hub, "pump-2.flow")))


def test_late_and_foreign_answers_never_become_readings(demo: Demo) -> None:
    hub = demo.hub("maintenance")
    eventually(lambda: good(point(hub, "sump-1.level")))
    for fault in ("late", "foreign", "corrupt", "exception"):
        before = hub.last_id()
        demo.sim.post("/sim/points/pump-2/flow", {"value": 55.5})
        demo.sim.post("/sim/faults", {"device": "pump-1", "fault": fault, "for_s": 6})
        eventually(lambda: point(hub, "pump-1.flow")["quality"] in {"stale", "bad"}, within_s=30)
        readings = hub.get("/api/readings", site="demo", point="pump-1.flow", **{"from": None})["items"]
        assert all(abs(row["value"] - 55.5) > 0.01 for row in readings if row["value"] is not None)
        demo.sim.client.delete("/sim/faults")
        eventually(lambda: good(point(hub, "pump-1.flow")), within_s=60)
        assert before <= hub.last_id()
    demo.sim.post("/sim/points/pump-2/flow", {"value": None})

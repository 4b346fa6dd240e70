"""One car: the camera's push, the decision, the barrier, the picture; commands from a screen, once and never late."""

from __future__ import annotations

import time
import uuid
from typing import Any

from tests.journeys.running import BLOCKED_PLATE, RESIDENT_PLATE, Demo, eventually


def barrier(demo: Demo, lane: str) -> str:
    return str(demo.sim.get("/sim/devices")["lanes"][lane]["barrier"])


def decided(demo: Demo, before: int, plate: str) -> dict[str, Any]:
    def look() -> list[dict[str, Any]]:
        events = demo.hub().events(after=before)
        return [e for e in events if e["kind"].startswith("access.") and e["data"]["credential"]["value"] == plate]

    return eventually(look)[0]


def test_a_residents_car_lifts_the_barrier(demo: Demo) -> None:
    hub = demo.hub()
    before = hub.last_id()
    demo.sim.post("/sim/lanes/gate-in/drive-up", {"plate": RESIDENT_PLATE})
    eventually(lambda: barrier(demo, "gate-in") in {"moving", "up"}, within_s=5)
    granted = decided(demo, before, RESIDENT_PLATE)
    assert granted["kind"] == "access.granted"
    assert granted["source"] == "gate-in"
    assert granted["data"]["holder"]
    eventually(lambda: hub.events(after=before, kind="barrier.opened"))
    picture = granted["data"]["picture"]
    assert picture
    found = eventually(lambda: hub.client.get(f"/api/pictures/{picture}").status_code == 200)
    assert found
    assert hub.client.get(f"/api/pictures/{picture}").content[:2] == b"\xff\xd8"
    eventually(lambda: hub.events(after=before, kind="passage.made"), within_s=30)
    eventually(lambda: barrier(demo, "gate-in") == "down", within_s=40)


def test_a_blocked_car_stays_outside(demo: Demo) -> None:
    before = demo.hub().last_id()
    demo.sim.post("/sim/lanes/gate-in/drive-up", {"plate": BLOCKED_PLATE})
    denied = decided(demo, before, BLOCKED_PLATE)
    assert denied["kind"] == "access.denied"
    assert denied["data"]["rule"].startswith("block")
    time.sleep(1)
    assert barrier(demo, "gate-in") == "down"


def test_a_visitor_meets_the_lanes_rule(demo: Demo) -> None:
    before = demo.hub().last_id()
    demo.sim.post("/sim/lanes/gate-out/drive-up", {"plate": "苏E0Q7X5"})
    admitted = decided(demo, before, "苏E0Q7X5")
    assert admitted["kind"] == "access.granted"
    assert admitted["data"]["rule"] == "visitor"
    assert admitted["data"]["holder"] is None
    eventually(lambda: barrier(demo, "gate-out") == "down", within_s=40)


def test_a_replayed_read_never_lifts(demo: Demo) -> None:
    """What the camera stored while it was cut off is recorded, and that is all."""
    hub = demo.hub()
    before = hub.last_id()
    demo.sim.post("/sim/faults", {"device": "gate-in-cam", "fault": "replay"})
    demo.sim.post("/sim/lanes/gate-in/drive-up", {"plate": "浙B12C34"})
    seen = eventually(lambda: hub.events(after=before, kind="plate.seen"))[0]
    demo.sim.client.delete("/sim/faults")
    assert seen["data"]["replayed"] is True
    time.sleep(1)
    assert barrier(demo, "gate-in") == "down"
    assert not hub.events(after=before, kind="access.granted")


def test_open_by_hand_needs_a_reason_and_is_done_once(demo: Demo) -> None:
    hub = demo.hub()
    command = {"site": "demo", "target": "gate-in", "kind": "barrier.open"}
    assert hub.client.post("/api/commands", json=command).status_code == 422
    assert hub.client.post("/api/commands", json=command | {"target": "nowhere", "reason": "x"}).status_code == 404
    # The car of the test before has gone through, and the hub has heard of it.
    eventually(lambda: barrier(demo, "gate-in") == "down", within_s=30)
    demo.synced()
    before = hub.last_id()
    asked = hub.post("/api/commands", command | {"reason": "送货车", "ttl_s": 20})
    eventually(lambda: hub.get(f"/api/commands/{asked['id']}")["state"] == "done")
    eventually(lambda: barrier(demo, "gate-in") == "up", within_s=10)
    done = eventually(lambda: hub.events(after=before, kind="command.done"))
    assert [event["data"]["command"] for event in done] == [asked["id"]]
    assert done[0]["data"]["reason"] == "送货车"
    assert done[0]["data"]["by"]["role"] == "guard"
    opened = eventually(lambda: hub.events(after=before, kind="barrier.opened"))
    assert opened[0]["data"]["by"] == "command"
    closed = hub.post("/api/commands", command | {"kind": "barrier.close", "reason": "车已进"})
    eventually(lambda: hub.get(f"/api/commands/{closed['id']}")["state"] == "done")
    eventually(lambda: barrier(demo, "gate-in") == "down", within_s=20)


def test_a_command_that_expired_on_its_way_is_never_carried_out(demo: Demo) -> None:
    hub = demo.hub()
    with demo.down("gateway"):
        asked = hub.post(
            "/api/commands",
            {"site": "demo", "target": "gate-out", "kind": "barrier.open", "reason": "太晚了", "ttl_s": 2},
        )
        eventually(lambda: hub.get(f"/api/commands/{asked['id']}")["state"] == "expired")
    eventually(lambda: demo.gateway().get("/api/journal"))
    time.sleep(3)
    assert barrier(demo, "gate-out") == "down"
    assert hub.get(f"/api/commands/{asked['id']}")["state"] == "expired"


def test_an_unknown_command_is_404(demo: Demo) -> None:
    assert demo.hub().client.get(f"/api/commands/{uuid.uuid4()}").status_code == 404

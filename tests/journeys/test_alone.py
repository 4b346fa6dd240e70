"""The site never waits for the hub: decisions, alarms and the guard's screen go on without it, also after a restart."""

from __future__ import annotations

from contract.rights import HIDDEN
from tests.journeys.running import BLOCKED_PLATE, RESIDENT_CARD, Demo, eventually

RESIDENT_PLATE = "沪B7K920"


def test_hub_gone_restart_alone_and_catch_up(demo: Demo) -> None:
    hub = demo.hub()
    demo.synced()
    before = hub.last_id()
    gateway = demo.gateway("guard")
    with demo.down("hub"), demo.down("broker"):
        eventually(lambda: demo.gateway().get("/api/about")["hub_connected"] is False, within_s=60)
        demo.kill("gateway")
        # A guard signs in at the gateway itself, with the account that it holds.
        eventually(lambda: gateway.client.get("/readyz").status_code == 200, within_s=30)
        alone = demo.gateway("guard")
        start = alone.last_id()
        eventually(lambda: present(demo))
        granted = eventually(lambda: alone.events(after=start, kind="access.granted"))
        assert granted[0]["data"]["credential"]["value"] == f"{HIDDEN}{RESIDENT_CARD[-4:]}"
        demo.sim.post("/sim/lanes/gate-in/drive-up", {"plate": BLOCKED_PLATE})
        eventually(lambda: alone.events(after=start, kind="access.denied"))
        demo.sim.post("/sim/lanes/gate-in/drive-up", {"plate": RESIDENT_PLATE})
        eventually(lambda: demo.sim.get("/sim/devices")["lanes"]["gate-in"]["barrier"] in {"moving", "up"}, within_s=10)
        opened = alone.post(
            "/api/commands", {"site": "demo", "target": "gate-out", "kind": "barrier.open", "reason": "网络中断"}
        )
        eventually(lambda: alone.get(f"/api/commands/{opened['id']}")["state"] == "done")
        about = alone.get("/api/about")
        assert about["server"] == "gateway"
        assert about["working_alone_since"]
        assert about["backlog"] > 0
    demo.synced(90)
    later = eventually(lambda: demo.hub("manager").events(after=before, kind="access.granted"), within_s=40)
    assert {event["data"]["credential"]["value"] for event in later} >= {RESIDENT_CARD, RESIDENT_PLATE}


def present(demo: Demo) -> bool:
    return demo.sim.client.post("/sim/readers/lobby-a-in/present", json={"card": RESIDENT_CARD}).status_code == 200


def test_a_changed_grant_reaches_the_gateway(demo: Demo) -> None:
    """A person gets a card and a grant; the door knows it at once, and forgets it as fast."""
    hub, card = demo.hub("manager"), "04777777777701"
    holder = hub.post("/api/holders", {"site": "demo", "name": "赵敏", "kind": "contractor", "unit": "电梯维保"})
    credential = hub.post("/api/credentials", {"site": "demo", "kind": "card", "value": card, "holder": holder["id"]})
    hub.post("/api/grants", {"site": "demo", "holder": holder["id"], "places": ["lobby-b"], "schedule": "always"})
    before = hub.last_id()

    def let_in() -> bool:
        demo.sim.post("/sim/readers/lobby-b-in/present", {"card": card})
        return bool(eventually(lambda: hub.events(after=before, kind="access.granted"), within_s=2))

    eventually(let_in, within_s=20)
    seen = {"If-Match": f'"{credential["version"]}"'}
    answer = hub.client.delete(f"/api/credentials/{credential['id']}", params={"site": "demo"}, headers=seen)
    assert answer.status_code in {200, 204}, answer.text
    before = hub.last_id()

    def refused() -> bool:
        demo.sim.post("/sim/readers/lobby-b-in/present", {"card": card})
        return bool(eventually(lambda: hub.events(after=before, kind="access.denied"), within_s=2))

    eventually(refused, within_s=20)

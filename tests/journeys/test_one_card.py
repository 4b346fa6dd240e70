"""One card: from the reader's wire to the lock, the journal, the hub and back to a screen; then with the hub gone."""

from __future__ import annotations

from tests.journeys.running import RESIDENT_CARD, REVOKED_CARD, Demo, eventually
from tests.journeys.traffic import assert_hub_holds_the_journal, decisions, hold_down, walk_while


def test_a_resident_is_let_in_and_the_hub_says_why(demo: Demo) -> None:
    hub = demo.hub("manager")
    before = hub.last_id()
    demo.sim.post("/sim/readers/lobby-a-in/present", {"card": RESIDENT_CARD})
    eventually(lambda: demo.sim.get("/sim/devices")["doors"]["lobby-a"]["lock"] == "released", within_s=5)
    granted = eventually(lambda: hub.events(after=before, kind="access.granted"))[0]
    assert granted["source"] == "lobby-a"
    assert granted["data"]["credential"] == {"kind": "card", "value": RESIDENT_CARD}
    assert granted["data"]["holder"]
    assert granted["data"]["reason"]["zh"]
    assert granted["data"]["reason"]["en"]
    assert granted["received_at"] >= granted["at"][:10]
    # A card alone opens no door: somebody has to walk.
    assert demo.sim.get("/sim/devices")["doors"]["lobby-a"]["contact"] == "closed"
    eventually(lambda: demo.sim.get("/sim/devices")["doors"]["lobby-a"]["lock"] == "locked", within_s=15)


def test_a_revoked_card_is_refused(demo: Demo) -> None:
    hub = demo.hub()
    before = hub.last_id()
    demo.sim.post("/sim/readers/lobby-a-in/present", {"card": REVOKED_CARD})
    denied = eventually(lambda: hub.events(after=before, kind="access.denied"))[0]
    assert denied["source"] == "lobby-a"
    assert denied["data"]["reason"]["code"]
    assert demo.sim.get("/sim/devices")["doors"]["lobby-a"]["lock"] == "locked"


def test_hub_killed_in_mid_traffic_and_the_rows_counted(demo: Demo) -> None:
    """People pass for half a minute while the hub is dead: nothing lost, nothing doubled, in order."""
    hub = demo.hub()
    demo.synced()
    before = hub.last_id()
    presented = walk_while(demo, lambda: hold_down(demo, "hub", 30))
    demo.synced(60)
    assert decisions(demo, before) == presented
    assert_hub_holds_the_journal(demo)


def test_gateway_killed_in_mid_traffic(demo: Demo) -> None:
    """What was committed before the kill is at the hub; every grant that opened a lock is among it."""
    walk_while(demo, lambda: demo.kill("gateway"))
    eventually(lambda: demo.gateway().get("/api/journal")["last"] > 0, within_s=30)
    demo.synced(60)
    assert_hub_holds_the_journal(demo)


def test_broker_restarted_with_its_state_wiped(demo: Demo) -> None:
    def wipe() -> None:
        demo.tell("stop", "broker")
        store = demo.data / "broker" / "jetstream"
        assert store.exists()
        for path in sorted(store.rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
        demo.tell("start", "broker")

    demo.synced()
    before = demo.hub().last_id()
    presented = walk_while(demo, wipe)
    demo.synced(60)
    assert decisions(demo, before) == presented
    assert_hub_holds_the_journal(demo)

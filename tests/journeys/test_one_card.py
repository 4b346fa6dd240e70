"""One card: from the reader's wire to the lock, the journal, the hub and back to a screen; then with the hub gone."""

from __future__ import annotations

import threading
import time

from tests.journeys.running import RESIDENT_CARD, REVOKED_CARD, Demo, eventually


def test_a_resident_is_let_in_and_the_hub_says_why(demo: Demo) -> None:
    hub = demo.hub()
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
    presented = walk_while(demo, lambda: hold_down(demo, "hub", 20))
    demo.synced(60)
    events = hub.events(after=before)
    decided = [event for event in events if event["kind"].startswith("access.")]
    assert len(decided) == presented
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

    walk_while(demo, wipe)
    demo.synced(60)
    assert_hub_holds_the_journal(demo)


def hold_down(demo: Demo, name: str, for_s: float) -> None:
    demo.kill(name)
    with demo.down(name):
        time.sleep(for_s)


def walk_while(demo: Demo, happen: object) -> int:
    """People present cards at two doors while something happens; how many readings reached the wire."""
    assert callable(happen)
    over = threading.Event()
    presented = 0

    def walk() -> None:
        nonlocal presented
        sim = demo.sim
        while not over.is_set():
            for reader, card in (("lobby-a-in", RESIDENT_CARD), ("lobby-b-in", REVOKED_CARD)):
                answer = sim.client.post(f"/sim/readers/{reader}/present", json={"card": card})
                presented += answer.status_code == 200
                time.sleep(0.1)

    walker = threading.Thread(target=walk)
    walker.start()
    try:
        time.sleep(1)
        happen()
        time.sleep(1)
    finally:
        over.set()
        walker.join()
    return presented


def assert_hub_holds_the_journal(demo: Demo) -> None:
    """Every event of the journal is at the hub exactly once, in the journal's order, without a gap."""
    journal = demo.journal()
    events = [event for event in demo.hub().events() if event["gateway"] == demo.info["gateway"]]
    held = [(event["stream"], event["seq"], event["kind"]) for event in events]
    assert len(held) == len(set(held))
    last_stream = journal[-1][0]
    at_hub = [row for row in held if row[0] == last_stream]
    here = [row for row in journal if row[0] == last_stream]
    assert at_hub[: len(here)] == here
    assert [seq for _, seq, _ in at_hub] == list(range(1, len(at_hub) + 1))

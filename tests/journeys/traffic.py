"""People who pass while something happens, and what must be at the hub afterwards."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

from tests.journeys.running import RESIDENT_CARD, REVOKED_CARD, Demo, eventually


def walk_while(demo: Demo, happen: Callable[[], object]) -> int:
    """People present cards at two doors while something happens; how many readings reached the wire."""
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


def present_each(demo: Demo, cards: list[str], reader: str = "lobby-b-in") -> None:
    """Each card once, as soon as the gateway listens."""
    sim = demo.sim

    def taken(card: str) -> bool:
        return sim.client.post(f"/sim/readers/{reader}/present", json={"card": card}).status_code == 200

    for card in cards:
        eventually(partial(taken, card), within_s=40)
        time.sleep(0.05)


def hold_down(demo: Demo, name: str, for_s: float) -> None:
    """Kills a process and keeps it down for a while."""
    demo.kill(name)
    with demo.down(name):
        time.sleep(for_s)


def decisions(demo: Demo, after: int) -> int:
    """How many decisions the hub holds after an event."""
    return sum(event["kind"].startswith("access.") for event in demo.hub().events(after=after))


def assert_hub_holds_the_journal(demo: Demo) -> None:
    """Every event of the journal is at the hub exactly once, in the journal's order, without a gap."""
    journal = demo.journal()
    # An administrator sees every kind of event, sign-ins too.
    events = [event for event in demo.hub("admin").events() if event["gateway"] == demo.info["gateway"]]
    held = [(event["stream"], event["seq"], event["kind"]) for event in events]
    assert len(held) == len(set(held))
    last_stream = journal[-1][0]
    at_hub = [row for row in held if row[0] == last_stream]
    here = [row for row in journal if row[0] == last_stream]
    assert at_hub[: len(here)] == here
    assert [seq for _, seq, _ in at_hub] == list(range(1, len(at_hub) + 1))

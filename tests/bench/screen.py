"""`screen`: a card on a reader → its row in the guard's browser, alone and among 50; a command → the barrier's coil."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable

from tests.bench.consoles import consoles
from tests.bench.rows import Row, median, percentile
from tests.journeys.browser import Screen, chromium
from tests.journeys.running import RESIDENT_CARD, ROOT, Api, Demo, eventually

WATCH = """() => {
  window.seen = {};
  const note = () => {
    for (const row of document.querySelectorAll('[data-testid="entry"]')) {
      const seq = row.getAttribute('data-seq');
      if (seq && !(seq in window.seen)) window.seen[seq] = Date.now();
    }
  };
  note();
  new MutationObserver(note).observe(document.body, {subtree: true, childList: true, attributes: true});
}"""


OTHERS = 49
"""Consoles open beside the browser: a company's guards, desks and walls at once."""


def run(short: bool) -> Iterable[Row]:
    """p95 in milliseconds, medians of the runs."""
    runs, times = (1, 20) if short else (3, 60)
    demo = Demo.start(ROOT / "var" / "bench" / "screen")
    try:
        rows = [_rows(demo, times) for _ in range(runs)]
        among = [_among_others(demo, times) for _ in range(runs)]
        coils = [_coils(demo, times // 2) for _ in range(runs)]
    finally:
        demo.close()
    yield Row("screen", "card presented → row in the browser, p95", "ms", median(rows), aim=300.0, runs=runs)
    yield Row(
        "screen",
        f"… with {OTHERS} more consoles open, p95",
        "ms",
        median(among),
        aim=300.0,
        limit=median(rows),
        runs=runs,
    )
    yield Row("screen", "command at the hub → barrier's coil, p95", "ms", median(coils), aim=500.0, runs=runs)


def _among_others(demo: Demo, times: int) -> float:
    accounts = [demo.info["accounts"][role] for role in ("guard", "manager")]
    with consoles(demo.info["hub_url"], accounts, OTHERS) as them:
        took = _rows(demo, times)
    # Consoles that were told nothing cost nothing.
    assert min(them.granted) >= times, sorted(them.granted)
    return took


def _rows(demo: Demo, times: int) -> float:
    """One card every 0.3 s at a door that nobody else uses; the browser's own clock says when a row was there."""
    with chromium() as browser:
        screen = Screen(browser, demo.info["hub_url"], "zh")
        screen.sign_in(demo.info["accounts"]["guard"])
        screen.page.evaluate(WATCH)
        hub, sim = demo.hub(), demo.sim
        before = hub.last_id()
        presented: list[float] = []
        for _ in range(times):
            presented.append(time.time() * 1000)
            sim.post("/sim/readers/lobby-a-in/present", {"card": RESIDENT_CARD})
            screen.page.wait_for_timeout(300)
        events = eventually(lambda: _all(hub.events(after=before, kind="access.granted"), times))
        screen.page.wait_for_timeout(1000)
        seen: dict[str, float] = json.loads(screen.page.evaluate("() => JSON.stringify(window.seen)"))
        screen.close()
    delays = [seen[str(event["seq"])] - at for event, at in zip(events, presented, strict=True)]
    return percentile(delays, 0.95)


def _all(events: list[dict[str, object]], wanted: int) -> list[dict[str, object]]:
    return events if len(events) >= wanted else []


def _coils(demo: Demo, times: int) -> float:
    """The simulator is asked every 5 ms whether its barrier has begun to move."""
    hub, sim = demo.hub(), demo.sim
    delays: list[float] = []
    for number in range(times):
        command = ("barrier.open", {"moving", "up"}) if number % 2 == 0 else ("barrier.close", {"moving", "down"})
        _at_rest(sim, "down" if number % 2 == 0 else "up")
        moved: list[float] = []

        def watch(ends: set[str] = command[1], moved: list[float] = moved) -> None:
            end = time.monotonic() + 10
            while time.monotonic() < end:
                if _barrier(demo.sim) in ends:
                    moved.append(time.perf_counter())
                    return
                time.sleep(0.005)

        watcher = threading.Thread(target=watch)
        watcher.start()
        begin = time.perf_counter()
        hub.post("/api/commands", {"site": "demo", "target": "gate-in", "kind": command[0], "reason": "bench"})
        watcher.join()
        delays.append((moved[0] - begin) * 1000)
    return percentile(delays, 0.95)


def _at_rest(sim: Api, end: str) -> None:
    eventually(lambda: _barrier(sim) == end, within_s=30, every_s=0.02)


def _barrier(sim: Api) -> str:
    return str(sim.get("/sim/devices")["lanes"]["gate-in"]["barrier"])

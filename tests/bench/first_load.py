"""`first-load`: the guard's page on a slow phone, from the address to what is live, for the first time and again.

Again twice: with the browser's own cache alone (a second page at once, or plain HTTP), and from what the service worker
holds, as for whoever has had the console open for a minute before.

The radio is one for the page, its worker and its stream (a wire on loopback: 1.6 Mb/s, 150 ms); the processor is four
times slower, as Chromium slows it.
"""

from __future__ import annotations

from collections.abc import Iterable

from playwright.sync_api import Browser, BrowserContext

from tests.bench.rows import Row, median
from tests.bench.slow_wire import slow_wire
from tests.journeys.browser import chromium
from tests.journeys.running import RESIDENT_CARD, ROOT, Demo, eventually

BITS_S, DELAY_S, SLOWER = 1.6e6, 0.15, 4
PHONE = {"width": 390, "height": 844}
FAULTY = "pump-2"

WATCH = """() => {
  const look = () => {
    const live = document.querySelector('[data-testid="shell"][data-link="live"]');
    const row = document.querySelector('[data-testid="entry"]');
    if (live && row) window.liveAt ??= performance.now();
    else requestAnimationFrame(look);
  };
  look();
}"""


def run(short: bool) -> Iterable[Row]:
    """Milliseconds, medians of the runs; kilobytes of what travelled for the first time."""
    runs = 2 if short else 7
    demo = Demo.start(ROOT / "var" / "bench" / "first-load")
    try:
        for _ in range(30):
            demo.sim.post("/sim/readers/lobby-a-in/present", {"card": RESIDENT_CARD})
        with slow_wire(demo.info["hub_url"], BITS_S, DELAY_S) as url, chromium() as browser:
            found = [_visits(browser, url, demo.info["accounts"]["guard"]) for _ in range(runs)]
            ticket = _ticket_kilobytes(browser, demo)
    finally:
        demo.close()
    cold, warm, held, weights = zip(*found, strict=True)
    yield Row("first-load", "guard's page live, first time", "ms", median(list(cold)), aim=2500, runs=runs)
    yield Row("first-load", "guard's page live, again", "ms", median(list(warm)), aim=1200, runs=runs)
    yield Row("first-load", "guard's page live, from what is held", "ms", median(list(held)), aim=1200, runs=runs)
    yield Row("first-load", "guard's page, what travels (packed)", "kB", median(list(weights)), aim=130, runs=runs)
    yield Row("first-load", "ticket's page, what travels (packed)", "kB", ticket, aim=300)


def _visits(browser: Browser, url: str, account: dict[str, str]) -> tuple[float, float, float, float]:
    context = browser.new_context(viewport=PHONE, locale="zh-CN", is_mobile=True)  # type: ignore[arg-type]
    try:
        _signed_in(context, url, account)
        first, weight = _load(context, url)
        again, _ = _load(context, url)
        _held(context, url)
        held, _ = _load(context, url)
    finally:
        context.close()
    return first, again, held, weight


def _held(context: BrowserContext, url: str) -> None:
    """The worker has fetched the whole release, over the same radio."""
    page = context.new_page()
    page.goto(f"{url}/guard", wait_until="commit")
    page.wait_for_function("() => navigator.serviceWorker.controller !== null", timeout=120_000)
    page.close()


def _signed_in(context: BrowserContext, url: str, account: dict[str, str]) -> None:
    """The cookie alone: nothing of the console was fetched before."""
    answer = context.request.post(f"{url}/api/session", data=account, headers={"Origin": url})
    assert answer.ok, answer.text()


def _load(context: BrowserContext, url: str) -> tuple[float, float]:
    """Milliseconds until live, and kilobytes of the console's files that travelled."""
    page = context.new_page()
    slow = context.new_cdp_session(page)
    slow.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.add_init_script(f"({WATCH})()")
    page.goto(f"{url}/guard", wait_until="commit")
    page.wait_for_function("() => window.liveAt !== undefined", timeout=60_000)
    taken = float(page.evaluate("() => window.liveAt"))
    page.wait_for_timeout(500)
    weight = float(page.evaluate(_WEIGHT)) / 1000
    page.close()
    return taken, weight


_WEIGHT = """() => [...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')]
  .filter((one) => !one.name.includes('/api/') && performance.timeOrigin + one.startTime
    < performance.timeOrigin + window.liveAt)
  .reduce((sum, one) => sum + one.encodedBodySize, 0)"""


def _ticket_kilobytes(browser: Browser, demo: Demo) -> float:
    """Of a ticket that a fault raised: its values are drawn, a ticket of somebody's own has none."""
    context = browser.new_context(viewport=PHONE, locale="zh-CN")  # type: ignore[arg-type]
    url = demo.info["hub_url"]
    demo.sim.post("/sim/faults", {"device": FAULTY, "fault": "trip"})
    try:
        _signed_in(context, url, demo.info["accounts"]["maintenance"])
        ticket = eventually(lambda: _raised(demo), within_s=60)
        page = context.new_page()
        page.goto(f"{url}/tickets/{ticket}")
        page.get_by_test_id("ticket-chart").locator("[role=img]").first.wait_for()
        page.wait_for_timeout(1500)
        page.evaluate("() => { window.liveAt = performance.now() }")
        return float(page.evaluate(_WEIGHT)) / 1000
    finally:
        demo.sim.client.delete("/sim/faults")
        context.close()


def _raised(demo: Demo) -> str | None:
    """The id of the ticket of the fault, once the hub has it and the values around it."""
    tickets = demo.hub("maintenance").get("/api/tickets", site="demo")["items"]
    return next((each["id"] for each in tickets if each["asset"] == FAULTY), None)

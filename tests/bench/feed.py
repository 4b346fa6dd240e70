"""`feed`: the guard's feed with 5,000 entries: a filter, a word that is typed, twenty rows that come while it is held.

The server is the demo's; the events are made here: `/api/events` answers with 5,000 of them, and the live stream,
which the page reads itself for want of a worker, brings what the bench sends. Times are of the page: from the act
until the frame after it is drawn.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from playwright.sync_api import Browser, Page, Route

from tests.bench.rows import Row, median, percentile
from tests.journeys.browser import Screen, chromium
from tests.journeys.running import ROOT, Demo

ENTRIES = 5000
"""What the feed holds at most."""
TICK = 20
PLATES = ("沪A12345", "浙F36N82", "苏E54321", "粤B88888", "皖A8P062")
TYPED = "12345"

STREAM = """() => {
  // Without a worker and without locks the page reads the stream itself.
  for (const name of ['SharedWorker', 'BroadcastChannel']) delete window[name];
  const real = window.fetch;
  window.fetch = (address, init) => {
    if (!String(address).startsWith('/api/live')) return real(address, init);
    const body = new ReadableStream({
      start(stream) {
        window.say = (event, data) =>
          stream.enqueue(new TextEncoder().encode(`event: ${event}\\ndata: ${JSON.stringify(data)}\\n\\n`));
        window.say('snapshot', window.atFirst);
        setInterval(() => stream.enqueue(new TextEncoder().encode(':\\n\\n')), 2000);
      },
    });
    return Promise.resolve(new Response(body, {headers: {'Content-Type': 'text/event-stream'}}));
  };
  // A task after the next frame: what was changed before it is on the screen.
  window.drawn = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  window.timed = async (act) => {
    await window.drawn();
    const begun = performance.now();
    act();
    await window.drawn();
    return performance.now() - begun;
  };
}"""

FILTER = """(names) => {
  const times = [];
  const press = async (name) => times.push(await window.timed(
    () => document.querySelector(`[data-testid="feed-filter-${name}"]`).click()));
  return names.reduce((before, name) => before.then(() => press(name)), Promise.resolve()).then(() => times);
}"""

TYPE = """async (words) => {
  const field = document.querySelector('[data-testid="feed-search"]').closest('.el-input')?.querySelector('input')
    ?? document.querySelector('[data-testid="feed-search"]');
  const times = [];
  for (const word of words) {
    times.push(await window.timed(() => {
      field.value = word;
      field.dispatchEvent(new Event('input', {bubbles: true}));
    }));
  }
  return times;
}"""

HOLD = """async () => {
  const box = document.querySelector('[data-testid="feed"] .box');
  box.scrollTop = 2000;
  await window.drawn();
  await window.drawn();
}"""

SEEN = """() => {
  const rows = [...document.querySelectorAll('[data-testid="entry"]')];
  return rows.map((row) => [row.dataset.id, row.getBoundingClientRect().top]);
}"""

TELL = """async (ticks) => {
  const times = [];
  for (const events of ticks) times.push(await window.timed(() => window.say('events', events)));
  return times;
}"""


def run(short: bool) -> Iterable[Row]:
    """p95 in milliseconds, medians of the runs; and how many rows are drawn of all."""
    runs, times = (1, 8) if short else (3, 40)
    demo = Demo.start(ROOT / "var" / "bench" / "feed")
    try:
        with chromium() as browser:
            found = [_measured(browser, demo, times) for _ in range(runs)]
    finally:
        demo.close()
    filters, words, ticks, drawn = zip(*found, strict=True)
    yield Row("feed", "a filter over 5,000 entries, p95", "ms", median(list(filters)), aim=100.0, runs=runs)
    yield Row("feed", "a letter of a typed word, p95", "ms", median(list(words)), aim=100.0, runs=runs)
    yield Row("feed", "20 new rows while the feed is held, p95", "ms", median(list(ticks)), aim=100.0, runs=runs)
    yield Row("feed", "rows drawn at most", "", max(drawn), aim=150.0, runs=runs)


def _measured(browser: Browser, demo: Demo, times: int) -> tuple[float, float, float, float]:
    screen = Screen(browser, demo.info["hub_url"], "zh")
    screen.sign_in(demo.info["accounts"]["guard"])
    page = screen.page
    page.route("**/api/events?*", _answer)
    page.add_init_script(f"({STREAM})()")
    page.add_init_script(f"window.atFirst = {json.dumps(_snapshot())}")
    page.goto(f"{demo.info['hub_url']}/guard")
    page.locator('[data-testid="entry"]').first.wait_for()
    page.wait_for_timeout(1500)
    filters = page.evaluate(FILTER, ["refused", "cars", "people", "all"] * (times // 4))
    words = [TYPED[:end] for end in range(1, len(TYPED) + 1)]
    typed = page.evaluate(TYPE, [*words, ""] * (times // len(words) + 1))
    page.evaluate(HOLD)
    drawn = _rows(page)
    ticks = [[_event(ENTRIES + TICK * turn + row + 1) for row in range(TICK)] for turn in range(times)]
    told = page.evaluate(TELL, ticks)
    assert page.get_by_test_id("feed-newer").inner_text().strip().startswith(str(TICK * times))
    assert _rows(page) == drawn, "the held feed has moved"
    screen.close()
    return percentile(filters, 0.95), percentile(typed, 0.95), percentile(told, 0.95), float(len(drawn))


def _rows(page: Page) -> Any:
    """The rows that are drawn, and where."""
    return page.evaluate(SEEN)


def _answer(route: Route) -> None:
    """All that is older than what the stream began with."""
    route.fulfill(json={"items": [_event(number) for number in range(ENTRIES - 20, 0, -1)], "next": None})


def _snapshot() -> dict[str, Any]:
    """The newest twenty, and nothing else that stands there."""
    newest = [_event(number) for number in range(ENTRIES, ENTRIES - 20, -1)]
    nothing: dict[str, Any] = {name: [] for name in ("doors", "lanes", "alarms", "tickets", "gateways")}
    return {"as_of": "2026-03-09T02:00:00.000Z", "events": newest, **nothing}


def _event(number: int) -> dict[str, Any]:
    """A card at a door or a plate at a lane, let in or not; a second after the one before."""
    car = number % 2 == 0
    refused = number % 5 == 0
    credential = (
        {"kind": "plate", "value": PLATES[number % len(PLATES)]} if car else {"kind": "card", "value": f"{number:08X}"}
    )
    minute, second = divmod(number, 60)
    return {
        "id": 1_000_000 + number,
        "site": "demo",
        "gateway": "demo-gw",
        "stream": "f" * 32,
        "seq": number,
        "at": f"2026-03-09T{minute // 60:02}:{minute % 60:02}:{second:02}.000Z",
        "received_at": None,
        "first": None,
        "kind": "access.denied" if refused else "access.granted",
        "source": "gate-in" if car else "lobby-a",
        "data": {
            "credential": credential,
            "holder": None,
            "rule": "unknown" if refused else "g-1",
            "revision": 3,
            "reason": {"code": "unknown_card", "zh": "没有登记", "en": "Unknown"}
            if refused
            else {"code": "granted", "zh": "有通行权限", "en": "Has a grant"},
            "direction": "in",
        },
    }

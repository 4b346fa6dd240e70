"""A screen that does not know says so: a dead wire, a stream that hangs, a gateway that is gone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.journeys.browser import PHONE, Screen, chromium
from tests.journeys.holding import wire
from tests.journeys.running import RESIDENT_CARD, Demo, eventually

pytestmark = pytest.mark.browser

TOLD_MS = 10_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def test_a_wire_that_goes_dead_is_told_within_ten_seconds_whatever_the_traffic(demo: Demo, browser: Browser) -> None:
    with wire(demo.info["hub_url"]) as between:
        screen = Screen(browser, between.url, "zh")
        screen.sign_in(demo.info["accounts"]["guard"])
        expect(screen.at("shell")).to_have_attribute("data-link", "live")
        before = screen.at("lane-open-gate-in").bounding_box()
        # Traffic until the very end: it is no sign of life of what comes after.
        for _ in range(5):
            demo.sim.post("/sim/readers/lobby-a-in/present", {"card": RESIDENT_CARD})
            screen.page.wait_for_timeout(500)
        between.dead.set()
        expect(screen.page.locator('[data-banner="link-lost"]')).to_be_visible(timeout=TOLD_MS)
        expect(screen.page.locator('[data-standing="stale"]').first).to_be_visible()
        expect(screen.page).to_have_title(re.compile("^⚠"))
        assert screen.at("lane-open-gate-in").bounding_box() == before
        screen.shot("truth-dead-wire")
        between.dead.clear()
        expect(screen.at("shell")).to_have_attribute("data-link", "live", timeout=30_000)
        expect(screen.page.locator('[data-banner="link-lost"]')).to_have_count(0)
        screen.close()


def test_a_stream_that_hangs_never_looks_calm(demo: Demo, browser: Browser) -> None:
    with wire(demo.info["hub_url"]) as between:
        between.hung = b"GET /api/live"
        screen = Screen(browser, between.url, "zh")
        screen.fill_in(demo.info["accounts"]["guard"])
        expect(screen.page.locator('[data-banner="link-connecting"]')).to_be_visible(timeout=TOLD_MS)
        nothing = screen.at("alarms-panel").get_by_test_id("nothing")
        expect(nothing).to_have_attribute("data-standing", "unknown")
        expect(screen.at("feed").get_by_test_id("nothing")).to_have_attribute("data-standing", "unknown")
        screen.shot("truth-hung-stream")
        between.hung = None
        expect(screen.at("shell")).to_have_attribute("data-link", "live", timeout=40_000)
        expect(screen.page.locator('[data-standing="unknown"]')).to_have_count(0)
        screen.close()


def test_a_gateway_that_is_gone_greys_its_site_disarms_it_and_rings(demo: Demo, browser: Browser) -> None:
    screen = Screen(browser, demo.info["hub_url"], "zh")
    screen.sign_in(demo.info["accounts"]["guard"])
    opens = screen.at("lane-open-gate-in")
    expect(opens).to_be_enabled()
    before = opens.bounding_box()
    with demo.down("gateway"):
        expect(screen.page.locator('[data-banner="gateway-offline"]')).to_be_visible(timeout=60_000)
        expect(opens).to_be_disabled()
        assert opens.bounding_box() == before
        expect(screen.at("standing")).to_have_count(4)  # feed, lanes, doors, alarms
        screen.page.keyboard.press("1")
        expect(screen.at("ask-dialog")).to_have_count(0)
        expect(screen.page.get_by_text("指令到不了").last).to_be_visible()
        lost = screen.page.locator('[data-testid="alarm"][data-rule="gateway.lost"]')
        expect(lost).to_be_visible(timeout=40_000)
        screen.shot("truth-gateway-gone")
    expect(opens).to_be_enabled(timeout=60_000)
    expect(screen.page.locator('[data-banner="gateway-offline"]')).to_have_count(0)
    expect(lost).to_have_attribute("data-state", "cleared", timeout=20_000)
    lost.get_by_test_id("alarm-ack").click()
    screen.at("ack-send").click()
    expect(lost).to_have_count(0)
    eventually(lambda: demo.gateway().get("/api/about")["hub_connected"], within_s=40)
    screen.close()


def test_a_press_on_a_dead_wire_is_told_as_unknown_and_opens_nothing_later(demo: Demo, browser: Browser) -> None:
    before = demo.hub().last_id()
    with wire(demo.info["hub_url"]) as between:
        screen = Screen(browser, between.url, "zh")
        screen.sign_in(demo.info["accounts"]["guard"])
        screen.at("lane-open-gate-in").click()
        screen.at("ask-reason-1").click()
        between.dead.set()
        screen.at("ask-send").click()
        expect(screen.at("ask-error")).to_contain_text("不知道是否送到", timeout=TOLD_MS)
        screen.shot("truth-press-on-dead-wire")
        screen.page.keyboard.press("Escape")
        mine = '[data-testid="command"][data-target="gate-in"][data-state="{}"]'
        expect(screen.page.locator(mine.format("unknown"))).to_be_visible()
        # Longer than an opening is worth anything.
        screen.page.wait_for_timeout(12_000)
        between.dead.clear()
        expect(screen.at("shell")).to_have_attribute("data-link", "live", timeout=30_000)
        looked_up = screen.page.locator(mine.format("expired"))
        expect(looked_up).to_contain_text("未执行", timeout=20_000)
        expect(screen.page.locator(mine.format("unknown"))).to_have_count(0)
        screen.shot("truth-press-looked-up")
        screen.close()
    told = [event["kind"] for event in demo.hub().events(after=before) if event["source"] == "gate-in"]
    assert told.count("command.expired") == 1
    assert not {"command.done", "barrier.opened", "lane.opened"} & set(told)
    assert demo.sim.get("/sim/devices")["lanes"]["gate-in"]["barrier"] == "down"


def test_a_managers_numbers_are_the_rows_behind_them_whatever_was_loaded(demo: Demo, browser: Browser) -> None:
    old = Screen(browser, demo.info["hub_url"], "zh")
    old.sign_in(demo.info["accounts"]["manager"])
    for word in ("一", "二"):
        demo.hub("manager").post("/api/tickets", {"site": "demo", "title": f"大堂灯不亮（{word}）"})
    [counted] = demo.hub("manager").get("/api/overview", site="demo")["items"]
    assert counted["tickets"] >= 2
    # One has seen it all come, the other begins now, on a phone: the numbers are the server's.
    fresh = Screen(browser, demo.info["hub_url"], "zh", size=PHONE)
    fresh.sign_in(demo.info["accounts"]["manager"])
    seen: list[dict[str, str]] = []
    for screen in (old, fresh):
        screen.page.goto(f"{screen.url}/sites")
        expect(number_of(screen, "tickets")).to_have_text(str(counted["tickets"]), timeout=30_000)
        numbers = ("alarms", "critical", "tickets", "doors_open", "gateways_offline")
        seen.append({key: number_of(screen, key).inner_text() for key in numbers})
        for key in numbers:
            screen.page.goto(f"{screen.url}/sites")
            expect(number_of(screen, key)).to_have_text(seen[-1][key], timeout=30_000)
            number_of(screen, key).click()
            expect(screen.at("rows-counted")).to_have_attribute("data-count", seen[-1][key], timeout=20_000)
            if key == "tickets":
                expect(screen.page.locator('[data-testid="ticket"]:visible')).to_have_count(counted["tickets"])
                screen.shot(f"truth-number-{len(seen)}")
        screen.close()
    assert seen[0] == seen[1]


def number_of(screen: Screen, key: str) -> Locator:
    """A number of the demo's card."""
    return screen.at(f"site-demo-{key}").locator("button")

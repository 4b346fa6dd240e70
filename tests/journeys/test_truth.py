"""A screen that does not know says so: a dead wire, a stream that hangs, a gateway that is gone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.browser import Screen, chromium
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

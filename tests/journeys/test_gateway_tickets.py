"""Tickets before a gateway's own screen: it knows whether the device is well again, and claims no more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.browser import Screen, chromium
from tests.journeys.running import Demo, eventually
from tests.journeys.test_maintainer import close_what_is_open

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


def test_a_gateway_says_that_an_alarm_is_over_and_never_that_work_is_closed(demo: Demo, browser: Browser) -> None:
    screen = Screen(browser, demo.info["gateway_url"], "zh")
    screen.sign_in(demo.info["accounts"]["maintenance"])
    screen.at("nav-tickets").click()
    screen.at("tickets-as-board").click()
    card = screen.page.locator('[data-testid="ticket"][data-asset="pump-1"]').first
    demo.sim.post("/sim/faults", {"device": "pump-1", "fault": "trip"})
    try:
        standing = screen.at("ticket-column-raised").locator('[data-testid="ticket"][data-asset="pump-1"]').first
        expect(standing).to_be_visible(timeout=30_000)
        expect(screen.at("ticket-column-closed")).to_have_count(0)
    finally:
        demo.sim.client.delete("/sim/faults")
    over = screen.at("ticket-column-cleared")
    expect(over.locator('[data-testid="ticket"][data-asset="pump-1"]').first).to_be_visible(timeout=60_000)
    expect(over).to_contain_text("告警已恢复")
    expect(screen.page.locator("main")).not_to_contain_text("已关闭")
    # Found by its words, at the gateway too.
    words = screen.at("ticket-words")
    (words if words.evaluate("e => e.tagName") == "INPUT" else words.locator("input")).fill("没有这样的工单")
    expect(card).to_have_count(0)
    # Where the hub keeps the work, it is still to be done.
    open_there = {"raised", "taken", "done"}
    eventually(
        lambda: any(
            item["asset"] == "pump-1" and item["state"] in open_there
            for item in demo.hub("maintenance").get("/api/tickets", site="demo", q="泵")["items"]
        ),
        within_s=30,
    )
    screen.close()
    close_what_is_open(demo, "pump-1")

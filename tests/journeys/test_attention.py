"""What must not be missed: a screen that could not be heard says so in red, and its tab counts what waits."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.browser import DESK, PHONE, Screen, chromium
from tests.journeys.running import Demo

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # As a browser on a desk does; without a screen it would let everything be heard.
    with chromium("--autoplay-policy=document-user-activation-required") as running:
        yield running


def counted(screen: Screen) -> int:
    """The number in the tab's title."""
    found = re.search(r"\((\d+)\)", screen.page.title())
    return int(found[1]) if found else 0


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_page_that_nobody_touched_says_that_it_is_silent_and_counts(
    demo: Demo, browser: Browser, size: dict[str, int]
) -> None:
    first = Screen(browser, demo.info["hub_url"], "zh", size=size)
    first.sign_in(demo.info["accounts"]["guard"])
    # A tab of the same person in which nobody has pressed anything: the browser lets nothing be heard there.
    page = first.page.context.new_page()
    page.set_default_timeout(15_000)
    page.goto(demo.info["hub_url"])
    page.wait_for_timeout(3000)  # a sound that is allowed would have begun by now
    screen = Screen.on(page, first)
    expect(screen.at("shell")).to_have_attribute("data-link", "live")
    silent = page.locator('[data-banner="sound-blocked"]')
    expect(silent).to_be_visible()
    screen.shot(f"silent-{size['width']}")
    # One touch, and it is heard. (Looking at a page by a test counts as one: from the next tone on it is open.)
    screen.at("sound-open").click()
    expect(silent).to_have_count(0)

    before = counted(screen)
    demo.sim.post("/sim/faults", {"device": "pump-2", "fault": "trip"})
    try:
        expect(page).to_have_title(re.compile(rf"\({before + 1}\)"), timeout=30_000)
        if size == PHONE:
            screen.at("guard-tab-alarms").click()
        page.locator('[data-testid="alarm"][data-state="active"]').first.get_by_test_id("alarm-ack").click()
        screen.at("ack-send").click()
        expect(page).to_have_title(re.compile(rf"\({before}\)") if before else re.compile(r"^[^(]*$"), timeout=30_000)
    finally:
        demo.sim.client.delete("/sim/faults")
    first.close()

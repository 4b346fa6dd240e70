"""Who came is found again: at the hub, at the gateway, and before the screen that no longer holds it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.browser import PHONE, Screen, chromium
from tests.journeys.running import Api, Demo, eventually

PLATE, WRITTEN = "苏E0Q7X5", "苏e·0q7"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


def found(server: Api) -> list[dict[str, Any]]:
    """What the server finds, once somebody has gone through."""

    def look() -> list[dict[str, Any]]:
        items = server.client.get("/api/entries", params={"q": WRITTEN}).json()["items"]
        return [item for item in items if item["passed_at"]]

    return eventually(look, within_s=30)


def test_a_car_is_found_by_a_part_of_its_plate_at_both_servers(demo: Demo) -> None:
    demo.sim.post("/sim/lanes/gate-out/drive-up", {"plate": PLATE})
    for server in (demo.hub(), demo.gateway()):
        items = found(server)
        assert {item["event"]["data"]["credential"]["value"] for item in items} == {PLATE}
        assert items[0]["picture"]
    sheet = demo.hub().client.get("/api/entries/export", params={"q": WRITTEN})
    assert PLATE in sheet.content.decode("utf-8-sig")


@pytest.mark.browser
@pytest.mark.parametrize("size", [None, PHONE])
def test_what_the_feed_holds_no_longer_is_found(demo: Demo, browser: Browser, size: dict[str, int] | None) -> None:
    screen = Screen(browser, demo.info["hub_url"], "zh", size=size)
    # As an hour later: the screen starts from events among which that car is not.
    screen.page.route("**/api/events*", lambda route: route.fulfill(json={"items": [], "next": None}))
    screen.page.route("**/api/live*", lambda route: route.abort())
    screen.sign_in(demo.info["accounts"]["guard"])
    screen.page.goto(demo.info["hub_url"] + "/guard")
    box = screen.at("feed-search")
    (box if box.evaluate("e => e.tagName") == "INPUT" else box.locator("input")).fill(WRITTEN)
    screen.at("feed-everywhere").click()
    row = screen.page.locator(f'[data-testid="entry"][data-plate="{PLATE}"]').first
    expect(row).to_be_visible()
    assert "/history?q=" in screen.page.url
    # It is there after a reload, and by Ctrl-K from wherever one is.
    screen.page.reload()
    expect(row).to_be_visible()
    screen.page.goto(demo.info["hub_url"] + "/tickets")
    expect(screen.at("search-open")).to_be_visible()
    screen.page.keyboard.press("Control+k")
    screen.at("search-input").fill("zhoumingyuan")
    expect(screen.page.locator('[data-testid^="search-found-person-"]').first).to_be_visible()
    screen.page.keyboard.press("Enter")
    screen.page.wait_for_url("**/people/**")
    assert screen.errors == []

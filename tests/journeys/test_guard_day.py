"""A guard's day before the screen, in Chinese and in English, at the hub's console and then at the gateway's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.browser import PHONE, TABLET, WIDE, Screen, chromium
from tests.journeys.running import BLOCKED_PLATE, RESIDENT_CARD, RESIDENT_PLATE, REVOKED_CARD, Demo, eventually

pytestmark = pytest.mark.browser


COMERS = (("gate-in", "浙F36N82"), ("gate-out", RESIDENT_PLATE)), (("gate-in", "沪AD24920"), ("gate-out", "皖A8P062"))
"""Cars that come in pairs, one a lane: residents and a visitor."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


def all_down(demo: Demo) -> bool:
    """Both lanes are closed again: the next cars may come."""
    lanes = demo.sim.get("/sim/devices")["lanes"]
    return all(lanes[lane]["barrier"] == "down" for lane in ("gate-in", "gate-out"))


def places_of_buttons(screen: Screen) -> list[Any]:
    """Where the buttons of lanes and doors are, in pixels."""
    found: list[Any] = screen.page.locator('[data-testid^="lane-open-"], [data-testid^="door-unlock-"]').evaluate_all(
        "all => all.map((each) => [each.dataset.testid, each.getBoundingClientRect().toJSON()])"
    )
    return found


def come_and_go(demo: Demo, screen: Screen) -> None:
    """Cars and people pass; each is a row, each car with its picture."""
    for reader, card in (("garage-in", REVOKED_CARD), ("lobby-a-in", RESIDENT_CARD)):
        demo.sim.post(f"/sim/readers/{reader}/present", {"card": card})
    expect(
        screen.page.locator('[data-testid="entry"][data-place="garage"][data-outcome="refused"]').first
    ).to_be_visible()
    for pair in COMERS:
        eventually(lambda: all_down(demo), within_s=40)
        for lane, plate in pair:
            demo.sim.post(f"/sim/lanes/{lane}/drive-up", {"plate": plate})
            row = f'[data-testid="entry"][data-place="{lane}"][data-plate="{plate}"]'
            expect(screen.page.locator(row).first).to_be_visible()
            expect(screen.page.locator(f'{row} img.there[data-testid="entry-picture"]').first).to_be_visible()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_guards_day(demo: Demo, browser: Browser, language: str) -> None:
    guard = demo.info["accounts"]["guard"]
    screen = Screen(browser, demo.info["hub_url"], language)

    # A wrong password is told in words.
    screen.at("sign-in-username").fill("guard")
    screen.at("sign-in-password").fill("not this one")
    screen.at("sign-in-submit").click()
    expect(screen.at("sign-in-error")).to_be_visible()
    screen.sign_in(guard)

    # A resident's car: the row says who, and why it was let in.
    demo.sim.post("/sim/lanes/gate-in/drive-up", {"plate": RESIDENT_PLATE})
    row = screen.page.locator(f'[data-testid="entry"][data-plate="{RESIDENT_PLATE}"]').first
    expect(row).to_have_attribute("data-outcome", "granted")
    expect(row.get_by_test_id("entry-reason")).not_to_be_empty()
    eventually(lambda: demo.sim.get("/sim/devices")["lanes"]["gate-in"]["barrier"] == "down", within_s=40)

    # A blocked one: refused, loudly.
    places = places_of_buttons(screen)
    demo.sim.post("/sim/lanes/gate-in/drive-up", {"plate": BLOCKED_PLATE})
    expect(screen.at("blocked-card").first).to_be_visible()
    screen.shot("guard-blocked")
    # Nothing that opens has moved under the hand, and the card goes on every screen once somebody has noted it.
    assert places_of_buttons(screen) == places
    screen.at("blocked-seen").first.click()
    expect(screen.at("blocked-card")).to_have_count(0)
    assert places_of_buttons(screen) == places
    hit = screen.page.locator(f'[data-testid="entry"][data-plate="{BLOCKED_PLATE}"]').first
    expect(hit.get_by_test_id("entry-noted")).to_be_visible()

    # By hand: no reason, no barrier. For a blocked car that takes the end of its plate and own words.
    screen.at("lane-open-gate-in").click()
    expect(screen.at("ask-dialog")).to_be_visible()
    expect(screen.at("ask-send")).to_be_disabled()
    screen.at("ask-reason-1").click()
    expect(screen.at("ask-blocked")).to_contain_text(BLOCKED_PLATE)
    expect(screen.at("ask-send")).to_be_disabled()
    screen.at("ask-plate-end").fill(BLOCKED_PLATE[-4:])
    screen.at("ask-free").fill("警察要求放行 / the police asked for it")
    screen.at("ask-send").click()
    done = screen.page.locator('[data-testid="command"][data-kind="barrier.open"][data-state="done"]').first
    expect(done).to_be_visible()
    expect(screen.at("lane-gate-in")).to_have_attribute("data-barrier", "up")
    screen.at("lane-close-gate-in").click()
    screen.at("ask-reason-1").click()
    screen.at("ask-send").click()
    expect(screen.at("lane-gate-in")).to_have_attribute("data-barrier", "down", timeout=30_000)

    come_and_go(demo, screen)

    # The pump fails: one alarm, acknowledged with a note.
    demo.sim.post("/sim/faults", {"device": "pump-2", "fault": "trip"})
    try:
        alarm = screen.page.locator('[data-testid="alarm"][data-state="active"]').first
        expect(alarm).to_be_visible(timeout=30_000)
        for told in screen.page.get_by_test_id("command").get_by_role("button").all():
            told.click()
        screen.shot("guard")
        alarm.get_by_test_id("alarm-ack").click()
        screen.at("ack-note").fill("已通知维修 / maintenance told")
        screen.at("ack-send").click()
        expect(screen.page.locator('[data-testid="alarm"][data-state="acknowledged"]').first).to_be_visible()
    finally:
        demo.sim.client.delete("/sim/faults")

    # The hub is gone: this screen says so, and the gateway's own console goes on.
    with demo.down("hub"):
        expect(screen.page.locator('[data-banner="link-lost"]')).to_be_visible(timeout=40_000)
        local = Screen(browser, demo.info["gateway_url"], language)
        local.sign_in(guard)
        expect(local.page.locator('[data-banner="alone"]')).to_be_visible(timeout=90_000)
        demo.sim.post("/sim/readers/lobby-a-in/present", {"card": RESIDENT_CARD})
        entry = local.page.locator('[data-testid="entry"][data-place="lobby-a"][data-outcome="granted"]').first
        expect(entry).to_be_visible()
        demo.sim.post("/sim/lanes/gate-in/drive-up", {"plate": RESIDENT_PLATE})
        expect(local.page.locator(f'[data-testid="entry"][data-plate="{RESIDENT_PLATE}"]').first).to_be_visible()
        local.shot("guard-alone")
        local.close()
    # And by itself this screen is back, with what it missed.
    expect(screen.at("shell")).to_have_attribute("data-link", "live", timeout=60_000)
    missed = screen.page.locator('[data-testid="entry"][data-place="lobby-a"][data-outcome="granted"]').first
    expect(missed).to_be_visible(timeout=30_000)
    screen.close()
    eventually(lambda: demo.sim.get("/sim/devices")["lanes"]["gate-in"]["barrier"] == "down", within_s=40)


def test_a_car_that_was_not_read_is_not_shown_as_the_one_before(demo: Demo, browser: Browser) -> None:
    screen = Screen(browser, demo.info["hub_url"], "zh")
    screen.sign_in(demo.info["accounts"]["guard"])
    eventually(lambda: all_down(demo), within_s=60)
    demo.sim.post("/sim/lanes/gate-in/drive-up", {"plate": RESIDENT_PLATE})
    plate = screen.at("lane-plate-gate-in")
    expect(plate).to_contain_text("12345")
    expect(plate).to_contain_text("无车", timeout=40_000)
    eventually(lambda: all_down(demo), within_s=60)
    demo.sim.post("/sim/faults", {"device": "gate-in-cam", "fault": "blind"})
    try:
        demo.sim.post("/sim/lanes/gate-in/drive-up", {"plate": "京Q99999"})
        expect(plate).to_contain_text("未识别", timeout=20_000)
        expect(screen.at("lane-last-gate-in")).to_contain_text("上一辆")
        screen.at("lane-open-gate-in").click()
        expect(screen.at("ask-car")).to_contain_text("未识别")
        screen.at("ask-reason-2").click()
        screen.at("ask-send").click()
    finally:
        demo.sim.client.delete("/sim/faults")
    # What was opened by hand is tied to that car: its row ends with it.
    row = screen.page.locator('[data-testid="entry"][data-outcome="waiting"][data-place="gate-in"]').first
    expect(row.get_by_test_id("entry-open")).to_have_count(0)
    expect(row).to_contain_text("已通过", timeout=40_000)
    screen.close()
    eventually(lambda: all_down(demo), within_s=60)


def test_a_hit_is_on_every_screen_and_moves_nothing_on_any(demo: Demo, browser: Browser) -> None:
    eventually(lambda: all_down(demo), within_s=60)
    guard, manager = demo.info["accounts"]["guard"], demo.info["accounts"]["manager"]
    sizes = {"desk": WIDE, "tablet": TABLET, "phone": PHONE}
    screens = {name: Screen(browser, demo.info["hub_url"], "zh", size=size) for name, size in sizes.items()}
    away = Screen(browser, demo.info["hub_url"], "zh")
    for screen in screens.values():
        screen.sign_in(guard)
    away.sign_in(manager)
    away.page.goto(f"{demo.info['hub_url']}/tickets")
    screens["phone"].at("guard-tab-lanes").click()
    # What earlier days left is noted first: a hit that nobody noted is on every screen, however old.
    for card in screens["desk"].at("blocked-seen").all():
        card.click()
    for name, screen in screens.items():
        expect(screen.at("blocked-card"), name).to_have_count(0)
        expect(screen.at("now"), name).to_be_visible()
        wide = screen.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= sizes[name]["width"], f"{name}: the page is {wide} px wide"
    # A screen of 1920 pixels gives its room to the car.
    picture = screens["desk"].at("now").locator(".picture").bounding_box()
    assert picture is not None and picture["width"] > 400, picture
    places = {name: places_of_buttons(screen) for name, screen in screens.items()}
    assert all(places.values())

    demo.sim.post("/sim/lanes/gate-in/drive-up", {"plate": BLOCKED_PLATE})
    for name, screen in screens.items():
        expect(screen.at("blocked-card"), name).to_be_visible()
        screen.shot(f"hit-{name}")
        assert places_of_buttons(screen) == places[name], name
    # Whoever answers for the site sees it wherever they are, and may note it.
    told = away.page.locator('[data-banner="hit"]')
    expect(told).to_contain_text(BLOCKED_PLATE)
    away.shot("hit-elsewhere")
    away.at("hit-look").click()
    away.at("blocked-seen").click()
    for name, screen in screens.items():
        expect(screen.at("blocked-card"), name).to_have_count(0)
        assert places_of_buttons(screen) == places[name], name
        screen.close()
    expect(told).to_have_count(0)
    away.close()
    eventually(lambda: all_down(demo), within_s=60)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_same_screen_on_a_phone(demo: Demo, browser: Browser, language: str) -> None:
    screen = Screen(browser, demo.info["hub_url"], language, size=PHONE)
    screen.sign_in(demo.info["accounts"]["guard"])
    demo.sim.post("/sim/readers/lobby-a-in/present", {"card": RESIDENT_CARD})
    expect(screen.at("entry").first).to_be_visible()
    # A card of this day's blocked car, if it was not seen to on this screen.
    for card in screen.at("blocked-seen").all():
        card.click()
    wide = screen.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= PHONE["width"], f"the page is {wide} px wide on a phone of {PHONE['width']}"
    screen.shot("guard-phone")
    screen.close()

"""A technician's ticket before the screen, in Chinese and in English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.journeys.browser import PHONE, Screen, chromium
from tests.journeys.running import Demo, eventually

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.mark.parametrize(("language", "device", "fault"), [("zh", "pump-1", "trip"), ("en", "lift-1", "trapped")])
def test_a_fault_becomes_a_ticket_and_is_closed(
    demo: Demo, browser: Browser, language: str, device: str, fault: str
) -> None:
    close_what_is_open(demo, device)
    screen = Screen(browser, demo.info["hub_url"], language)
    screen.sign_in(demo.info["accounts"]["maintenance"])
    screen.at("nav-tickets").click()
    demo.sim.post("/sim/faults", {"device": device, "fault": fault})
    try:
        card = screen.page.locator(f'[data-testid="ticket"][data-asset="{device}"][data-state="raised"]').first
        expect(card).to_be_visible(timeout=30_000)
        screen.shot("tickets")
        card.click()
        expect(screen.at("ticket-detail")).to_be_visible()
        expect(screen.at("ticket-chart")).to_be_visible()
        chart = drawn(screen, screen.at("ticket-chart"), "path.line")
        expect(chart.locator(".mark-line")).to_be_attached()
        screen.at("ticket-take").click()
        expect(screen.at("ticket-state")).to_have_attribute("data-state", "taken")
        screen.at("ticket-comment").fill("到场 / on site")
        screen.at("ticket-comment-send").click()
        expect(screen.at("ticket-steps")).to_contain_text("到场 / on site")
        screen.at("ticket-finish").click()
        screen.at("finish-found").fill("热继电器动作 / thermal relay had tripped")
        screen.at("finish-done").fill("复位 / reset")
        screen.at("finish-send").click()
        expect(screen.at("ticket-state")).to_have_attribute("data-state", "done")
        expect(screen.at("finish-dialog")).to_be_hidden()
        screen.shot("ticket")
    finally:
        demo.sim.client.delete("/sim/faults")
    # Only the device itself closes it.
    expect(screen.at("ticket-state")).to_have_attribute("data-state", "closed", timeout=60_000)
    screen.close()


def test_three_faults_are_acknowledged_by_one_word_and_a_ticket_passes_on_after_a_question(
    demo: Demo, browser: Browser
) -> None:
    devices = {"pump-1": "trip", "pump-2": "trip", "lift-2": "trapped"}
    for device in devices:
        close_what_is_open(demo, device)
    screen = Screen(browser, demo.info["hub_url"], "zh")
    screen.sign_in(demo.info["accounts"]["maintenance"])
    screen.at("nav-alarms").click()
    for device, fault in devices.items():
        demo.sim.post("/sim/faults", {"device": device, "fault": fault})
    try:
        waiting = screen.page.locator('[data-testid="alarm"][data-state="active"]')
        for message in ("1 号", "2 号"):
            expect(waiting.filter(has_text=message).first).to_be_visible(timeout=30_000)
        expect(screen.page.locator('[data-testid="alarm"][data-severity="critical"]').first).to_be_visible(
            timeout=30_000
        )
        hub = demo.hub("maintenance")
        seen = {each["id"] for each in hub.get("/api/alarms", state="active")["items"]}
        assert len(seen) >= len(devices)
        screen.page.locator('thead [data-testid="alarm-box"]').click()
        screen.at("alarms-act-ack").click()
        screen.at("alarms-together-send").click()
        # What came meanwhile waits for its own word.
        eventually(
            lambda: seen.isdisjoint(each["id"] for each in hub.get("/api/alarms", state="active")["items"]), within_s=20
        )
        screen.shot("alarms-together")

        # Somebody else has taken it: the screen asks, and says afterwards who had it.
        eventually(lambda: [each["state"] for each in tickets(demo, "pump-2")].count("raised") == 1, within_s=30)
        ticket = next(each for each in tickets(demo, "pump-2") if each["state"] == "raised")
        demo.hub("installer").post(f"/api/tickets/{ticket['id']}/take")
        screen.page.goto(f"{demo.info['hub_url']}/tickets/{ticket['id']}")
        expect(screen.at("ticket-state")).to_have_attribute("data-state", "taken")
        screen.at("ticket-take").click()
        question = screen.page.locator(".el-message-box")
        expect(question).to_contain_text("改由我处理")
        question.locator(".el-button--primary").click()
        step = screen.page.locator('[data-testid="ticket-step"][data-step="taken_over"]')
        expect(step).to_be_visible()
        screen.shot("ticket-taken-over")
    finally:
        demo.sim.client.delete("/sim/faults")
        for device in devices:
            close_what_is_open(demo, device)
    screen.close()


def close_what_is_open(demo: Demo, device: str) -> None:
    """Finishes the tickets that other journeys left: the device is well, but nobody has said so."""
    hub = demo.hub("maintenance")
    for ticket in tickets(demo, device):
        if ticket["state"] == "raised":
            hub.post(f"/api/tickets/{ticket['id']}/take")
        if ticket["state"] in {"raised", "taken"}:
            hub.post(f"/api/tickets/{ticket['id']}/finish", {"found": "–", "done": "–"})
    eventually(lambda: {ticket["state"] for ticket in tickets(demo, device)} <= {"closed"}, within_s=60)


def tickets(demo: Demo, asset: str) -> list[dict[str, Any]]:
    return [
        item for item in demo.hub("maintenance").get("/api/tickets", site="demo")["items"] if item["asset"] == asset
    ]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_live_values_and_their_chart(demo: Demo, browser: Browser, language: str) -> None:
    screen = Screen(browser, demo.info["hub_url"], language)
    screen.sign_in(demo.info["accounts"]["maintenance"])
    screen.at("nav-points").click()
    demo.sim.post("/sim/points/pump-1/flow", {"value": 33.3})
    try:
        expect(screen.at("point-pump-1.flow")).to_contain_text("33.3", timeout=15_000)
        screen.at("point-pump-1.flow").click()
        expect(screen.at("point-chart")).to_be_visible()
        drawn(screen, screen.at("point-chart"), "path.line")
        screen.shot("points")
    finally:
        demo.sim.post("/sim/points/pump-1/flow", {"value": None})
    screen.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_meter_s_days_are_drawn_in_the_colours_of_the_page(demo: Demo, browser: Browser, scheme: str) -> None:
    screen = Screen(browser, demo.info["hub_url"], "zh")
    screen.sign_in(demo.info["accounts"]["manager"])
    screen.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    screen.at("nav-meters").click()
    chart = drawn(screen, screen.page.get_by_test_id(re.compile("^meter-chart-")), "rect.bar")
    assert len(chart.locator(".along").all_inner_texts()) == 7
    ink = chart.locator(".along").first.evaluate("text => getComputedStyle(text).fill")
    assert ink == {"light": "rgb(89, 104, 114)", "dark": "rgb(141, 156, 164)"}[scheme]
    # A narrower window, a narrower drawing: nothing of it sticks out.
    screen.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    expect(chart.locator("svg").first).to_have_attribute("width", re.compile(r"^[123]\d\d$"))
    screen.close()


def drawn(screen: Screen, chart: Locator, stroke: str) -> Locator:
    """The first drawing of a chart; it has something drawn, and tells the value that the mouse is at."""
    found = chart.locator("[role=img]").first
    expect(found.locator(stroke).first).to_be_attached()
    found.hover()
    expect(found.locator(".tip")).to_contain_text(re.compile(r"\d"))
    screen.page.mouse.move(0, 0)
    expect(found.locator(".tip")).to_be_hidden()
    return found


def test_every_page_fits_a_phone(demo: Demo, browser: Browser) -> None:
    screen = Screen(browser, demo.info["hub_url"], "zh", size=PHONE)
    screen.sign_in(demo.info["accounts"]["admin"])
    for page in ("guard", "alarms", "tickets", "points", "meters", "devices", "people", "sites", "accounts", "me"):
        screen.page.goto(f"{screen.url}/{page}")
        expect(screen.at("shell")).to_be_visible()
        expect(screen.at("shell")).to_have_attribute("data-link", "live")
        wide = screen.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= PHONE["width"], f"/{page} is {wide} px wide"
        screen.shot(f"phone-{page}")
    screen.close()
    eventually(lambda: demo.hub().last_id() > 0)

"""The console in a real browser, on a hub in this process, on days that are not calm: a flood, two who take one ticket,
a session that ends, a phone in the basement, a plate that cannot be one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from contract.commands import Person
from contract.facts.alarms import AlarmRaised, AlarmShelved
from contract.instants import instant
from contract.layout import DeviceLayout
from contract.texts import Text
from hub.database.transactions import Database
from tests.hub.office import layout
from tests.hub.senders import NOW_MS
from tests.hub.test_addresses import Desk, desk, path_of
from tests.journeys.browser import PHONE

pytestmark = pytest.mark.browser

FLOOD = 30
LATER_MS = 4_102_444_800_000


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    """A machine that does much besides draws a page later than in five seconds."""
    expect.set_options(timeout=20_000)
    yield
    expect.set_options(timeout=5_000)


async def described(there: Desk) -> None:
    """A bus with 24 devices on it."""
    devices = [
        DeviceLayout(id=f"d-{n}", name=Text(f"{n} 号设备", f"Device {n}"), kind="pump", profile="p", bus="bus-a")
        for n in range(24)
    ]
    await there.hub.report("site.described", layout("demo", devices=devices), "demo")


async def flooded(there: Desk) -> None:
    """A power cut: the bus and what hangs on it, five doors, and a lift with somebody in it."""
    faults = [("bus-a", "device.lost", "major"), *((f"d-{n}", "device.lost", "major") for n in range(23))]
    faults += [(f"door-{n}", "lock.failed", "minor") for n in range(5)]
    faults += [("lift-1", "lift.trapped", "critical")]
    for n, (source, rule, severity) in enumerate(faults):
        message = Text(f"{source} 故障 {rule}", f"{source} {rule}")
        raised = AlarmRaised(alarm=f"f-{n}", rule=rule, severity=severity, message=message, asset=source, values={})  # type: ignore[arg-type]
        await there.hub.report("alarm.raised", raised, source)


def part(page: Page | Locator, testid: str) -> Locator:
    return page.get_by_test_id(testid)


async def test_a_flood_shows_its_causes_hides_nothing_critical_and_is_answered_by_keys(database: Database) -> None:
    async with desk(database) as there:
        await there.hub.account("gu", "guard", "demo")
        await described(there)
        page = await there.page("gu", at="/guard")
        # The office's gateway lives in a September: the screen does too.
        await page.clock.set_system_time(NOW_MS / 1000)
        await page.reload()
        await expect(part(page, "shell")).to_have_attribute("data-link", "live")
        before = await part(page, "alarms-panel").bounding_box()
        await flooded(there)
        await expect(part(page, "alarm-flood")).to_contain_text(re.compile(r"3\d"))
        causes = part(page, "alarm-cause")
        # What a life hangs on stands first, by itself; two dozen devices are one line, whose cause is on top.
        await expect(causes.first).to_have_attribute("data-kind", "single")
        await expect(causes.first).to_contain_text("lift-1")
        await expect(page.locator('[data-testid="alarm-cause"][data-kind="bus"]')).to_have_attribute("data-count", "24")
        assert await causes.count() <= 5
        after = await part(page, "alarms-panel").bounding_box()
        assert before is not None and after is not None and before["x"] == after["x"]

        # A, Enter: the one that stands first is acknowledged, without the mouse.
        await page.keyboard.press("a")
        await expect(part(page, "ack-send")).to_be_focused()
        async with page.expect_request(re.compile(r"/api/alarms/[^/]+/ack$")) as asked:
            await page.keyboard.press("Enter")
        assert (await asked.value).url.endswith("/f-29/ack")
        await expect(part(page, "ack-dialog")).to_be_hidden()

        # The list is as usable: its filter answers at once, and Back leads to where one was.
        await page.goto(f"http://127.0.0.1:{there.wire.port}/alarms")
        rows = part(page, "alarm")
        await expect(rows.first).to_be_visible()
        await page.set_viewport_size({"width": 1000, "height": 420})
        depth = await page.evaluate(SCROLL)
        assert depth > 50
        await part(page, "nav-tickets").click()
        await expect(part(page, "ticket").first).to_be_visible()
        await page.go_back()
        await expect(rows.first).to_be_visible()
        # The page's own policy lets nothing be evaluated that waits by itself.
        async with asyncio.timeout(10):
            while await page.evaluate("() => document.querySelector('main .page').scrollTop") != depth:  # noqa: ASYNC110 - a browser tells no event
                await asyncio.sleep(0.05)


SCROLL = "() => { const page = document.querySelector('main .page'); page.scrollTop = 1e4; return page.scrollTop }"


async def test_what_maintenance_has_silenced_it_can_have_back(database: Database) -> None:
    async with desk(database) as there:
        by = Person(id="p", name="宋工", role="maintenance")
        shelved = AlarmShelved(alarm=there.alarm, by=by, until=instant(LATER_MS))
        await there.hub.report("alarm.shelved", shelved, "pump-1")
        page = await there.page(at="/alarms?state=shelved")
        await part(page, "alarm").first.click()
        again = part(page, "alarm-peek").get_by_test_id("alarm-unshelve")
        await expect(again).to_be_visible()
        async with page.expect_request(re.compile(r"/unshelve$")) as asked:
            await again.click()
            send = part(page, "alarms-together-send")
            if await send.count():
                await send.click()
        answer = await (await asked.value).response()
        assert answer is not None and answer.status == 202


async def test_the_second_who_takes_a_ticket_is_asked_and_the_first_is_told(database: Database) -> None:
    async with desk(database) as there:
        await there.hub.account("li", "maintenance", "demo")
        first, second = await there.page("wang", at="/tickets"), await there.page("li", at="/tickets")
        for page in (first, second):
            await part(page, "ticket").first.click()
            await expect(part(page, "ticket-take")).to_be_visible()
        # The second has not heard yet that it is taken: their line is slow.
        await second.route("**/api/live*", lambda route: route.abort())
        await part(first, "ticket-take").click()
        await expect(part(first, "ticket-state")).to_have_attribute("data-state", "taken")
        await part(second, "ticket-take").click()
        question = second.locator(".el-message-box")
        await expect(question).to_contain_text("Wang")
        await question.locator(".el-button--primary").click()
        await expect(first.locator('[data-testid="ticket-step"][data-step="taken_over"]')).to_be_visible()


async def test_a_person_s_form_outlives_its_session_and_all_sites_and_no_plate_is_none(database: Database) -> None:
    async with desk(database) as there:
        await there.hub.site("north")
        await there.hub.account("mei", "manager", "demo", "north")
        page = await there.page("mei", at="/people?site=*")
        # Also after a reload, when the sites come later than the page.
        await page.reload()
        await part(page, "holder-new").click()
        name = entry(part(page, "holder-name"))
        await expect(name).to_be_visible()
        await name.fill("周建国")
        there.hub.ahead_s = 40 * 86_400
        await part(page, "holder-send").click()
        await expect(part(page, "sign-in")).to_be_visible()
        await there.sign_in(page, "mei")
        await expect(name).to_have_value("周建国")
        await part(page, "holder-send").click()
        await expect(part(page, "peek")).to_contain_text("周建国")

        await part(page, "credential-new").click()
        await page.locator(".el-dialog").get_by_text("车牌", exact=True).first.click()
        await entry(part(page, "credential-value")).fill("沪A 123")
        async with page.expect_response(re.compile("/api/credentials")) as answered:
            await part(page, "credential-send").click()
        assert (await answered.value).status == 422
        wrong = page.locator(".el-dialog .is-error")
        await expect(wrong).to_contain_text("车牌")
        # It is still there to be mended.
        await expect(entry(part(page, "credential-value"))).to_have_value("沪A 123")


def entry(field: Locator) -> Locator:
    """The field to type in, whichever of the two carries the name."""
    return field.locator("xpath=descendant-or-self::input").first


async def test_a_phone_in_the_basement_opens_a_page_that_it_never_opened(database: Database) -> None:
    async with desk(database) as there:
        page = await there.page(size=PHONE, at="/tickets")
        await part(page, "ticket").first.click()
        await part(page, "ticket-comment").fill("地下室没有信号")
        assert await page.evaluate("navigator.serviceWorker.ready.then((there) => there.active !== null)")
        there.wire.cut()
        await part(page, "peek-close").click()
        await part(page, "nav-devices").click()
        await expect(page).to_have_url(re.compile("/devices"))
        await expect(page.locator("main h1").first).to_be_visible()
        await page.reload()
        await expect(part(page, "shell")).to_be_visible()
        await part(page, "drafts-note").click()
        await expect(page.locator('[data-testid^="draft-open-comment:"]')).to_be_visible()
        wide: Any = await page.evaluate("document.documentElement.scrollWidth")
        assert wide <= PHONE["width"]
        assert path_of(page).startswith("devices")
        there.wire.mend()
        await expect(part(page, "shell")).to_have_attribute("data-link", "live", timeout=30_000)

"""The console in a real browser, on a hub in this process: addresses, Back, reload, texts that stay, no signal."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from hub.database.transactions import Database
from tests.gateway.line import Wire
from tests.hub.office import PASSWORD, Office, office
from tests.journeys.browser import DESK, PHONE
from tests.tools import tool
from tests.web.servers import running
from web.console import DIST

pytestmark = pytest.mark.browser

QUIET = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update"]


class Desk:
    """A hub with one alarm and its ticket, a line to it that can be cut, and a browser before it."""

    def __init__(self, hub: Office, wire: Wire, browser: Browser, alarm: str) -> None:
        self.hub = hub
        self.wire = wire
        self.alarm = alarm
        self.errors: list[str] = []
        self._browser = browser

    async def page(self, who: str = "wang", *, size: dict[str, int] = DESK, at: str = "/") -> Page:
        """A page of somebody who has just signed in."""
        context = await self._browser.new_context(
            viewport=size, locale="zh-CN", timezone_id="Asia/Shanghai", reduced_motion="reduce"  # type: ignore[arg-type]
        )  # fmt: skip
        page = await context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        await page.goto(f"http://127.0.0.1:{self.wire.port}{at}")
        await self.sign_in(page, who)
        return page

    async def sign_in(self, page: Page, who: str = "wang") -> None:
        await page.get_by_test_id("sign-in-username").fill(who)
        await page.get_by_test_id("sign-in-password").fill(PASSWORD)
        await page.get_by_test_id("sign-in-submit").click()
        await expect(page.get_by_test_id("shell")).to_have_attribute("data-link", "live")


@asynccontextmanager
async def desk(database: Database) -> AsyncIterator[Desk]:
    assert (DIST / "sw.js").is_file(), "build the console first: npm run build in web/console"
    async with office(database, dist=DIST) as hub, running(hub.app) as url, async_playwright() as playwright:
        alarm = await hub.raise_alarm(ticket=True)
        # Nothing is asked of a site whose gateway is away.
        async with database.transaction() as conn:
            await conn.exec_driver_sql("UPDATE gateways SET online = TRUE, seen_at = now()")
        await hub.account("wang", "maintenance", "demo")
        await hub.account("song", "manager", "demo")
        wire = Wire(int(url.rpartition(":")[2]))
        await wire.open()
        browser = await playwright.chromium.launch(executable_path=tool("chromium"), args=QUIET)
        found = Desk(hub, wire, browser, alarm)
        try:
            yield found
        finally:
            await browser.close()
            await wire.close()
        assert found.errors == []


def path_of(page: Page) -> str:
    return page.url.partition("://")[2].partition("/")[2]


async def test_a_thing_has_an_address_and_lies_beside_its_list(database: Database) -> None:
    async with desk(database) as there:
        page = await there.page("song", at="/alarms")
        peek = page.get_by_test_id("peek")
        first = page.get_by_test_id("alarm").first
        await first.click()
        await expect(page.get_by_test_id("alarm-peek")).to_contain_text("水泵干转")
        assert path_of(page) == f"alarms?peek=alarm:{there.alarm}"
        await expect(first).to_be_enabled()
        await page.reload()
        await expect(page.get_by_test_id("alarm-peek")).to_contain_text("水泵干转")
        await page.go_back()
        await expect(peek).to_have_count(0)
        assert path_of(page) == "alarms"

        # The focus goes in, and comes back to where it was.
        name = first.get_by_role("button").first
        await name.focus()
        await page.keyboard.press("Enter")
        await expect(peek).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(peek).to_have_count(0)
        await expect(name).to_be_focused()

        # As a page; of what is not there in words.
        await name.click()
        await page.get_by_test_id("peek-page").click()
        await expect(page.get_by_test_id("page-of-alarm")).to_contain_text("水泵干转")
        assert path_of(page) == f"alarms/{there.alarm}"
        for nothing in ("alarms/nothing", "events/999999", "devices/nothing", "people/nothing"):
            await page.goto(f"http://127.0.0.1:{there.wire.port}/{nothing}")
            await expect(page.locator("main")).to_contain_text(re.compile("没有找到|不存在"))


async def test_filters_survive_reload_and_back_closes_what_fills_a_phone(database: Database) -> None:
    async with desk(database) as there:
        page = await there.page("song", size=PHONE, at="/people?tab=blocks")
        await expect(page).to_have_url(re.compile(r"/people\?tab=blocks$"))
        await page.goto(f"http://127.0.0.1:{there.wire.port}/tickets")
        await page.get_by_test_id("ticket").first.click()
        await expect(page.get_by_test_id("peek")).to_have_attribute("role", "dialog")
        await page.go_back()
        await expect(page.get_by_test_id("peek")).to_have_count(0)
        assert path_of(page) == "tickets"


async def test_nothing_typed_is_lost(database: Database) -> None:
    async with desk(database) as there:
        page = await there.page(at="/tickets")
        await page.get_by_test_id("ticket").first.click()
        await page.get_by_test_id("ticket-comment").fill("到场，正在查接线")
        await page.reload()
        await expect(page.get_by_test_id("ticket-comment")).to_have_value("到场，正在查接线")
        await page.get_by_test_id("ticket-take").click()
        await page.get_by_test_id("ticket-finish").click()
        await page.get_by_test_id("finish-found").fill("热继电器动作")

        # The session ends in the middle of it: after signing in again the form is open, with its text.
        there.hub.ahead_s = 40 * 86_400
        await page.get_by_test_id("finish-done").fill("复位")
        await page.get_by_test_id("finish-send").click()
        await expect(page.get_by_test_id("sign-in")).to_be_visible()
        await there.sign_in(page)
        await expect(page.get_by_test_id("finish-found")).to_have_value("热继电器动作")
        await expect(page.get_by_test_id("finish-done")).to_have_value("复位")
        await page.get_by_test_id("finish-send").click()
        await expect(page.get_by_test_id("ticket-state")).to_have_attribute("data-state", "done")

        # What was left elsewhere is a press away; who signs out on purpose leaves nothing behind.
        await page.get_by_test_id("nav-alarms").click()
        await page.get_by_test_id("drafts-note").click()
        await page.locator('[data-testid^="draft-open-comment:"]').click()
        await expect(page.get_by_test_id("ticket-comment")).to_have_value("到场，正在查接线")
        await page.get_by_test_id("account-menu").click()
        await page.get_by_test_id("sign-out").click()
        await expect(page.get_by_test_id("sign-in")).to_be_visible()
        kept = await page.evaluate("Object.keys(localStorage).filter((key) => /draft|known/.test(key))")
        assert kept == []


async def test_one_key_begins_a_report_over_any_page(database: Database) -> None:
    async with desk(database) as there:
        page = await there.page("wang", at="/alarms")
        await page.keyboard.press("n")
        await expect(page.get_by_test_id("ticket-new-dialog")).to_be_visible()
        assert path_of(page) == "alarms?new=ticket"
        await page.get_by_test_id("ticket-new-name").fill("大堂灯不亮")
        await page.go_back()
        await expect(page.get_by_test_id("ticket-new-dialog")).to_have_count(0)
        await page.get_by_test_id("begin").click()
        await expect(page.get_by_test_id("ticket-new-name")).to_have_value("大堂灯不亮")
        await page.get_by_test_id("ticket-new-send").click()
        await expect(page.get_by_test_id("ticket-detail")).to_contain_text("大堂灯不亮")
        # Who may begin several kinds of things chooses among them.
        desk_of_manager = await there.page("song", at="/alarms")
        await desk_of_manager.get_by_test_id("begin").click()
        await desk_of_manager.get_by_test_id("begin-visitor").click()
        await expect(desk_of_manager.get_by_test_id("holder-name")).to_be_visible()


async def test_without_a_signal_every_page_opens_and_texts_stay(database: Database) -> None:
    async with desk(database) as there:
        page = await there.page(at="/tickets")
        await page.get_by_test_id("ticket").first.click()
        await page.get_by_test_id("ticket-comment").fill("地下室没有信号")
        assert await page.evaluate("navigator.serviceWorker.ready.then((there) => there.active !== null)")
        held = await page.evaluate("caches.keys().then((names) => caches.open(names[0])).then((c) => c.keys())")
        assert len(held) > 40

        there.wire.cut()
        await page.get_by_test_id("peek-close").click()
        await page.get_by_test_id("nav-points").click()
        await expect(page).to_have_url(re.compile("/points"))
        await expect(page.locator("main h1")).to_be_visible()
        await page.reload()
        await expect(page.get_by_test_id("shell")).to_be_visible()
        await expect(page.locator("main h1")).to_be_visible()
        await page.get_by_test_id("drafts-note").click()
        await expect(page.locator('[data-testid^="draft-open-comment:"]')).to_be_visible()
        await page.keyboard.press("Escape")

        there.wire.mend()
        await expect(page.get_by_test_id("shell")).to_have_attribute("data-link", "live", timeout=30_000)
        await page.get_by_test_id("nav-tickets").click()
        await page.get_by_test_id("ticket").first.click()
        await expect(page.get_by_test_id("ticket-comment")).to_have_value("地下室没有信号")

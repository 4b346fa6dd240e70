"""A real browser on a running demo: Debian's chromium, driven by Playwright."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.journeys.running import ROOT
from tests.tools import tool

SCREENS = ROOT / "var" / "screens"
"""Where screenshots go; the README's are copies of these."""

DESK = {"width": 1440, "height": 900}
WIDE = {"width": 1920, "height": 1080}
TABLET = {"width": 1024, "height": 768}
PHONE = {"width": 360, "height": 740}


@contextmanager
def chromium(*more: str) -> Iterator[Browser]:
    """The browser. It has no way out: its own traffic to its makers is switched off. `more`: switches of its own."""
    usual = ["--no-sandbox", "--disable-dev-shm-usage"]
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=tool("chromium"),
            headless=True,
            args=[*usual, *quiet, *more],
        )
        yield browser
        browser.close()


class Screen:
    """One person before one page of the console."""

    def __init__(self, browser: Browser, url: str, language: str, *, size: dict[str, int] | None = None) -> None:
        self.language = language
        context = browser.new_context(
            viewport=size or DESK,  # type: ignore[arg-type]
            locale="zh-CN" if language == "zh" else "en-GB",
            timezone_id="Asia/Shanghai",
            reduced_motion="reduce",
        )
        self.errors: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.set_default_timeout(15_000)
        self.url = url
        self.page.goto(url)

    @classmethod
    def on(cls, page: Page, beside: Screen) -> Screen:
        """A page that is open already, of the same person as `beside`, which closes it too."""
        screen = cls.__new__(cls)
        screen.language, screen.url, screen.page, screen.errors = beside.language, beside.url, page, beside.errors
        page.on("pageerror", lambda error: beside.errors.append(str(error)))
        return screen

    def at(self, testid: str) -> Locator:
        """An element by its test id."""
        return self.page.get_by_test_id(testid)

    def fill_in(self, account: dict[str, str]) -> None:
        """Signs in."""
        self.at("sign-in-username").fill(account["username"])
        self.at("sign-in-password").fill(account["password"])
        self.at("sign-in-submit").click()
        expect(self.at("shell")).to_be_visible()

    def sign_in(self, account: dict[str, str]) -> None:
        """Signs in, and sees the console live, in the wanted language."""
        self.fill_in(account)
        expect(self.at("shell")).to_have_attribute("data-link", "live")
        self.speak()

    def speak(self) -> None:
        """Switches to the screen's language."""
        html = self.page.locator("html")
        wanted = re.compile(f"^{self.language}")
        if not re.match(wanted, html.get_attribute("lang") or ""):
            if not self.at("language-switch").first.is_visible():
                self.at("account-menu").click()  # a phone has it there
            self.at("language-switch").first.click()
        expect(html).to_have_attribute("lang", wanted)

    def shot(self, name: str) -> Path:
        """A picture of the screen, `<name>-<language>.png`."""
        SCREENS.mkdir(parents=True, exist_ok=True)
        path = SCREENS / f"{name}-{self.language}.png"
        # Dialogs fade: a picture of one that goes away shows nothing as people see it.
        self.page.wait_for_timeout(500)
        self.page.screenshot(path=path)
        return path

    def close(self) -> None:
        """Leaves; a script that failed meanwhile is a failure."""
        self.page.context.close()
        assert self.errors == []

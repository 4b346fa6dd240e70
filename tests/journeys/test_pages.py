"""Every page and dialog, as every role: nothing that axe finds, nothing wider than its screen, a picture of each.

In `make test` two forms of the sixteen; all of them (`make pages`): both languages, light and dark, four sizes. The
pictures lie in `var/screens/pages/`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Locator, Page

from tests.journeys.browser import SCREENS, Screen, chromium
from tests.journeys.running import BLOCKED_PLATE, RESIDENT_CARD, RESIDENT_PLATE, ROOT, Demo, eventually

pytestmark = [pytest.mark.browser, pytest.mark.pages]

AXE = (ROOT / "web" / "console" / "node_modules" / "axe-core" / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

SIZES = {
    "wide": {"width": 1920, "height": 1080},
    "desk": {"width": 1440, "height": 900},
    "tablet": {"width": 1024, "height": 768},
    "phone": {"width": 360, "height": 740},
}


class Form(NamedTuple):
    """How the console is looked at."""

    language: str
    theme: str
    size: str

    def __str__(self) -> str:
        return "-".join(self)


EVERY = [Form(language, theme, size) for language in ("zh", "en") for theme in ("light", "dark") for size in SIZES]
FORMS = (
    EVERY if os.environ.get("GATEHOUSE_PAGES") == "all" else [Form("zh", "light", "desk"), Form("en", "dark", "phone")]
)


class Dialog(NamedTuple):
    """What is opened over a page, step by step: a test id (or what `css:` selects) is clicked, `key:` pressed, `text:`
    typed, and what stands after `if:` clicked where it is there (what an earlier form did is done)."""

    role: str
    page: str
    name: str
    by: tuple[str, ...]
    shows: str


DIALOGS = (
    Dialog("guard", "/guard", "open", ("lane-open-gate-in",), "ask-dialog"),
    Dialog("guard", "/guard", "mode", ("door-mode-lobby-a",), "ask-dialog"),
    Dialog("guard", "/guard", "mode-until", ("door-mode-lobby-a", "mode-unlocked"), "mode-lasting-1800"),
    Dialog("guard", "/guard", "ack", ("alarm-ack",), "ack-dialog"),
    Dialog("guard", "/guard", "entry", ("key:j",), "entry-peek"),
    Dialog("guard", "/guard", "search", ("key:Control+k", "text:88888"), "search-entries"),
    Dialog("guard", "/guard", "keys", ("key:?",), "css:.shortcuts"),
    Dialog("guard", "/guard", "begin", ("key:n",), "ticket-new-dialog"),
    Dialog("guard", "/history", "account", ("account-menu",), "my-account"),
    Dialog("guard", "/history", "password", ("account-menu", "change-password"), "css:.form-dialog"),
    Dialog("guard", "/history", "entry", ("entry-who",), "entry-peek"),
    Dialog("guard", "/alarms", "alarm", ("css:[data-testid=alarm] .plain",), "alarm-peek"),
    Dialog("guard", "/alarms", "together", ("alarm-box", "alarms-act-ack"), "alarms-together"),
    Dialog("maintenance", "/alarms", "shelve", ("alarm-shelve",), "shelve-dialog"),
    Dialog("maintenance", "/tickets", "list", ("tickets-as-list",), "tickets-list"),
    Dialog("maintenance", "/tickets", "ticket", ("ticket",), "ticket-detail"),
    Dialog("maintenance", "/tickets", "finish", ("ticket", "if:ticket-take", "ticket-finish"), "finish-dialog"),
    Dialog("maintenance", "/devices", "device", ("css:[data-testid=device-pump-2] .plain",), "device-peek"),
    Dialog("maintenance", "/points", "point", ("points-search", "text:pump-2", "point-pump-2.flow"), "point-peek"),
    Dialog("guard", "/tickets", "ticket-new", ("ticket-new",), "ticket-new-dialog"),
    Dialog("manager", "/people", "holder-new", ("holder-new",), "holder-name"),
    Dialog("manager", "/people", "holder", ("holder-r-a0301",), "css:.peek article.holder"),
    Dialog("manager", "/people", "credential", ("holder-r-a0301", "credential-new"), "credential-value"),
    Dialog("manager", "/people", "grant", ("holder-r-a0301", "grant-new"), "grant-send"),
    Dialog("manager", "/people", "block", ("css:.people [role=group] .chip:nth-child(2)", "block-new"), "block-value"),
    Dialog("admin", "/accounts", "account-new", ("account-new",), "account-send"),
    Dialog("gateway", "/site-accounts", "lock", ("held-lock-guard",), "css:.form-dialog"),
    Dialog("gateway", "/alarms", "alarm", ("css:[data-testid=alarm] .plain",), "alarm-peek"),
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def busy(demo: Demo) -> Iterator[Demo]:
    """The demo with something on every page: entries, a blocked car, an alarm, its ticket."""
    for plate in (RESIDENT_PLATE, BLOCKED_PLATE):
        eventually(lambda: demo.sim.get("/sim/devices")["lanes"]["gate-in"]["barrier"] == "down", within_s=40)
        demo.sim.post("/sim/lanes/gate-in/drive-up", {"plate": plate})
    demo.sim.post("/sim/readers/lobby-a-in/present", {"card": RESIDENT_CARD})
    demo.sim.post("/sim/faults", {"device": "pump-2", "fault": "trip"})
    try:
        eventually(lambda: demo.hub("maintenance").get("/api/tickets", site="demo")["items"], within_s=40)
        yield demo
    finally:
        demo.sim.client.delete("/sim/faults")


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("role", ["guard", "maintenance", "installer", "manager", "admin"])
def test_every_page(busy: Demo, browser: Browser, role: str, form: Form) -> None:
    found: list[str] = []
    screen = opened(browser, busy.info["hub_url"], form)
    if role == "guard":
        found += looked_at(screen.page, "sign-in", form)
    screen.sign_in(busy.info["accounts"][role])
    for path in paths(screen.page):
        screen.page.goto(f"{busy.info['hub_url']}{path}")
        settled(screen.page)
        name = f"{role}-{path.strip('/').replace('/', '-')}"
        found += looked_at(screen.page, name, form)
        found += dialogs_over(screen, role, path, form)
    screen.close()
    assert found == [], "\n".join(found)


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_every_page_of_a_gateway(busy: Demo, browser: Browser, form: Form) -> None:
    found: list[str] = []
    screen = opened(browser, busy.info["gateway_url"], form)
    screen.sign_in(busy.info["accounts"]["manager"])
    for path in paths(screen.page):
        screen.page.goto(f"{busy.info['gateway_url']}{path}")
        settled(screen.page)
        found += looked_at(screen.page, f"gateway-{path.strip('/')}", form)
        found += dialogs_over(screen, "gateway", path, form)
    screen.close()
    assert found == [], "\n".join(found)


def opened(browser: Browser, url: str, form: Form) -> Screen:
    """The console at `url`, before anybody has signed in."""
    screen = Screen(browser, url, form.language, size=SIZES[form.size])
    screen.page.evaluate(
        "([theme, language]) => { localStorage.setItem('gatehouse.theme', theme);"
        " localStorage.setItem('gatehouse.language', language); }",
        [form.theme, form.language],
    )
    screen.page.reload()
    screen.at("sign-in-submit").wait_for()
    return screen


def paths(page: Page) -> list[str]:
    """What the navigation leads to, and the tickets and things that stand there."""
    if page.get_by_test_id("nav-more").count():
        page.get_by_test_id("nav-more").click()
        page.wait_for_timeout(300)
    found = page.eval_on_selector_all("[data-testid^=nav-]", "all => all.map((one) => one.dataset.testid.slice(4))")
    if page.get_by_test_id("nav-more").count():
        page.keyboard.press("Escape")
    listed = [f"/{name}" for name in dict.fromkeys(found) if name != "more"]
    return [*listed, "/me", "/nowhere"]


def settled(page: Page) -> None:
    """What is live is there, and nothing moves any more."""
    page.locator('[data-testid=shell][data-link="live"]').wait_for()
    page.wait_for_timeout(600)


def dialogs_over(screen: Screen, role: str, path: str, form: Form) -> list[str]:
    """What is found with each of a page's dialogs open, each over the page as it is at first."""
    found: list[str] = []
    for dialog in DIALOGS:
        if (dialog.role, dialog.page) == (role, path):
            found += opened_over(screen, dialog, f"{role}-{path.strip('/')}-{dialog.name}", form)
            screen.page.goto(f"{screen.url.rstrip('/')}{path}")
            settled(screen.page)
    return found


def opened_over(screen: Screen, dialog: Dialog, name: str, form: Form) -> list[str]:
    """What is found with a dialog open."""
    for tab in ("lanes", "doors", "alarms"):  # a phone shows one panel at a time
        if ":" in dialog.by[0] or one(screen, dialog.by[0]).is_visible() or not screen.at(f"guard-tab-{tab}").count():
            break
        screen.at(f"guard-tab-{tab}").click()
    for step in dialog.by:
        taken(screen, step)
    one(screen, dialog.shows).wait_for()
    screen.page.wait_for_timeout(500)
    return looked_at(screen.page, name, form)


def taken(screen: Screen, step: str) -> None:
    """One step of a dialog's way."""
    how, _, what = step.partition(":")
    if how == "key":
        screen.page.keyboard.press(what)
    elif how == "text":
        screen.page.keyboard.type(what)
    elif how == "if":
        screen.page.wait_for_timeout(800)
        if one(screen, what).is_visible():
            one(screen, what).click()
            one(screen, what).wait_for(state="hidden")
    else:
        one(screen, step).click()


def one(screen: Screen, what: str) -> Locator:
    """The first of what a test id names, or `css:` selects."""
    found = screen.page.locator(what[4:]) if what.startswith("css:") else screen.at(what)
    return found.first


def looked_at(page: Page, name: str, form: Form) -> list[str]:
    """A picture of it; what axe finds, and whether anything is wider than the screen."""
    folder = SCREENS / "pages" / str(form)
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{re.sub('[^a-z0-9-]+', '-', name)}.png")
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE)
    answer: dict[str, Any] = page.evaluate(
        "(tags) => axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})", RULES
    )
    found = [
        f"{name} {form}: {one['id']}: {node['target']} {node['failureSummary'][:200]}"
        for one in answer["violations"]
        for node in one["nodes"][:3]
    ]
    wide = page.evaluate("document.documentElement.scrollWidth")
    if wide > SIZES[form.size]["width"]:
        found.append(f"{name} {form}: {wide} px wide")
    return found

"""Every page and dialog, as every role: nothing that can be measured is wrong with it, and a picture of each.

Both languages, light and dark, four sizes: sixteen forms, in six walks (`make pages`); in `make test` what is looked at
most. The pictures lie in `var/screens/pages/`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Locator, Page, Route
from playwright.sync_api import Error as PlaywrightError

from tests.journeys import looking
from tests.journeys.browser import SCREENS, Screen, chromium
from tests.journeys.holding import wire
from tests.journeys.running import BLOCKED_PLATE, RESIDENT_CARD, RESIDENT_PLATE, Demo, eventually

pytestmark = pytest.mark.browser

SIZES = {
    "wide": {"width": 1920, "height": 1080},
    "desk": {"width": 1440, "height": 900},
    "tablet": {"width": 1024, "height": 768},
    "phone": {"width": 360, "height": 740},
}


class Walk(NamedTuple):
    """A way through all pages. What is larger only, or darker, is looked at on the way."""

    language: str
    size: str

    def __str__(self) -> str:
        return f"{self.language}-{self.size}"

    @property
    def form(self) -> str:
        return f"{self.language}-light-{self.size}"

    @property
    def sizes(self) -> tuple[str, ...]:
        return ("desk", "wide") if self.size == "desk" else (self.size,)


WALKS = [Walk(language, size) for language in ("zh", "en") for size in ("desk", "tablet", "phone")]


SEEN: set[tuple[Walk, str]] = set()
"""What was looked at already, of each walk."""


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
    Dialog("guard", "/guard", "leave", ("key:n", "text:8", "key:Escape"), "css:.el-message-box"),
    Dialog("guard", "/history", "entry-page", ("entry-who", "peek-page"), "page-of-entry"),
    Dialog("guard", "/alarms", "alarm-page", ("css:[data-testid=alarm] .plain", "peek-page"), "page-of-alarm"),
    Dialog(
        "maintenance",
        "/devices",
        "device-page",
        ("css:[data-testid=device-pump-2] .plain", "peek-page"),
        "page-of-device",
    ),
    Dialog(
        "maintenance",
        "/points",
        "point-page",
        ("points-search", "text:pump-2", "point-pump-2.flow", "peek-page"),
        "page-of-point",
    ),
    Dialog("maintenance", "/tickets", "ticket-peek", ("tickets-as-list", "ticket"), "peek"),
    Dialog("manager", "/people", "holder-page", ("holder-r-a0301", "peek-page"), "page-of-person"),
    Dialog("guard", "/history", "account", ("account-menu",), "my-account"),
    Dialog("guard", "/history", "password", ("account-menu", "change-password"), "css:.form-dialog"),
    Dialog("guard", "/history", "entry", ("entry-who",), "entry-peek"),
    Dialog("guard", "/alarms", "alarm", ("css:[data-testid=alarm] .plain",), "alarm-peek"),
    Dialog("guard", "/alarms", "together", ("css:tbody [data-testid=alarm-box]", "alarms-act-ack"), "alarms-together"),
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


@pytest.mark.parametrize(
    ("role", "walk", "names"),
    [
        ("guard", Walk("zh", "phone"), ["open", "entry"]),
        ("manager", Walk("en", "desk"), ["holder", "credential"]),
    ],
)
def test_what_is_looked_at_most(busy: Demo, browser: Browser, role: str, walk: Walk, names: list[str]) -> None:
    found: list[str] = []
    dialogs = [dialog for dialog in DIALOGS if dialog.role == role and dialog.name in names][:2]
    screen = opened(browser, busy.info["hub_url"], walk)
    screen.sign_in(busy.info["accounts"][role])
    screen.page.goto(f"{busy.info['hub_url']}{dialogs[0].page}")
    settled(screen.page)
    found += looked_at(screen.page, f"{role}-{dialogs[0].page.strip('/')}", walk, (walk.size,))
    for dialog in dialogs:
        found += opened_over(screen, dialog, f"{role}-{dialog.page.strip('/')}-{dialog.name}", walk)
        back_to(screen, dialog.page)
    screen.close()
    assert found == [], "\n".join(found)


@pytest.mark.pages
@pytest.mark.parametrize("walk", WALKS, ids=str)
@pytest.mark.parametrize("role", ["guard", "maintenance", "installer", "manager", "admin"])
def test_every_page(busy: Demo, browser: Browser, role: str, walk: Walk) -> None:
    found: list[str] = []
    screen = opened(browser, busy.info["hub_url"], walk)
    if role == "guard":
        found += looked_at(screen.page, "sign-in", walk)
    screen.sign_in(busy.info["accounts"][role])
    for path in paths(screen.page):
        screen.page.goto(f"{busy.info['hub_url']}{path}")
        settled(screen.page)
        name = f"{role}-{path.strip('/').replace('/', '-')}"
        found += looked_at(screen.page, name, walk)
        if walk == WALKS[0]:
            found += [f"{name}: {each}" for each in looking.lost_on_the_way(screen.page)]
        found += dialogs_over(screen, role, path, walk)
    screen.close()
    assert found == [], "\n".join(found)


@pytest.mark.pages
@pytest.mark.parametrize("walk", WALKS, ids=str)
def test_every_page_of_a_gateway(busy: Demo, browser: Browser, walk: Walk) -> None:
    found: list[str] = []
    screen = opened(browser, busy.info["gateway_url"], walk)
    screen.sign_in(busy.info["accounts"]["manager"])
    for path in paths(screen.page):
        screen.page.goto(f"{busy.info['gateway_url']}{path}")
        settled(screen.page)
        found += looked_at(screen.page, f"gateway-{path.strip('/')}", walk)
        found += dialogs_over(screen, "gateway", path, walk)
    screen.close()
    assert found == [], "\n".join(found)


@pytest.mark.pages
@pytest.mark.parametrize("walk", WALKS, ids=str)
def test_every_page_that_knows_nothing_new(busy: Demo, browser: Browser, walk: Walk) -> None:
    """Over a dead wire: what is grey can be read too, and all that the strip has to say is there."""
    found: list[str] = []
    with wire(busy.info["hub_url"]) as between:
        screen = opened(browser, between.url, walk)
        # With the wire, three lines for the strip: one more than it has room for.
        screen.page.evaluate("localStorage.setItem('gatehouse.sound', 'off')")
        screen.page.reload()
        screen.page.route("**/api/session", weak)
        screen.sign_in(busy.info["accounts"]["guard"])
        pages = ["guard", "alarms", "history", "tickets"]
        for page in pages:  # what draws them is there when nothing comes any more
            screen.at(f"nav-{page}").click()
            settled(screen.page)
        between.dead.set()
        screen.page.locator('[data-banner="link-lost"]').wait_for()
        for page in pages:
            screen.at(f"nav-{page}").click()
            screen.page.wait_for_timeout(500)
            found += looked_at(screen.page, f"stale-{page}", walk)
        screen.at("strip-more").click()
        screen.page.wait_for_timeout(300)
        found += looked_at(screen.page, "stale-strip", walk)
        between.dead.clear()
        screen.close()
    assert found == [], "\n".join(found)


def weak(route: Route) -> None:
    """The session as of somebody whose password should be changed: one line more for the strip."""
    answer = route.fetch()
    told = answer.json() if answer.status < 300 and answer.body() else None
    route.fulfill(response=answer, json={**told, "weak_password": True}) if told else route.fulfill(response=answer)


def opened(browser: Browser, url: str, walk: Walk) -> Screen:
    """The console at `url`, before anybody has signed in."""
    screen = Screen(browser, url, walk.language, size=SIZES[walk.size])
    screen.page.set_default_timeout(60_000)
    screen.page.evaluate("(language) => localStorage.setItem('gatehouse.language', language)", walk.language)
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
    page.wait_for_timeout(400)


def dialogs_over(screen: Screen, role: str, path: str, walk: Walk) -> list[str]:
    """What is found with each of a page's dialogs open, each over the page as it is at first."""
    found: list[str] = []
    for dialog in DIALOGS:
        if (dialog.role, dialog.page) == (role, path):
            name = f"{role}-{path.strip('/')}-{dialog.name}"
            found += opened_over(screen, dialog, name, walk)
            if walk == WALKS[0] and not dialog.shows.startswith("page-of-"):
                found += [f"{name}: {each}" for each in looking.lost_after_escape(screen.page)]
            back_to(screen, path)
    return found


def back_to(screen: Screen, path: str) -> None:
    """The page as it is at first: what is open is closed, or else it is loaded again."""
    for _ in range(3):
        if looking.bare(screen.page, path):
            return
        screen.page.keyboard.press("Escape")
        screen.page.wait_for_timeout(250)
    screen.page.goto(f"{screen.url.rstrip('/')}{path}")
    settled(screen.page)


def opened_over(screen: Screen, dialog: Dialog, name: str, walk: Walk) -> list[str]:
    """What is found with a dialog open."""
    for tab in ("lanes", "doors", "alarms"):  # a phone shows one panel at a time
        if ":" in dialog.by[0] or one(screen, dialog.by[0]).is_visible() or not screen.at(f"guard-tab-{tab}").count():
            break
        screen.at(f"guard-tab-{tab}").click()
    try:
        for step in dialog.by:
            taken(screen, step)
        one(screen, dialog.shows).wait_for()
    except PlaywrightError as error:  # what else is wrong is worth knowing too
        return [f"{name} {walk}: did not open: {str(error).splitlines()[0]}"]
    screen.page.wait_for_timeout(300)
    return looked_at(screen.page, name, walk, (walk.size,))


def taken(screen: Screen, step: str) -> None:
    """One step of a dialog's way."""
    how, _, what = step.partition(":")
    if how == "key":
        screen.page.keyboard.press(what)
    elif how == "text":
        screen.page.wait_for_function("() => document.activeElement.matches('input, textarea')")
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


def looked_at(page: Page, name: str, walk: Walk, sizes: tuple[str, ...] = ()) -> list[str]:
    """Pictures of it, and what is wrong with it in each of a walk's forms; `sizes`: in these alone."""
    made = (walk, looking.made_of(page))
    if made in SEEN:
        return []  # for another role, and the same
    SEEN.add(made)
    found: list[str] = []
    file = f"{re.sub('[^a-z0-9-]+', '-', name)}.png"
    for size in sizes or walk.sizes:
        page.set_viewport_size(SIZES[size])  # type: ignore[arg-type]
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            page.wait_for_timeout(120)  # until it is drawn so
            form = f"{walk.language}-{theme}-{size}"
            page.screenshot(path=SCREENS / "pages" / form / file)
            # The first form shows how it is made; what differs in the others are colours and room.
            wrong = looking.violations(page, colours=form != walk.form)
            wrong += looking.wider_than_its_room(page) if theme == "light" else []
            found += [f"{name} {form}: {each}" for each in wrong]
    page.emulate_media(color_scheme="light")
    wrong = []
    if walk.size == "phone":
        wrong += looking.small_for_a_thumb(page)
        page.set_viewport_size({"width": looking.NARROWEST, "height": 512})
        wrong += [f"at {looking.NARROWEST} px: {each}" for each in looking.wider_than_its_room(page)]
    page.set_viewport_size(SIZES[walk.size])  # type: ignore[arg-type]
    return found + [f"{name} {walk}: {each}" for each in wrong]

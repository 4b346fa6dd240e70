"""What is wrong with a page as it stands in a browser, as far as that can be measured.

Each check answers with one line for each thing that it found, none when all is well, and names what it found by its
test id, or as well as it can.
"""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from tests.journeys.running import ROOT

AXE = (ROOT / "web" / "console" / "node_modules" / "axe-core" / "axe.min.js").read_text()
SCRIPT = (ROOT / "tests" / "journeys" / "looking.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OF_COLOURS = ["color-contrast", "link-in-text-block"]

THUMB = 44
"""CSS pixels that a thumb needs, of the house: WCAG 2.2 asks for 24 (2.5.8)."""

NARROWEST = 320
"""CSS pixels: what remains of 1280 at 400 % (WCAG 1.4.10)."""


def violations(page: Page, *, colours: bool = False) -> list[str]:
    """What axe finds: the rules of WCAG 2.2 A and AA, and its own best practice; `colours`: those of colours alone."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE)
    only = {"type": "rule", "values": OF_COLOURS} if colours else {"type": "tag", "values": RULES}
    answer: dict[str, Any] = page.evaluate(
        "(only) => axe.run(document, {runOnly: only, resultTypes: ['violations']})", only
    )
    return [
        f"{one['id']}: {node['target']} {' '.join(node['failureSummary'].split())[:200]}"
        for one in answer["violations"]
        for node in one["nodes"][:3]
    ]


def bare(page: Page, path: str) -> bool:
    """Whether nothing is open over the page at `path`, and nothing set on it."""
    return bool(_measured(page, f"bare({path!r})"))


def made_of(page: Page) -> str:
    """The same for two pages that differ in their data alone."""
    return str(_measured(page, "made()"))


def wider_than_its_room(page: Page) -> list[str]:
    """What has to be scrolled sideways, and was not meant to: neither a table nor a phone's row of chips."""
    return list(_measured(page, "wide()"))


def small_for_a_thumb(page: Page) -> list[str]:
    """What is pressed and gives a thumb fewer than `THUMB` pixels."""
    return list(_measured(page, f"small({THUMB})"))


def lost_on_the_way(page: Page, most: int = 70) -> list[str]:
    """What Tab comes to and does not show that it has come: no ring, or out of sight."""
    found: dict[str, None] = {}
    keys: set[str] = set()
    for _ in range(most):
        page.keyboard.press("Tab")
        at = _measured(page, "at()")
        if at is None or at["key"] in keys:
            break
        keys.add(at["key"])
        if not at["shows"]:
            found[f"no ring: {at['name']}"] = None
        if not at["inSight"]:
            found[f"focused out of sight: {at['name']}"] = None
    return list(found)


def lost_after_escape(page: Page) -> list[str]:
    """Whether Escape closes what is open, and leaves the focus nowhere."""
    page.keyboard.press("Escape")
    page.wait_for_timeout(400)
    return [] if _measured(page, "at()") else ["Escape leaves the focus nowhere"]


def _measured(page: Page, call: str) -> Any:
    """What a function of `looking.js` answers."""
    if not page.evaluate("() => 'looking' in window"):
        page.evaluate(SCRIPT)
    return page.evaluate(f"() => looking.{call}")

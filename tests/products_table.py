"""The page of real products, `docs/products.md`, written from the profiles: `python -m tests.products_table`."""

from __future__ import annotations

from pathlib import Path

from drivers.profiles.files import load_all
from drivers.profiles.profile import Profile

PLACEHOLDERS = frozenset({"generic_level_485"})
"""Described from vendors' papers, but a class of devices and no one product."""

_WIRES = {
    "modbus": "Modbus RTU/TCP",
    "osdp": "OSDP",
    "dlt645": "DL/T 645",
    "cjt188": "CJ/T 188",
    "mbus": "M-Bus",
    "dlt698": "DL/T 698.45",
    "line": "text lines",
    "mqtt": "MQTT",
    "http-push": "HTTP push",
    "camera-http": "HTTP",
}


def real_products() -> list[Profile]:
    """Profiles of products that somebody sells: not our own formats, not classes of devices."""
    found = [
        profile
        for profile in load_all().values()
        if profile.vendor and profile.confidence != "own" and profile.id not in PLACEHOLDERS
    ]
    return sorted(found, key=lambda profile: (profile.kind, profile.id))


def table() -> str:
    """The rows, in Markdown."""
    rows = ["| kind | product | profile | wire | transformers | confidence | source |", "|---|---|---|---|---|---|---|"]
    for profile in real_products():
        source = profile.sources[0].split(", which")[0].replace("|", "/")
        vendor = profile.vendor.split(" ")[0]
        name = profile.name.en if vendor.lower() in profile.name.en.lower() else f"{vendor}: {profile.name.en}"
        rows.append(
            f"| {profile.kind.replace('_', ' ')} | {name} | `{profile.id}` | {_WIRES[profile.protocol]} "
            f"| {profile.transformers or ''} | {profile.confidence} | {source} |"
        )
    return "\n".join(rows)


PAGE = Path(__file__).parent.parent / "docs" / "products.md"

HEAD = """# Products

Every product that a profile describes (`drivers/profiles`), how well its facts are founded, and where they come from.
Classes of devices and our own formats are not listed. This page is written by `python -m tests.products_table`.

| confidence | what it says |
|---|---|
| vendor-doc | from the maker's own paper |
| oss-tested | from an open driver that is used on the real product |
| oss | from open drivers or documentation |
| partial | a part of the facts is missing or not confirmed |

| transformers | what an electricity meter's values are |
|---|---|
| none | it is connected directly: what flows |
| primary | the ratio is set in the meter, which multiplies by it: what flows |
| ratio | the secondary side; the gateway multiplies by the ratios that the meter or the site file tells |
| unknown | it can stand behind transformers, which side it tells is not known: bad until the site file says the ratio |

"""


def page() -> str:
    """The whole page."""
    return HEAD + table() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

"""The table of real products for the README: `python -m tests.products_table` prints it from the profiles."""

from __future__ import annotations

from drivers.profiles import Profile, load_all

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
    rows = ["| kind | product | profile | wire | confidence | source |", "|---|---|---|---|---|---|"]
    for profile in real_products():
        source = profile.sources[0].split(", which")[0].replace("|", "/")
        vendor = profile.vendor.split(" ")[0]
        name = profile.name.en if vendor.lower() in profile.name.en.lower() else f"{vendor}: {profile.name.en}"
        rows.append(
            f"| {profile.kind.replace('_', ' ')} | {name} | `{profile.id}` | {_WIRES[profile.protocol]} "
            f"| {profile.confidence} | {source} |"
        )
    return "\n".join(rows)


if __name__ == "__main__":
    print(table())

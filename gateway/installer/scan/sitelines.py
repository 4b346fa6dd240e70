"""Lines for a site file, ready to be pasted. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from drivers.protocols import BUSES
from drivers.searching import Setting

_NUMBER = re.compile(r"[-+]?(\d[\d_]*(\.\d*)?|\.\d+)([eE][-+]?\d+)?|0x[0-9a-fA-F]+|\d+(:\d+)+")
"""Words that YAML would take for numbers."""


class Place(NamedTuple):
    """A device found: its product (None: not recognised), whatever addresses it (`{"unit": 3}`), whether it is sure."""

    profile: str | None
    kind: str
    address: Mapping[str, object]
    sure: bool = True


def serial_bus(kind: str, port: str, setting: Setting) -> dict[str, object]:
    """A serial bus; what is the file's default anyway is left out."""
    words = BUSES[kind].model_fields
    said = setting._asdict()
    return {"kind": kind, "port": port} | {
        word: value for word, value in said.items() if word in words and value != words[word].default
    }


def tcp_bus(kind: str, host: str, port: int) -> dict[str, object]:
    """A bus on the network."""
    usual = BUSES[kind].model_fields["port"].default
    return {"kind": kind, "host": host} | ({} if port == usual else {"port": port})


def lines(
    buses: Mapping[str, tuple[Mapping[str, object], Sequence[Place]]], unsure: str, taken: Collection[str] = ()
) -> list[str]:
    """The parts `buses:` and `devices:` of what was found, by the id for each bus.

    `unsure`: what is noted at a product that needs a second look; `taken`: ids that the file has already.
    """
    said = ["buses:", *(f"  {id}: {_flow(bus)}" for id, (bus, _) in buses.items()), "devices:"]
    used = {*taken, *buses}
    for id, (_, places) in buses.items():
        for place in places:
            name = _free(place.kind or "device", used)
            used.add(name)
            note = "" if place.sure else f"    # {unsure}"
            said.append(f"  {name}: " + _flow({"profile": place.profile or "???", "bus": id, **place.address}) + note)
    return said


def _free(kind: str, used: Collection[str]) -> str:
    stem = {"electricity_meter": "meter", "water_meter": "water", "relay": "relay"}.get(kind, kind.replace("_", "-"))
    number = 1
    while f"{stem}-{number}" in used:
        number += 1
    return f"{stem}-{number}"


def _flow(fields: Mapping[str, object]) -> str:
    return "{" + ", ".join(f"{key}: {_scalar(value)}" for key, value in fields.items()) + "}"


def _scalar(value: object) -> str:
    """As YAML reads it back: words that it would take for numbers or flags are quoted."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if isinstance(value, str) and (
        _NUMBER.fullmatch(text)
        or text.lower() in {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", ""}
        or re.search(r"[:#{}\[\],&*?|<>=!%@`'\"\s]", text)
    ):
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return text

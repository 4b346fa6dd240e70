"""Lines for a site file, ready to be pasted. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from gateway.tools.sweeps import Setting


class Place(NamedTuple):
    """A device found: its product (None: not recognised) and whatever addresses it (`{"unit": 3}`)."""

    profile: str | None
    kind: str
    address: Mapping[str, Any]


def serial_bus(kind: str, port: str, setting: Setting) -> dict[str, Any]:
    """A serial bus; what is the file's default anyway is left out."""
    usual_baud, usual_parity = (2400, "E") if kind.startswith("meter") else (9600, "N")
    bus: dict[str, Any] = {"kind": kind, "port": port}
    if setting.baud != usual_baud:
        bus["baud"] = setting.baud
    if setting.parity != usual_parity and not kind.startswith("osdp"):
        bus["parity"] = setting.parity
    if setting.stop_bits != 1:
        bus["stop_bits"] = setting.stop_bits
    return bus


def tcp_bus(kind: str, host: str, port: int) -> dict[str, Any]:
    """A bus on the network."""
    bus: dict[str, Any] = {"kind": kind, "host": host}
    if kind != "modbus-tcp" or port != 502:
        bus["port"] = port
    return bus


def lines(bus_id: str, bus: Mapping[str, Any], places: Sequence[Place], taken: Collection[str] = ()) -> list[str]:
    """The parts `buses:` and `devices:` of what was found. `taken`: ids that the file has already."""
    said = ["buses:", f"  {bus_id}: {_flow(bus)}", "devices:"]
    used = set(taken) | {bus_id}
    for place in places:
        id_ = _free(place.kind or "device", used)
        used.add(id_)
        said.append(f"  {id_}: " + _flow({"profile": place.profile or "???", "bus": bus_id, **place.address}))
    return said


def _free(kind: str, used: Collection[str]) -> str:
    stem = {"electricity_meter": "meter", "water_meter": "water", "relay": "relay"}.get(kind, kind.replace("_", "-"))
    number = 1
    while f"{stem}-{number}" in used:
        number += 1
    return f"{stem}-{number}"


def _flow(fields: Mapping[str, Any]) -> str:
    return "{" + ", ".join(f"{key}: {_scalar(value)}" for key, value in fields.items()) + "}"


def _scalar(value: Any) -> str:
    """As YAML reads it back: words that it would take for numbers or flags are quoted."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if isinstance(value, str) and (
        re.fullmatch(r"[-+.\d][\d._eExa-fA-F:]*", text)
        or text.lower() in {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", ""}
        or re.search(r"[:#{}\[\],&*?|<>=!%@`'\"\s]", text)
    ):
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return text

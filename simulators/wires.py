"""Every wire of a site, opened on this machine, and the file that tells a gateway where they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from simulators.ends import Ends, Setting, Wire
from simulators.protocols import PROTOCOLS
from simulators.site import SimSite

Known = dict[str, dict[str, Any]]
"""Bus → the fields of the site file's bus that are different here."""


class WiresFault(ValueError):
    """A wires file that cannot be used; says which and why."""


def read_wires(path: Path | None) -> Known:
    """A wires file; empty if there is none. `WiresFault` if it is no such file."""
    if path is None or not path.exists():
        return {}
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as wrong:
        raise WiresFault(f"{path} is no wires file: {wrong}") from wrong
    if not isinstance(document, dict) or not all(isinstance(entry, dict) for entry in document.values()):
        raise WiresFault(f"{path} is no wires file: an object of objects is expected")
    return document


def write_wires(path: Path, known: Known) -> None:
    """Writes the file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(known, indent=2, ensure_ascii=False), encoding="utf-8")
    part.replace(path)


def wires_of(site: SimSite, known: Known, folder: Path, gateway_url: str, *, paced: bool) -> dict[str, Wire]:
    """A wire for every bus of the site that devices hang on. `known`: buses that exist already (MQTT brokers)."""
    wires: dict[str, Wire] = {}
    for id_, bus in site.site.buses.items():
        on_bus = [device.id for device in site.devices.values() if device.config.bus == id_]
        if on_bus:
            wires[id_] = WIRES[bus.kind](
                Setting(id_, bus, on_bus, site, known.get(id_, {}), folder, gateway_url, paced)
            )
    return wires


WIRES: Mapping[str, Callable[[Setting], Wire]] = {
    kind: make for protocol in PROTOCOLS.values() for kind, make in protocol.part("wires", Ends).wires.items()
}
"""By the kind of a bus of the site file: the other end of such a wire."""

"""The protocols: one line each. What a protocol is, its folder says, in parts that are loaded when they are needed.

A folder has `wires` (what a site file says of its wires) and `form` (what the file of a product says), neither of which
loads a driver; `opening` opens its wires. Where an installer can search for it, `search` says how; where it can be
understood by listening, `listen` does. On a shared line (`drivers.meters`) `station` is one device.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import NamedTuple, TypeVar

from drivers.wiring import BusPart, Wires

Part = TypeVar("Part")


class Protocol(NamedTuple):
    """A protocol. `folder`: the package that knows it."""

    folder: str

    @property
    def wires(self) -> Wires:
        """How its products hang on wires."""
        return self.part("wires", Wires)

    def has(self, name: str) -> bool:
        """Whether it has a part of this name."""
        return find_spec(f"{self.folder}.{name}") is not None

    def part(self, name: str, kind: type[Part]) -> Part:
        """What its module `name` offers under that name in capitals."""
        found = getattr(import_module(f"{self.folder}.{name}"), name.upper())
        assert isinstance(found, kind)
        return found


PROTOCOLS: Mapping[str, Protocol] = {
    "modbus": Protocol("drivers.modbus"),
    "dlt645": Protocol("drivers.dlt645"),
    "cjt188": Protocol("drivers.cjt188"),
    "mbus": Protocol("drivers.mbus"),
    "dlt698": Protocol("drivers.dlt698"),
    "osdp": Protocol("drivers.osdp"),
    "line": Protocol("drivers.lines"),
    "mqtt": Protocol("drivers.mqtt"),
    "http-push": Protocol("drivers.camera.push"),
    "camera-http": Protocol("drivers.camera.stream"),
}
"""By the word for it in a product's file, in the order in which an installer's search asks."""


def having(part: str) -> Mapping[str, Protocol]:
    """The protocols whose folder has a part of this name."""
    return {name: protocol for name, protocol in PROTOCOLS.items() if protocol.has(part)}


BUSES: Mapping[str, type[BusPart]] = {
    bus.named(): bus for protocol in PROTOCOLS.values() for bus in protocol.wires.buses
}
"""The buses that a site file can have, by their `kind`. Several protocols may share one."""

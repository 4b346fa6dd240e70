"""The devices' end of a wire: what each protocol's `wires` fills in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from drivers.wiring import BusPart
from simulators.site import SimSite

Part = TypeVar("Part", bound=BusPart)


class Wire(Protocol):
    """One wire, seen from the devices' end."""

    id: str

    async def open(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Opens it, where it was `before` if that is free; its entry in the wires file."""

    async def attend(self) -> None:
        """Called after each step of the world: follows faults, fetches what happened."""

    async def close(self) -> None:
        """Takes it away."""


class Setting(NamedTuple):
    """What a simulated wire gets. `on_bus`: its devices; `known`: its entry among the wires that exist already."""

    id: str
    bus: BusPart
    on_bus: list[str]
    site: SimSite
    known: Mapping[str, Any]
    folder: Path
    gateway_url: str
    paced: bool

    def part(self, kind: type[Part]) -> Part:
        """The bus, which is one of this kind."""
        assert isinstance(self.bus, kind)
        return self.bus


class Ends(NamedTuple):
    """The other end of a protocol's wires, by the kind of a bus of the site file."""

    wires: Mapping[str, Callable[[Setting], Wire]]

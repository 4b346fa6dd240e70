"""The devices' end of a wire: what each protocol's `wires` fills in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable

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


class NobodyListens(ConnectionError):
    """The gateway is not connected: a card that is presented now is seen by nobody."""


@runtime_checkable
class ReadsCards(Protocol):
    """A wire with readers."""

    async def present(self, reader: str, card: str) -> bool:
        """Shows a card; whether its bytes went out. `CannotRead` if the reader reads no such card, `NobodyListens`."""


@runtime_checkable
class HasKeypads(Protocol):
    """A wire with readers that have keys."""

    def type_keys(self, reader: str, keys: str) -> bool:
        """Types at a reader's keypad; whether the reader keeps it for the gateway."""


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

"""What a driver gets to open a wire: the parts of the site file by their shape, and what it needs of the gateway."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import tzinfo
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from drivers.bus import Bus
from drivers.errors import DriverError
from drivers.profiles.profile import Profile
from drivers.reports import Sink
from drivers.secrecy import password_in
from drivers.wiring import BusPart, Installed

Devices = Mapping[str, tuple[Installed, Profile]]
Clock = Callable[[], int]
"""Unix milliseconds."""


class Gateway(NamedTuple):
    """What every wire needs of the gateway. `folder`: where passwords and keys are; `zone`: the site's time zone."""

    sink: Sink
    clock: Clock
    folder: Path
    zone: tzinfo | None = None


Part = TypeVar("Part", bound=BusPart)


class WrongInstallation(DriverError):
    """The site file asks for something that no driver can do; the validator of site files says so earlier."""


def password_of(gateway: Gateway, file: str | None) -> str | None:
    """The content of a password file, None if none is named. Raises `OSError` in plain words."""
    return None if file is None else password_in(gateway.folder, file)


class Opening(Generic[Part]):
    """What opens buses of a protocol. `parts`: their shapes; `open_wire`: the owner of one, not yet running."""

    def __init__(self, parts: tuple[type[Part], ...], open_wire: Callable[[str, Part, Devices, Gateway], Bus]) -> None:
        self._parts = parts
        self._open_wire = open_wire

    def __call__(self, id: str, bus: BusPart, devices: Devices, gateway: Gateway) -> Bus:
        """Raises `WrongInstallation`."""
        if not isinstance(bus, self._parts):
            raise WrongInstallation(f"{id}: no driver for a bus of kind {bus.kind}")
        return self._open_wire(id, bus, devices, gateway)

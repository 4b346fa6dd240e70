"""Opens the buses of a site. A driver is imported when a site has a wire for it: gateways are small machines."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from importlib import import_module
from pathlib import Path
from typing import TypeVar

from drivers.bus import Bus
from drivers.installed import Clock, Gateway, Opening, WrongInstallation
from drivers.profiles.profile import Profile
from drivers.protocols import BUSES
from drivers.reports import Sink
from drivers.wiring import BusPart, Installed

Part = TypeVar("Part", bound=Installed)


def open_bus(
    id: str,
    bus: BusPart,
    devices: Mapping[str, tuple[Part, Profile]],
    *,
    sink: Sink,
    clock: Clock,
    folder: Path | None = None,
    zone: tzinfo | None = None,
) -> Bus:
    """The owner of a wire, not yet running. `folder`: where password files are; `zone`: the site's time zone, for
    clocks that are set.

    Raises `WrongInstallation`.
    """
    if bus.kind not in BUSES:
        raise WrongInstallation(f"{id}: no driver for a bus of kind {bus.kind}")
    for device, (_, profile) in devices.items():
        if bus.kind not in profile.bus_kinds:
            raise WrongInstallation(f"{device}: {profile.id} cannot hang on {id}, which is {bus.kind}")
    opening = import_module(bus.opening).OPENING
    assert isinstance(opening, Opening)
    return opening(id, bus, dict(devices), Gateway(sink, clock, folder or Path(), zone))

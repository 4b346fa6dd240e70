"""Opens the buses of a site: one explicit table from the kind that a site file names to the driver of such a wire.

A driver is imported when a site has a wire for it: gateways are small machines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import tzinfo
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from drivers.bus import Bus
from drivers.installed import Clock, Devices, Gateway, Installed, WrongInstallation
from drivers.profiles.profile import Profile
from drivers.reports import Sink

KINDS: Mapping[str, str] = {
    "modbus-tcp": "drivers.modbus.opening",
    "modbus-rtu": "drivers.modbus.opening",
    "modbus-rtu-tcp": "drivers.modbus.opening",
    "osdp-serial": "drivers.osdp.opening",
    "osdp-tcp": "drivers.osdp.opening",
    "meter-serial": "drivers.meters.opening",
    "meter-tcp": "drivers.meters.opening",
    "line-serial": "drivers.lines.opening",
    "line-tcp": "drivers.lines.opening",
    "mqtt": "drivers.mqtt.opening",
    "http-push": "drivers.camera.opening",
    "camera-http": "drivers.camera.opening",
}
"""Kinds of buses that a site file can name, and the module whose `open_wire` owns such a wire."""

Part = TypeVar("Part", bound=Installed)


def open_bus(
    id: str,
    bus: Any,
    devices: Mapping[str, tuple[Part, Profile]],
    *,
    sink: Sink,
    clock: Clock,
    folder: Path | None = None,
    zone: tzinfo | None = None,
) -> Bus:
    """The owner of a wire, not yet running. `bus`: a part of `config.site.AnyBus`. `folder`: where password files are;
    `zone`: the site's time zone, for clocks that are set.

    Raises `WrongInstallation`.
    """
    module = KINDS.get(bus.kind)
    if module is None:
        raise WrongInstallation(f"{id}: no driver for a bus of kind {bus.kind}")
    for device, (_, profile) in devices.items():
        if bus.kind not in profile.bus_kinds:
            raise WrongInstallation(f"{device}: {profile.id} cannot hang on {id}, which is {bus.kind}")
    open_wire: Callable[[str, Any, Devices, Gateway], Bus] = import_module(module).open_wire
    return open_wire(id, bus, dict(devices), Gateway(sink, clock, folder or Path(), zone))

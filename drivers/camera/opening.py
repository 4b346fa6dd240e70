"""Opens the place where pushes of cameras arrive."""

from __future__ import annotations

from typing import Any

from drivers.bus import Bus
from drivers.installed import Devices, Gateway
from drivers.push import PushBus


def open_wire(id: str, bus: Any, devices: Devices, gateway: Gateway) -> Bus:
    """The owner of a wire of kind `http-push`."""
    return PushBus(id, {name: profile for name, (_, profile) in devices.items()}, sink=gateway.sink)

"""Opens the place where pushes of cameras arrive."""

from __future__ import annotations

from drivers.bus import Bus
from drivers.camera.dialects import DIALECTS
from drivers.camera.push.bus import PushBus
from drivers.camera.push.wires import HttpPushBus
from drivers.installed import Devices, Gateway, Opening, WrongInstallation


def open_wire(id: str, bus: HttpPushBus, devices: Devices, gateway: Gateway) -> Bus:
    """The place where they are heard; the web server hands over what they push."""
    profiles = {name: profile for name, (_, profile) in devices.items()}
    for name, profile in profiles.items():
        if profile.dialect not in DIALECTS:
            raise WrongInstallation(f"{name}: nobody can read what {profile.id} pushes")
    return PushBus(id, profiles, sink=gateway.sink, clock=gateway.clock)


OPENING = Opening((HttpPushBus,), open_wire)

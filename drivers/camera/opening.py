"""Opens the place where pushes of cameras arrive, and the streams that are fetched from cameras."""

from __future__ import annotations

from typing import Any

from drivers.bus import Bus
from drivers.camera.dialects import DIALECTS
from drivers.installed import Devices, Gateway, WrongInstallation, password_of
from drivers.push import PushBus
from drivers.secrecy import tls_of


def open_wire(id: str, bus: Any, devices: Devices, gateway: Gateway) -> Bus:
    """The owner of a wire of kind `http-push` or `camera-http`."""
    profiles = {name: profile for name, (_, profile) in devices.items()}
    if bus.kind == "http-push":
        for name, profile in profiles.items():
            if profile.dialect not in DIALECTS:
                raise WrongInstallation(f"{name}: nobody can read what {profile.id} pushes")
        return PushBus(id, profiles, sink=gateway.sink, clock=gateway.clock)
    if len(profiles) != 1:
        raise WrongInstallation(f"{id}: one camera hangs on a wire of this kind, not {len(profiles)}")
    from drivers.camera.attach import AttachBus  # noqa: PLC0415 - httpx is loaded only where a camera is fetched

    [(camera, profile)] = profiles.items()
    return AttachBus(
        id,
        camera,
        profile,
        host=bus.host,
        port=bus.port,
        username=bus.username,
        password=lambda: password_of(gateway, bus.password_file),
        tls=lambda: tls_of(bus.tls, bus.ca_file, gateway.folder),
        sink=gateway.sink,
    )

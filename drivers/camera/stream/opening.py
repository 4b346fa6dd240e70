"""Opens the streams that are fetched from cameras."""

from __future__ import annotations

from drivers.bus import Bus
from drivers.camera.stream.bus import AttachBus
from drivers.camera.stream.wires import CameraHttpBus
from drivers.installed import Devices, Gateway, Opening, WrongInstallation, password_of
from drivers.secrecy import tls_of


def open_wire(id: str, bus: CameraHttpBus, devices: Devices, gateway: Gateway) -> Bus:
    """The owner of the one camera's stream."""
    if len(devices) != 1:
        raise WrongInstallation(f"{id}: one camera hangs on a wire of this kind, not {len(devices)}")
    [(camera, (_, profile))] = devices.items()
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


OPENING = Opening((CameraHttpBus,), open_wire)

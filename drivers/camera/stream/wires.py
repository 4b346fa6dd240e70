"""A camera whose stream is fetched, as a site file names it. Pure."""

from __future__ import annotations

from typing import Literal

from contract.texts import Text
from drivers.wiring import Port, TcpBus, Wires, alone


class CameraHttpBus(TcpBus):
    """One camera whose stream of events the gateway fetches over HTTP."""

    opening = "drivers.camera.stream.opening"

    kind: Literal["camera-http"]
    """What the wire carries."""
    host: str
    """Address or name of the camera."""
    port: Port = 80
    """Its HTTP port; with TLS mostly 443."""
    username: str | None = None
    """Where the camera asks for one."""
    password_file: str | None = None
    """A file that holds nothing but the password, relative to the gateway's data folder."""
    tls: bool = False
    """Speak TLS, and trust the authorities that this machine trusts."""
    ca_file: str | None = None
    """Speak TLS, and trust this authority (a PEM file, relative to the gateway's data folder)."""


WIRES = Wires(
    buses=(CameraHttpBus,),
    address=alone,
    twice=Text("线路 {bus} 只接一台相机，已有 {owner}", "{owner} is the one camera of {bus}"),
)

"""Where cameras push to, as a site file names it. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Literal

from contract.texts import Text
from drivers.profiles.head import Place
from drivers.wiring import BusPart, Wires


class HttpPushBus(BusPart):
    """Devices that push to the gateway's own port for them, under `/push/<device>`."""

    opening = "drivers.camera.push.opening"
    dialled = False

    kind: Literal["http-push"]
    """What the wire carries."""
    allow: list[str] = []
    """Ranges that pushes may come from (`192.168.10.0/24`); empty: this machine only."""

    def faults(self) -> Iterator[tuple[Place, Text]]:
        """Ranges that are none."""
        for index, text in enumerate(self.allow):
            try:
                ipaddress.ip_network(text)
            except ValueError:
                yield ("allow", index), Text("应为网段，如 192.168.10.0/24", "expected a range like 192.168.10.0/24")


WIRES = Wires(buses=(HttpPushBus,), speaks_first=True)

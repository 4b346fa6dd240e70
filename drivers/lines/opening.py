"""Opens wires with a line reader."""

from __future__ import annotations

from drivers.bus import Bus
from drivers.installed import Devices, Gateway, Opening, WrongInstallation
from drivers.lines.bus import LineBus
from drivers.lines.codec import as_installed
from drivers.lines.product import line_of
from drivers.lines.wires import SerialLineBus, TcpLineBus
from drivers.ports import SerialOpener, TcpOpener


def open_wire(id: str, bus: SerialLineBus | TcpLineBus, devices: Devices, gateway: Gateway) -> Bus:
    """The owner of a wire of kind `line-…`."""
    if isinstance(bus, SerialLineBus):
        opener: SerialOpener | TcpOpener = SerialOpener(bus.port, baud=bus.baud, parity=bus.parity)
    else:
        opener = TcpOpener(bus.host, bus.port)
    if len(devices) != 1:
        raise WrongInstallation(f"{id}: one reader belongs on a line of text, there are {len(devices)}")
    (reader, (installed, profile)), *_ = devices.items()
    form = line_of(profile)
    if form is None:
        raise WrongInstallation(f"{reader}: {profile.id} does not say how its lines look")
    return LineBus(id, opener, reader, as_installed(form, installed.card), sink=gateway.sink)


OPENING = Opening[SerialLineBus | TcpLineBus]((SerialLineBus, TcpLineBus), open_wire)

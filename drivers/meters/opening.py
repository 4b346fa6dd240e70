"""Opens meter lines. What a meter speaks, its protocol's station knows."""

from __future__ import annotations

from drivers.bus import Bus
from drivers.installed import Devices, Gateway, Opening, WrongInstallation
from drivers.meters.bus import MeterBus, Timing
from drivers.meters.dialect import MeterKind, Station
from drivers.meters.wire import OpenedLine
from drivers.meters.wires import MeterSerialBus, MeterTcpBus
from drivers.ports import SerialOpener, TcpOpener
from drivers.profiles.profile import Profile
from drivers.protocols import PROTOCOLS
from drivers.tap import Tap
from drivers.wiring import Hanging, Installed

EVEN_BITS = 11
"""Bits of a character behind a converter, whose parity nobody tells: 8E1."""


def open_wire(id: str, bus: MeterSerialBus | MeterTcpBus, devices: Devices, gateway: Gateway) -> Bus:
    """The owner of a line of meters. Raises `WrongInstallation`."""
    stations = {name: _station(name, device, profile, gateway) for name, (device, profile) in devices.items()}
    for name, (device, profile) in devices.items():
        address = PROTOCOLS[profile.protocol].wires.address(Hanging(device, profile, id, ()))
        if len(devices) > 1 and not device.address and address is not None and address.word == "address":
            raise WrongInstallation(f"{name}: only a meter that is alone on {id} needs no address")
    tap = Tap()
    if isinstance(bus, MeterSerialBus):
        opener = SerialOpener(bus.port, baud=bus.baud, parity=bus.parity, stop_bits=bus.stop_bits)
        line = OpenedLine(opener, remote=False, tap=tap)
        bits = 9 + (bus.parity != "N") + bus.stop_bits
    else:
        line = OpenedLine(TcpOpener(bus.host, bus.port), remote=True, tap=tap)
        bits = EVEN_BITS
    timing = Timing(bits / bus.baud, bus.timeout_s)
    return MeterBus(id, line, stations, timing, sink=gateway.sink, clock=gateway.clock, zone=gateway.zone, tap=tap)


def _station(name: str, device: Installed, profile: Profile, gateway: Gateway) -> Station:
    protocol = PROTOCOLS[profile.protocol]
    if not protocol.has("station"):
        raise WrongInstallation(f"{name}: no driver for {profile.protocol} on a meter line")
    return protocol.part("station", MeterKind).station(name, device, profile, gateway)


OPENING = Opening[MeterSerialBus | MeterTcpBus]((MeterSerialBus, MeterTcpBus), open_wire)

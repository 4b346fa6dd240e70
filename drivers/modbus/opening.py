"""Opens Modbus wires."""

from __future__ import annotations

from typing import Any

from drivers.bus import Bus
from drivers.installed import Devices, Gateway
from drivers.modbus.bus import ModbusBus
from drivers.modbus.station import Station
from drivers.modbus.wire import RtuWire, TcpWire


def open_wire(id: str, bus: Any, devices: Devices, gateway: Gateway) -> Bus:
    """The owner of a wire of kind `modbus-…`."""
    return _OPENERS[bus.kind](id, bus, devices, gateway)


def _tcp(id: str, bus: Any, devices: Devices, gateway: Gateway) -> Bus:
    owner: ModbusBus

    def refuse(data: bytes) -> None:
        owner.refuse("bytes that are no Modbus answer", data)

    wire = TcpWire(bus.host, bus.port, refuse)
    owner = ModbusBus(id, wire, _stations(devices), sink=gateway.sink, clock=gateway.clock, timeout_s=bus.timeout_s)
    return owner


def _rtu(id: str, bus: Any, devices: Devices, gateway: Gateway) -> Bus:
    owner: ModbusBus

    def stray(frame: bytes) -> None:
        owner.stray(frame)

    wire = RtuWire(
        bus.port,
        baud=bus.baud,
        parity=bus.parity,
        stop_bits=bus.stop_bits,
        units=frozenset(device.unit for device, _ in devices.values()),
        guard_s=max((profile.limits.guard_s for _, profile in devices.values()), default=0.0),
        on_stray=stray,
    )
    owner = ModbusBus(id, wire, _stations(devices), sink=gateway.sink, clock=gateway.clock, timeout_s=bus.timeout_s)
    return owner


def _stations(devices: Devices) -> dict[str, Station]:
    return {name: Station(name, device, profile) for name, (device, profile) in devices.items()}


_OPENERS = {"modbus-tcp": _tcp, "modbus-rtu": _rtu}

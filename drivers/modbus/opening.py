"""Opens Modbus wires."""

from __future__ import annotations

from drivers.bus import Bus
from drivers.installed import Devices, Gateway, Opening
from drivers.modbus.bus import ModbusBus
from drivers.modbus.rtu import Line, RtuTcpWire, RtuWire
from drivers.modbus.station import Station
from drivers.modbus.tcp import TcpWire
from drivers.modbus.wire import Wire
from drivers.modbus.wires import AnyModbus, ModbusRtuBus, ModbusRtuTcpBus, ModbusTcpBus
from drivers.tap import Tap


def open_wire(id: str, bus: AnyModbus, devices: Devices, gateway: Gateway) -> Bus:
    """The owner of a wire of kind `modbus-…`."""
    owner: ModbusBus
    guards: dict[int, float] = {}
    for device, profile in devices.values():
        guards[device.unit] = max(guards.get(device.unit, 0.0), profile.limits.guard_s)

    def refuse(data: bytes) -> None:
        owner.refuse("bytes that are no Modbus answer", data)

    def stray(frame: bytes) -> None:
        owner.stray(frame)

    def late(unit: int, pdu: bytes) -> None:
        owner.late(unit, pdu)

    wire: Wire
    tap = Tap()
    if isinstance(bus, ModbusTcpBus):
        wire = TcpWire(
            bus.host, bus.port, patience_s=bus.timeout_s, guards=guards, on_refused=refuse, on_late=late, tap=tap
        )  # fmt: skip
    else:
        line = Line(
            baud=bus.baud,
            parity=bus.parity,
            stop_bits=bus.stop_bits,
            guards=guards,
            settle_s=max((profile.limits.latency_s for _, profile in devices.values()), default=0.0),
            on_stray=stray,
        )
        wire = (
            RtuTcpWire(bus.host, bus.port, line, tap)
            if isinstance(bus, ModbusRtuTcpBus)
            else RtuWire(bus.port, line, tap)
        )
    stations = {name: Station(name, device, profile) for name, (device, profile) in devices.items()}
    owner = ModbusBus(id, wire, stations, sink=gateway.sink, clock=gateway.clock, timeout_s=bus.timeout_s, tap=tap)
    return owner


OPENING = Opening[AnyModbus]((ModbusTcpBus, ModbusRtuBus, ModbusRtuTcpBus), open_wire)

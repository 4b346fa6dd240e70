"""The other end of Modbus wires."""

from __future__ import annotations

from drivers.modbus.wires import ModbusRtuBus, ModbusRtuTcpBus, ModbusTcpBus
from simulators.ends import Ends
from simulators.modbus.server import ModbusRtuTcpWire, ModbusRtuWire, ModbusTcpWire

WIRES = Ends(
    {
        "modbus-tcp": lambda of: ModbusTcpWire(of.id, of.part(ModbusTcpBus), of.site),
        "modbus-rtu": lambda of: ModbusRtuWire(of.id, of.part(ModbusRtuBus), of.site, of.folder, paced=of.paced),
        "modbus-rtu-tcp": lambda of: ModbusRtuTcpWire(of.id, of.part(ModbusRtuTcpBus), of.site, paced=of.paced),
    }
)

"""The wires of Modbus as a site file names them. Pure."""

from __future__ import annotations

from typing import Literal

from contract.texts import Text
from drivers.wiring import Port, Seconds, SerialBus, TcpBus, Wires, by_unit

RTU_UNITS = range(1, 248)
"""Addresses of units on a serial line (Modbus over Serial Line 1.02, section 2.2)."""


class ModbusTcpBus(TcpBus):
    """A Modbus TCP endpoint (one device, or a converter with several units behind it)."""

    opening = "drivers.modbus.opening"

    kind: Literal["modbus-tcp"]
    """What the wire carries."""
    host: str
    """Address or name of the device or converter."""
    port: Port = 502
    """TCP port."""
    timeout_s: Seconds = 1.0
    """How long an answer may take before the unit counts as silent."""


class ModbusRtuBus(SerialBus):
    """A serial line with Modbus RTU units."""

    opening = "drivers.modbus.opening"
    units = RTU_UNITS
    other_unit = Text("串口线上的地址为 1–247", "a unit on a serial line is 1 to 247")

    kind: Literal["modbus-rtu"]
    """What the wire carries."""
    port: str
    """The serial port: `/dev/ttyS1`."""
    baud: int = 9600
    """Bits a second; all units of a line have the same."""
    parity: Literal["N", "E", "O"] = "N"
    """None, even or odd."""
    stop_bits: Literal[1, 2] = 1
    """Stop bits of a character."""
    timeout_s: Seconds = 0.3
    """How long an answer may take before the unit counts as silent."""


class ModbusRtuTcpBus(TcpBus):
    """A serial-to-TCP converter that passes the bytes of a Modbus RTU line through: one shared wire."""

    opening = "drivers.modbus.opening"
    units = RTU_UNITS
    other_unit = Text("串口线上的地址为 1–247", "a unit on a serial line is 1 to 247")

    kind: Literal["modbus-rtu-tcp"]
    """What the wire carries."""
    host: str
    """Address or name of the converter."""
    port: Port
    """TCP port of the line at the converter."""
    baud: int = 9600
    """Bits a second of the line behind it: how long its frames and silences take."""
    parity: Literal["N", "E", "O"] = "N"
    """None, even or odd: it makes characters longer."""
    stop_bits: Literal[1, 2] = 1
    """Stop bits of a character."""
    timeout_s: Seconds = 0.5
    """How long an answer may take before the unit counts as silent."""


AnyModbus = ModbusTcpBus | ModbusRtuBus | ModbusRtuTcpBus

WIRES = Wires(
    buses=(ModbusTcpBus, ModbusRtuBus, ModbusRtuTcpBus),
    address=by_unit,
    twice=Text("线路 {bus} 上 {owner} 已用此地址", "{owner} already has this unit on {bus}"),
)

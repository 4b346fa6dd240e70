"""The lines of OSDP readers as a site file names them. Pure."""

from __future__ import annotations

from typing import Literal

from contract.texts import Text
from drivers.wiring import Port, SerialBus, TcpBus, Wires, by_unit

OSDP_UNITS = range(127)
"""Addresses of readers on a line (SIA OSDP 2.2, section 5.9: 127 is for everybody)."""


class OsdpSerialBus(SerialBus):
    """A serial line with OSDP readers."""

    opening = "drivers.osdp.opening"
    units = OSDP_UNITS
    other_unit = Text("OSDP 读头地址为 0–126", "a reader's OSDP address is 0 to 126")

    kind: Literal["osdp-serial"]
    """What the wire carries."""
    port: str
    """The serial port: `/dev/ttyS2`."""
    baud: Literal[9600, 19200, 38400, 57600, 115200, 230400] = 9600
    """Bits a second; all readers of a line have the same."""


class OsdpTcpBus(TcpBus):
    """A line of OSDP readers behind a serial-to-TCP converter."""

    opening = "drivers.osdp.opening"
    units = OSDP_UNITS
    other_unit = Text("OSDP 读头地址为 0–126", "a reader's OSDP address is 0 to 126")

    kind: Literal["osdp-tcp"]
    """What the wire carries."""
    host: str
    """Address or name of the converter."""
    port: Port
    """TCP port of the line at the converter."""


WIRES = Wires(buses=(OsdpSerialBus, OsdpTcpBus), address=by_unit, cards="bits", secure=True)

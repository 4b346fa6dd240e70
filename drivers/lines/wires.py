"""Wires with one reader that sends lines of text, as a site file names them. Pure."""

from __future__ import annotations

from typing import Literal

from contract.texts import Text
from drivers.wiring import Port, SerialBus, TcpBus, Wires, alone


class SerialLineBus(SerialBus):
    """A serial line with one reader that sends lines of text."""

    opening = "drivers.lines.opening"

    kind: Literal["line-serial"]
    """What the wire carries."""
    port: str
    """The serial port: `/dev/ttyS2`."""
    baud: int = 9600
    """Bits a second, as the reader is set."""
    parity: Literal["N", "E", "O"] = "N"
    """None, even or odd."""


class TcpLineBus(TcpBus):
    """One reader that sends lines of text over TCP; the gateway dials it."""

    opening = "drivers.lines.opening"

    kind: Literal["line-tcp"]
    """What the wire carries."""
    host: str
    """Address or name of the reader."""
    port: Port
    """TCP port of the reader."""


WIRES = Wires(
    buses=(SerialLineBus, TcpLineBus),
    address=alone,
    twice=Text("线路 {bus} 只能接一个读头，已有 {owner}", "{bus} carries one reader, and {owner} is on it"),
    cards="text",
    speaks_first=True,
)

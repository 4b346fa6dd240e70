"""How a sick unit answers: late, damaged, in another's name, with an exception, or not at all. Pure."""

from __future__ import annotations

from typing import NamedTuple

from simulators.faults import Faults
from simulators.modbus.frames import RtuRequest, TcpRequest, rtu_frame, tcp_frame
from simulators.modbus.slave import DEVICE_FAILURE, exception

LATE_S = 0.1
"""So much after the master's time-out comes a late answer."""


class Reply(NamedTuple):
    """What goes back, and after how many seconds; None: nothing."""

    data: bytes | None
    after_s: float = 0.0


SILENT = Reply(None)


def rtu_reply(request: RtuRequest, pdu: bytes, faults: Faults, device: str, timeout_s: float) -> Reply:
    """The answer `pdu` of `device` on a serial line, as its faults let it out."""
    if faults.any_of(device, "silent", "offline"):
        return SILENT
    if faults.has(device, "exception"):
        pdu = exception(request.pdu[0], DEVICE_FAILURE)
    unit = request.unit % 247 + 1 if faults.has(device, "foreign") else request.unit
    frame = rtu_frame(unit, pdu)
    if faults.has(device, "corrupt"):
        frame = frame[:-1] + bytes((frame[-1] ^ 0x5A,))
    return Reply(frame, timeout_s + LATE_S if faults.has(device, "late") else 0.0)


def tcp_reply(request: TcpRequest, pdu: bytes, faults: Faults, device: str, timeout_s: float) -> Reply:
    """The answer `pdu` of `device` over TCP, as its faults let it out.

    TCP has no checksum: damage changes the content.
    """
    if faults.any_of(device, "silent", "offline"):
        return SILENT
    if faults.has(device, "exception"):
        pdu = exception(request.pdu[0], DEVICE_FAILURE)
    foreign = faults.has(device, "foreign")
    unit = request.unit % 247 + 1 if foreign else request.unit
    if faults.has(device, "corrupt"):
        # Another function code and a count that does not match: nothing that an honest slave would send.
        pdu = bytes((pdu[0] ^ 0x40, 0xFF)) + pdu[2:-1]
    frame = tcp_frame(request.transaction, unit, pdu)
    return Reply(frame, timeout_s + LATE_S if faults.has(device, "late") else 0.0)

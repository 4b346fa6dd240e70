"""Modbus frames as a slave meets them: requests out of a byte stream, answers into bytes. Pure.

Source: Modbus over serial line V1.02, sections 2.5.1 and 6.2.2; Modbus messaging on TCP/IP V1.0b, section 3.1.3.
"""

from __future__ import annotations

from typing import NamedTuple

PDU_LIMIT = 253
_FIXED_REQUEST = 8
_FIXED_CODES = frozenset(range(1, 7))
_COUNTED_CODES = frozenset({15, 16})
_MBAP = 7


def crc16(data: bytes | bytearray) -> int:
    """The CRC of an RTU frame (polynomial A001, start FFFF); on the wire its low byte comes first."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return crc


class RtuRequest(NamedTuple):
    """A request that somebody on the serial line sent to `unit` (0: to all)."""

    unit: int
    pdu: bytes


class TcpRequest(NamedTuple):
    """A request over TCP; `transaction` must come back in the answer."""

    transaction: int
    unit: int
    pdu: bytes


class RtuRequests:
    """Cuts a serial byte stream into requests; bytes that cannot begin one are dropped one by one and counted."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.dropped = 0

    def feed(self, data: bytes) -> list[RtuRequest]:
        """Every whole request that `data` completes."""
        self._buffer += data
        found: list[RtuRequest] = []
        while len(self._buffer) >= 4:
            length = _rtu_length(self._buffer)
            if length is None:
                self._drop()
            elif len(self._buffer) < length:
                break
            elif crc16(self._buffer[: length - 2]) != int.from_bytes(self._buffer[length - 2 : length], "little"):
                self._drop()
            else:
                found.append(RtuRequest(self._buffer[0], bytes(self._buffer[1 : length - 2])))
                del self._buffer[:length]
        return found

    def silence(self) -> None:
        """The line was silent for longer than a frame allows: what was begun will not be finished."""
        self.dropped += len(self._buffer)
        self._buffer.clear()

    def _drop(self) -> None:
        del self._buffer[0]
        self.dropped += 1


def _rtu_length(buffer: bytearray) -> int | None:
    """Length of the request that `buffer` begins with, None if none begins so; more than there is while unknown."""
    code = buffer[1]
    if code in _FIXED_CODES:
        return _FIXED_REQUEST
    if code in _COUNTED_CODES:
        return 9 + buffer[6] if len(buffer) > 6 else 9
    return None


def rtu_frame(unit: int, pdu: bytes) -> bytes:
    """An RTU frame with its CRC."""
    body = bytes((unit,)) + pdu
    return body + crc16(body).to_bytes(2, "little")


class NotModbus(ValueError):
    """A TCP peer that does not speak Modbus; the connection is of no further use."""


class TcpRequests:
    """Cuts a TCP byte stream into requests; `NotModbus` when the header cannot be one."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[TcpRequest]:
        """Every whole request that `data` completes."""
        self._buffer += data
        found: list[TcpRequest] = []
        while len(self._buffer) >= _MBAP:
            protocol = int.from_bytes(self._buffer[2:4], "big")
            length = int.from_bytes(self._buffer[4:6], "big")
            if protocol != 0 or not 2 <= length <= PDU_LIMIT + 1:
                raise NotModbus(f"header {bytes(self._buffer[:_MBAP]).hex(' ')} is not Modbus")
            if len(self._buffer) < 6 + length:
                break
            transaction = int.from_bytes(self._buffer[0:2], "big")
            found.append(TcpRequest(transaction, self._buffer[6], bytes(self._buffer[_MBAP : 6 + length])))
            del self._buffer[: 6 + length]
        return found


def tcp_frame(transaction: int, unit: int, pdu: bytes) -> bytes:
    """A Modbus TCP frame."""
    return transaction.to_bytes(2, "big") + b"\0\0" + (len(pdu) + 1).to_bytes(2, "big") + bytes((unit,)) + pdu


def wire_seconds(count: int, baud: int, bits: int = 10) -> float:
    """How long `count` bytes and the silences round them (2 × 3.5 characters) take on a serial line."""
    return (count + 7) * bits / baud

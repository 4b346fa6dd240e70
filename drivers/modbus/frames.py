"""Modbus frames both ways: requests, and answers picked out of whatever else is on the wire. Pure.

RTU has no transaction number: an answer is known by unit, function code, length and checksum only. So a line knows
what is awaited and takes nothing else; what else comes (noise, another unit, an answer of another length) is passed
over and told. A half-duplex adapter may echo every request: the echo is never an answer.
Sources: Modbus application protocol V1.1b3, section 6; Modbus over serial line V1.02, section 2.5.1 and appendix B;
Modbus messaging on TCP/IP V1.0b, section 3.1.3.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

from drivers.errors import FrameError
from drivers.modbus.encode import Write
from drivers.modbus.wire import Refused

READS = frozenset({1, 2, 3, 4})
ECHOES = frozenset({5, 6, 15, 16})
"""Functions whose answer repeats the first five bytes of what was asked."""

RTU_LIMIT = 256
"""Bytes of the longest RTU frame."""

_HEAD = struct.Struct(">HHHB")
_ASK = struct.Struct(">BHH")


# --- What is asked, as a PDU: function code and data


def read_pdu(fc: int, start: int, size: int) -> bytes:
    """A read of `size` registers (or bits) from `start`."""
    return _ASK.pack(fc, start, size)


def write_pdu(write: Write) -> bytes:
    """A write. Function code 5 goes with any value: boards have pulse timers and toggles behind it."""
    if write.fc in {5, 6}:
        return _ASK.pack(write.fc, write.address, write.words[0])
    count = len(write.words)
    return struct.pack(f">BHHB{count}H", write.fc, write.address, count, 2 * count, *write.words)


def body_size(fc: int, count: int) -> int:
    """Bytes that a read of `count` registers (or bits) brings."""
    return (count + 7) // 8 if fc <= 2 else 2 * count


def body(asked: bytes, answer: bytes) -> bytes:
    """What an answer brings: the registers or packed bits of a read, nothing for a write. Both are PDUs.

    Raises `Refused`, and `FrameError` for an answer to anything else than what was asked.
    """
    fc = asked[0]
    if len(answer) == 2 and answer[0] == fc | 0x80:
        raise Refused(answer[1])
    if not answer or answer[0] != fc:
        raise FrameError("the answer is another function's", answer)
    if fc in ECHOES:
        if answer != asked[:5]:
            raise FrameError("another write was confirmed than asked", answer)
        return b""
    size = body_size(fc, int.from_bytes(asked[3:5], "big"))
    if len(answer) != 2 + size or answer[1] != size:
        raise FrameError(f"{size} bytes asked, {max(len(answer) - 2, 0)} came", answer)
    return answer[2:]


# --- RTU


def _table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)  # noqa: PLW2901
        table.append(value)
    return tuple(table)


_CRC = _table()


def checksum(data: bytes) -> int:
    """CRC-16 of Modbus: polynomial 0xA001 reflected, from 0xFFFF; it travels low byte first."""
    crc = 0xFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 0xFF]
    return crc


def rtu(unit: int, pdu: bytes) -> bytes:
    """An RTU frame."""
    head = bytes([unit]) + pdu
    return head + checksum(head).to_bytes(2, "little")


def sound(frame: bytes) -> bool:
    """Whether an RTU frame's checksum is right."""
    return checksum(frame[:-2]) == int.from_bytes(frame[-2:], "little")


def frame_size(data: bytes, at: int) -> int:
    """Bytes of the RTU answer that may begin at `at`; 0 if more is needed to tell, -1 if none begins there."""
    if len(data) - at < 3:
        return 0
    fc = data[at + 1]
    if fc & 0x80:
        return 5 if fc & 0x7F in READS | ECHOES else -1
    if fc in READS:
        return 5 + data[at + 2]
    return 8 if fc in ECHOES else -1


class Expected(NamedTuple):
    """The answer that a request may have: `size` bytes as an RTU frame. An exception of the same function too."""

    unit: int
    fc: int
    size: int


def expected(unit: int, fc: int, count: int) -> Expected:
    """The answer to a read of `count`, or to a write."""
    return Expected(unit, fc, 5 + body_size(fc, count) if fc in READS else 8)


class RtuLine:
    """What is known of one RTU line. `units`: those on it, whose frames that nobody awaits are told to `on_stray`.

    `echoes`: whether the adapter repeats what it sends; None until a read has shown it. The answer to a write of one
    word looks like an echo of it: on a line that echoes, only the second one confirms.
    """

    def __init__(self, units: frozenset[int], on_stray: Callable[[bytes], None]) -> None:
        self.echoes: bool | None = None
        self._units = units
        self._on_stray = on_stray
        self._want: Expected | None = None
        self._sent = b""
        self._told = -1

    @property
    def awaiting(self) -> bool:
        """Whether an answer is awaited."""
        return self._want is not None

    def ask(self, request: bytes) -> None:
        """This frame is being sent: from now on its answer is awaited."""
        self._want = expected(request[0], request[1], int.from_bytes(request[4:6], "big"))
        self._sent, self._told = request, -1

    def rest(self, *, heard: bool = True) -> None:
        """Nothing is awaited any more. `heard`: whether anything has come since the request."""
        if self.echoes is None and self._want is not None and not heard:
            self.echoes = False
        self._want, self._sent, self._told = None, b"", -1

    def look(self, data: bytes) -> tuple[int, bytes | None]:
        """The awaited frame in all that has come and was not used yet, and how many bytes are used up."""
        at = used = 0
        reading = self._want is not None and self._want.fc in READS
        echo = self._sent if reading or self.echoes else b""
        while at <= len(data) - 5 or (echo and at < len(data)):
            if echo and echo.startswith(data[at : at + len(echo)]):
                if len(data) - at < len(echo):
                    break
                self.echoes = True
                at += len(echo)
                echo = echo if reading else b""  # what looks like a read is never its answer, however often it comes
                continue
            frame = self._frame_at(data, at)
            if frame is None:
                at += 1
                continue
            if self._is_awaited(frame):
                if echo and self.echoes is None:
                    self.echoes = False
                self._want, self._sent, self._told = None, b"", -1
                return len(data), frame
            # While an answer is awaited, what came before it stays in the buffer and is seen again with each byte.
            if at > self._told:
                self._told = at
                self._on_stray(frame)
            at += len(frame)
            used = at
        if self._want is not None:
            return 0, None
        self._told = -1
        return max(used, len(data) - RTU_LIMIT), None

    def _frame_at(self, data: bytes, at: int) -> bytes | None:
        size = frame_size(data, at) if data[at] in self._units else -1
        if size < 5 or at + size > len(data):
            return None
        frame = data[at : at + size]
        return frame if sound(frame) else None

    def _is_awaited(self, frame: bytes) -> bool:
        want = self._want
        return (
            want is not None
            and frame[0] == want.unit
            and ((frame[1], len(frame)) == want[1:] or frame[1] == want.fc | 0x80)
        )


# --- TCP


def tcp(transaction: int, unit: int, pdu: bytes) -> bytes:
    """A Modbus TCP frame."""
    return _HEAD.pack(transaction, 0, len(pdu) + 1, unit) + pdu


class TcpFrame(NamedTuple):
    """What came for one transaction number."""

    transaction: int
    unit: int
    pdu: bytes


class TcpFrames:
    """Cuts the bytes of one connection into frames."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[TcpFrame]:
        """The frames that are whole now. Raises `FrameError`: what comes is no Modbus, and where to go on is lost."""
        data = self._rest + data
        found: list[TcpFrame] = []
        at = 0
        while len(data) - at >= 7:
            transaction, protocol, length, unit = _HEAD.unpack_from(data, at)
            if protocol != 0 or not 3 <= length <= 254:
                self._rest = b""
                raise FrameError("these bytes are no Modbus answer", data[at:])
            end = at + 6 + length
            if end > len(data):
                break
            found.append(TcpFrame(transaction, unit, data[at + 7 : end]))
            at = end
        self._rest = data[at:]
        return found

"""What pymodbus cannot say or hear by itself: coils with other values than on and off, and RTU answers that are
recognised by everything that is known of them. No I/O; pymodbus' framers call in here.

RTU has no transaction number: an answer is known by unit, function code, length and checksum only. So the framer is
told what is expected and takes nothing else; what else comes (noise, another unit, an answer of another length) is
passed over and counted.
Source: Modbus over serial line V1.02; Modbus application protocol V1.1b3, section 6.5.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ModbusPDU

READS = frozenset({1, 2, 3, 4})
ECHOES = frozenset({5, 6, 15, 16})


class RawCoil(ModbusPDU):
    """Function code 5 with any value (a board's own pulse timer, a toggle), asked and answered alike."""

    function_code = 5
    rtu_frame_size = 8

    def __init__(self, dev_id: int = 0, address: int = 0, value: int = 0) -> None:
        super().__init__(dev_id=dev_id, address=address)
        self.value = value

    def encode(self) -> bytes:
        """Address and value."""
        self.verifyAddress()
        return struct.pack(">HH", self.address, self.value)

    def decode(self, data: bytes) -> None:
        """Address and value."""
        self.address, self.value = struct.unpack(">HH", data[:4])


class _RawRead(ModbusPDU):
    """An answer to a read, its registers (or packed bits) left as the bytes that came."""

    rtu_byte_count_pos = 2
    data = b""

    def decode(self, data: bytes) -> None:
        """The byte count and as many bytes."""
        if len(data) != 1 + data[0]:
            raise ValueError(f"{data[0]} bytes announced, {len(data) - 1} came")
        self.data = data[1:]


class RawCoils(_RawRead):
    """Answer to function code 1."""

    function_code = 1


class RawInputs(_RawRead):
    """Answer to function code 2."""

    function_code = 2


class RawHoldings(_RawRead):
    """Answer to function code 3."""

    function_code = 3


class RawRegisters(_RawRead):
    """Answer to function code 4."""

    function_code = 4


ANSWERS: tuple[type[ModbusPDU], ...] = (RawCoils, RawInputs, RawHoldings, RawRegisters, RawCoil)
"""What a client registers in pymodbus' decoder in place of its own answers."""


def body_size(fc: int, count: int) -> int:
    """Bytes that a read of `count` registers (or bits) brings."""
    return (count + 7) // 8 if fc <= 2 else 2 * count


class Expected(NamedTuple):
    """The answer that a request may have: `size` bytes as an RTU frame. An exception of the same function too."""

    unit: int
    fc: int
    size: int


def expected(unit: int, fc: int, count: int) -> Expected:
    """The answer to a read of `count`, or to a write."""
    return Expected(unit, fc, 5 + body_size(fc, count) if fc in READS else 8)


def frame_size(data: bytes, at: int) -> int:
    """Bytes of the RTU frame that may begin at `at`; 0 if more is needed to tell, -1 if none begins there."""
    if len(data) - at < 3:
        return 0
    fc = data[at + 1]
    if fc & 0x80:
        return 5 if fc & 0x7F in READS | ECHOES else -1
    if fc in READS:
        return 5 + data[at + 2]
    return 8 if fc in ECHOES else -1


def sound(frame: bytes) -> bool:
    """Whether the checksum is right."""
    return FramerRTU.check_CRC(frame[:-2], int.from_bytes(frame[-2:], "big"))


OnStray = Callable[[int, bytes], None]
"""Told of each sound frame that is not the expected one: where it began, and the frame."""


def find(data: bytes, want: Expected | None, units: frozenset[int], on_stray: OnStray) -> bytes | None:
    """The expected frame in what has come so far, or None. Sound frames of known units before it are strays."""
    at = 0
    while at <= len(data) - 5:
        size = frame_size(data, at) if data[at] in units else -1
        if size < 5 or at + size > len(data) or not sound(frame := data[at : at + size]):
            at += 1
            continue
        if want and frame[0] == want.unit and ((frame[1], size) == want[1:] or frame[1] == want.fc | 0x80):
            return frame
        on_stray(at, frame)
        at += size
    return None


class RtuFramer(FramerRTU):
    """Takes only the answer that is expected. `units`: those on the line, whose other frames are strays."""

    MAX_SIZE = 1024

    def __init__(self, decoder: DecodePDU, units: frozenset[int], on_stray: Callable[[bytes], None]) -> None:
        super().__init__(decoder)
        self._expecting: Expected | None = None
        self._units = units
        self._on_stray = on_stray
        self._told = -1

    def expect(self, answer: Expected | None) -> None:
        """From now on this answer is awaited; None: nothing is."""
        self._expecting, self._told = answer, -1

    def handleFrame(self, data: bytes, exp_devid: int, exp_tid: int) -> tuple[int, ModbusPDU | None]:  # noqa: N802
        """Called by pymodbus with all that has come and was not used yet."""
        used = 0

        def stray(at: int, frame: bytes) -> None:
            nonlocal used
            used = at + len(frame)
            # While an answer is awaited, what came before it stays in the buffer and is seen again with each byte.
            if at > self._told:
                self._told = at
                self._on_stray(frame)

        frame = find(data, self._expecting, self._units, stray)
        if frame is None:
            if self._expecting is None:
                self._told = -1
                return used, None
            return 0, None
        answer = self.decoder.decode(frame[1:-2])
        if answer is not None:
            answer.dev_id = frame[0]
            self.expect(None)
        return len(data), answer


class TcpFramer(FramerSocket):
    """Passes over frames that are no Modbus answer instead of breaking the connection with an exception."""

    def __init__(self, decoder: DecodePDU, on_refused: Callable[[bytes], None]) -> None:
        super().__init__(decoder)
        self._on_refused = on_refused

    def handleFrame(self, data: bytes, exp_devid: int, exp_tid: int) -> tuple[int, ModbusPDU | None]:  # noqa: N802
        """Called by pymodbus with all that has come since the request."""
        try:
            return super().handleFrame(data, exp_devid, exp_tid)
        except ModbusException:
            self._on_refused(data)
            return len(data), None

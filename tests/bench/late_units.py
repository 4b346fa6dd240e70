"""Units that answer late: up to twice the master's time-out, each its own questions in their order.

Every register says whose it is (unit × 2048 + address), the first of each block how often its unit has been asked, so
that an answer to another question, or to an earlier one, is known by its values. Frames: Modbus application protocol
V1.1b3, 6.3; Modbus over serial line V1.02, 2.5.1; Modbus messaging on TCP/IP V1.0b, 3.1.3.
"""

from __future__ import annotations

import asyncio
import os
import random
import tty
from collections.abc import Callable
from typing import cast

from pymodbus.framer import FramerRTU

BLOCKS = {100: 2, 300: 2, 500: 2, 900: 3}
"""First address → registers. Three alike: their answers look the same on a line."""


def owner(unit: int, address: int) -> int:
    """What a register holds that says whose it is."""
    return unit * 2048 + address


class LateUnits:
    """Units 1..`units` of one wire. `timeout_s`: the master's."""

    def __init__(self, units: int, timeout_s: float, seed: int) -> None:
        self.asked = dict.fromkeys(range(1, units + 1), 0)
        self._timeout_s = timeout_s
        self._random = random.Random(seed)
        self._free = dict.fromkeys(range(1, units + 1), 0.0)

    def take(self, unit: int, pdu: bytes, answer: Callable[[bytes], None]) -> None:
        """A question for `unit`; `answer` is called with what it says, some time later."""
        if unit not in self.asked:
            return
        self.asked[unit] += 1
        loop = asyncio.get_running_loop()
        at = max(loop.time(), self._free[unit]) + self._random.uniform(0.0, 2 * self._timeout_s)
        self._free[unit] = at
        loop.call_at(at, answer, self._answer(unit, pdu))

    def _answer(self, unit: int, pdu: bytes) -> bytes:
        fc, start, count = pdu[0], int.from_bytes(pdu[1:3], "big"), int.from_bytes(pdu[3:5], "big")
        first = next(
            (first for first, size in BLOCKS.items() if first <= start and start + count <= first + size), None
        )
        if fc != 3 or first is None:
            return bytes((fc | 0x80, 2))
        words = [self.asked[unit] & 0xFFFF if at == first else owner(unit, at) for at in range(start, start + count)]
        return bytes((fc, 2 * count)) + b"".join(word.to_bytes(2, "big") for word in words)


class Endpoint(asyncio.Protocol):
    """One connection to the units. `rtu`: frames of a serial line, as a converter passes them through."""

    def __init__(self, units: LateUnits, *, rtu: bool) -> None:
        self._units = units
        self._rtu = rtu
        self._held = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not checked: uvloop's transports are of its own class.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._held += data
        if self._rtu:
            self._held = serve_line(self._units, self._held, self._write)
            return
        while len(self._held) >= 12:
            frame, self._held = self._held[:12], self._held[12:]
            head = frame[:4]

            def answer(pdu: bytes, head: bytes = head, unit: int = frame[6]) -> None:
                self._write(head + (len(pdu) + 1).to_bytes(2, "big") + bytes((unit,)) + pdu)

            self._units.take(frame[6], frame[7:], answer)

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)


def serve_line(units: LateUnits, held: bytes, write: Callable[[bytes], object]) -> bytes:
    """Takes every whole question out of `held`; what is left. Bytes that are no question are passed over."""
    while len(held) >= 8:
        frame = held[:8]
        if FramerRTU.compute_CRC(frame[:6]).to_bytes(2, "big") != frame[6:]:
            held = held[1:]
            continue
        held = held[8:]

        def answer(pdu: bytes, unit: int = frame[0]) -> None:
            body = bytes((unit,)) + pdu
            write(body + FramerRTU.compute_CRC(body).to_bytes(2, "big"))

        units.take(frame[0], frame[1:6], answer)
    return held


async def on_tcp(units: LateUnits, *, rtu: bool) -> int:
    """Serves on a free port of loopback; the port."""
    server = await asyncio.get_running_loop().create_server(lambda: Endpoint(units, rtu=rtu), "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    return port


def on_line(units: LateUnits) -> str:
    """Serves on a pty; the path of its other end."""
    ours, other = os.openpty()
    tty.setraw(ours)
    tty.setraw(other)
    os.set_blocking(ours, False)
    held = b""

    def read() -> None:
        nonlocal held
        held = serve_line(units, held + os.read(ours, 4096), lambda data: os.write(ours, data))

    asyncio.get_running_loop().add_reader(ours, read)
    return os.ttyname(other)

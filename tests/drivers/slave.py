"""A tiny Modbus slave of the tests' own: several units, real TCP and a real pty, with the faults that units have.

Unlike library servers it is silent for units that it does not have, as a unit on RS-485 is.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tty
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from pymodbus.framer import FramerRTU

Frame = Callable[[bytes], bytes]


def rtu(unit: int, pdu: bytes) -> bytes:
    """A frame with its checksum."""
    body = bytes([unit]) + pdu
    return body + FramerRTU.compute_CRC(body).to_bytes(2, "big")


@dataclass
class Unit:
    """One unit: its registers by (fc, address), its coils, and how it misbehaves."""

    registers: dict[tuple[int, int], int] = field(default_factory=dict)
    bits: dict[tuple[int, int], bool] = field(default_factory=dict)
    raw_coils: dict[int, int] = field(default_factory=dict)
    silent: bool = False
    delays: list[float] = field(default_factory=list)
    """Seconds before each of the next answers; afterwards at once."""
    exception: int | None = None
    answers_as: int | None = None
    noise: bytes = b""
    compute: Callable[[int, int], int] | None = None
    asked: list[bytes] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def until_asked(self, times: int) -> None:
        """Waits until it has been asked so often since the start."""
        while len(self.asked) < times:
            self._news.clear()
            await self._news.wait()

    def answer(self, pdu: bytes) -> bytes:
        """The answer to a request; unknown addresses give exception 2."""
        self.asked.append(pdu)
        self._news.set()
        fc = pdu[0]
        if self.exception is not None:
            return bytes([fc | 0x80, self.exception])
        address, operand = int.from_bytes(pdu[1:3], "big"), int.from_bytes(pdu[3:5], "big")
        if fc <= 2:
            if any((fc, address + at) not in self.bits for at in range(operand)):
                return bytes([fc | 0x80, 2])
            packed = bytearray((operand + 7) // 8)
            for at in range(operand):
                packed[at // 8] |= self.bits[fc, address + at] << at % 8
            return bytes([fc, len(packed)]) + packed
        if fc <= 4:
            words = [self._word(fc, address + at) for at in range(operand)]
            if None in words:
                return bytes([fc | 0x80, 2])
            return bytes([fc, 2 * operand]) + b"".join(word.to_bytes(2, "big") for word in words if word is not None)
        if fc == 5:
            self.raw_coils[address] = operand
            self.bits[1, address] = operand == 0xFF00
        elif fc == 6:
            self.registers[3, address] = operand
        elif fc == 16:
            for at in range(operand):
                self.registers[3, address + at] = int.from_bytes(pdu[6 + 2 * at : 8 + 2 * at], "big")
        else:
            return bytes([fc | 0x80, 1])
        return pdu[:5]

    def _word(self, fc: int, address: int) -> int | None:
        return self.compute(fc, address) if self.compute else self.registers.get((fc, address))


class Slave:
    """Units on one wire; each works on one request after the other, as real ones do."""

    def __init__(self, units: dict[int, Unit]) -> None:
        self.units = units
        self._queues: dict[int, asyncio.Queue[Callable[[], Awaitable[None]]]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self._master: int | None = None
        self._other: int | None = None
        self._heard = b""
        self.echoes = False
        """Whether the line repeats what the master sends, as half-duplex adapters do."""
        self.pace_s = 0.0
        """Seconds that each byte of an answer takes on the line."""
        self.accepted = 0

    async def _work(self, queue: asyncio.Queue[Callable[[], Awaitable[None]]]) -> None:
        while True:
            with contextlib.suppress(RuntimeError):  # uvloop: the master has hung up meanwhile
                await (await queue.get())()

    def _queue_of(self, unit: int) -> asyncio.Queue[Callable[[], Awaitable[None]]]:
        if unit not in self._queues:
            self._queues[unit] = asyncio.Queue()
            self._tasks.append(asyncio.create_task(self._work(self._queues[unit])))
        return self._queues[unit]

    def _serve(self, unit_id: int, pdu: bytes, send: Frame, write: Callable[[bytes], None]) -> None:
        unit = self.units.get(unit_id)
        if unit is None:
            return

        async def answer() -> None:
            reply = unit.answer(pdu)
            if unit.silent:
                return
            if unit.delays:
                await asyncio.sleep(unit.delays.pop(0))
            if unit.noise:
                write(unit.noise)
            frame = send(reply)
            if not self.pace_s:
                write(frame)
                return
            for at in range(0, len(frame), 16):  # as a UART's buffer hands them over
                await asyncio.sleep(self.pace_s * len(frame[at : at + 16]))
                write(frame[at : at + 16])

        self._queue_of(unit_id).put_nowait(answer)

    # --- TCP

    async def listen(self, port: int = 0) -> int:
        """Serves Modbus TCP; returns the port."""
        self._server = await asyncio.start_server(self._client, "127.0.0.1", port)
        return int(self._server.sockets[0].getsockname()[1])

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        self._writers.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readexactly(7)
                pdu = await reader.readexactly(int.from_bytes(head[4:6], "big") - 1)
                unit = self.units.get(head[6])
                own = head[6] if unit is None or unit.answers_as is None else unit.answers_as

                def frame(reply: bytes, head: bytes = head, own: int = own) -> bytes:
                    return head[:4] + (len(reply) + 1).to_bytes(2, "big") + bytes([own]) + reply

                self._serve(head[6], pdu, frame, writer.write)

    # --- A converter: RTU over TCP

    async def listen_rtu(self, port: int = 0) -> int:
        """Serves Modbus RTU over TCP, as a converter that passes bytes through; returns the port."""
        self._server = await asyncio.start_server(self._converter, "127.0.0.1", port)
        return int(self._server.sockets[0].getsockname()[1])

    async def _converter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        self._writers.append(writer)
        self._heard = b""
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(4096):
                self._hear(data, self._write_newest)

    def _write_newest(self, data: bytes) -> None:
        """A converter keeps the line's bytes: they go to whoever is connected by then."""
        if self._writers:
            self._writers[-1].write(data)

    # --- A pty

    def open_line(self) -> str:
        """Serves Modbus RTU on a pty; returns the other end's path."""
        self._master, self._other = os.openpty()
        tty.setraw(self._master)
        tty.setraw(self._other)
        os.set_blocking(self._master, False)
        asyncio.get_running_loop().add_reader(self._master, self._read_line)
        return os.ttyname(self._other)

    def write_line(self, data: bytes) -> None:
        """Bytes on the line, from whoever."""
        assert self._master is not None
        os.write(self._master, data)

    def _read_line(self) -> None:
        assert self._master is not None
        data = b""
        with contextlib.suppress(BlockingIOError, OSError):
            data = os.read(self._master, 4096)
        self._hear(data, self.write_line)

    def _hear(self, data: bytes, write: Callable[[bytes], None]) -> None:
        if self.echoes:
            write(data)
        self._heard += data
        while len(self._heard) >= 8:
            size = 9 + self._heard[6] if self._heard[1] in {15, 16} else 8
            if len(self._heard) < size:
                return
            request, self._heard = self._heard[:size], self._heard[size:]
            assert rtu(request[0], request[1:-2]) == request
            unit = self.units.get(request[0])
            own = request[0] if unit is None or unit.answers_as is None else unit.answers_as
            self._serve(request[0], request[1:-2], partial(rtu, own), write)

    def drop_connections(self) -> None:
        """Hangs up on every master."""
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    async def close(self) -> None:
        """Ends it."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        if self._server is not None:
            self._server.close()
            self.drop_connections()
        if self._master is not None and self._other is not None:
            asyncio.get_running_loop().remove_reader(self._master)
            os.close(self._master)
            os.close(self._other)
            self._master = None

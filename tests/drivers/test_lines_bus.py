"""A line reader on a real TCP connection and on a real pty."""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from drivers.bus import Bus, CommandFailed
from drivers.lines.wires import SerialLineBus, TcpLineBus
from drivers.opening import open_bus
from drivers.profiles.files import load
from drivers.profiles.words import CardFormat
from drivers.reports import CredentialRead, DeviceFound, DeviceLost, InputRefused
from tests.drivers.products import Installed
from tests.drivers.sinks import Heard

CARD = "04A1B2C3D4E5F6"
READ = CredentialRead("door-in", "card", CARD)


class Reader:
    """A reader that listens for its gateway."""

    def __init__(self) -> None:
        self.connected = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def listen(self, port: int = 0) -> int:
        self._server = await asyncio.start_server(self._client, "127.0.0.1", port)
        return int(self._server.sockets[0].getsockname()[1])

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.connected.set()

    async def send(self, data: bytes) -> None:
        await self.connected.wait()
        assert self._writer is not None
        self._writer.write(data)
        await self._writer.drain()

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        if self._writer is not None:
            self._writer.close()


@asynccontextmanager
async def running(config: TcpLineBus | SerialLineBus, heard: Heard) -> AsyncIterator[Bus]:
    bus = open_bus("wire", config, {"door-in": (Installed(), load("line_reader"))}, sink=heard, clock=lambda: 0)
    task = asyncio.create_task(bus.run())
    try:
        yield bus
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def tcp(port: int) -> TcpLineBus:
    return TcpLineBus(kind="line-tcp", host="127.0.0.1", port=port)


async def test_the_form_that_the_site_declares_is_the_one_that_is_read() -> None:
    reader, heard = Reader(), Heard()
    config = tcp(await reader.listen())
    own = {"door-in": (Installed(card=CardFormat(format="3+5")), load("line_reader"))}
    task = asyncio.create_task(open_bus("wire", config, own, sink=heard, clock=lambda: 0).run())
    try:
        await reader.send(b"213,02000\r\n04A1B2C3\r\n")
        await heard.until(lambda: any(isinstance(each, InputRefused) for each in heard.reports))
        assert [each for each in heard.reports if isinstance(each, CredentialRead)] == [
            CredentialRead("door-in", "card", "D507D0")
        ], "what the product would send otherwise is not tried"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await reader.close()


async def test_cards_over_tcp() -> None:
    reader, heard = Reader(), Heard()
    async with running(tcp(await reader.listen()), heard) as bus:
        for byte in f"{CARD}\r\n".encode():
            await reader.send(bytes([byte]))
        await heard.until(lambda: READ in heard.reports)
        await reader.send(b"DEADBEEF\nQR:42\r04A1B2")
        await heard.until(lambda: len(heard.of(CredentialRead)) == 3)
        assert [(read.kind, read.value) for read in heard.of(CredentialRead)] == [
            ("card", CARD),
            ("card", "DEADBEEF"),
            ("qr", "42"),
        ]
        await heard.until(lambda: heard.of(InputRefused))
        assert heard.of(InputRefused)[0].sample == b"04A1B2"
        assert heard.reports[0] == DeviceFound("door-in")
        assert bus.online("door-in")
        assert bus.health.refused == 1
    await reader.close()


async def test_noise_is_counted_and_the_next_card_is_read() -> None:
    reader, heard = Reader(), Heard()
    async with running(tcp(await reader.listen()), heard) as bus:
        await reader.send(os.urandom(5000).replace(b"\r", b"x").replace(b"\n", b"x") + b"\r\n")
        await reader.send(f"{CARD}\r\n".encode())
        await heard.until(lambda: READ in heard.reports)
        assert bus.health.refused >= 1
        assert [read.value for read in heard.of(CredentialRead)] == [CARD]
    await reader.close()


async def test_the_connection_is_made_again() -> None:
    reader, heard = Reader(), Heard()
    port = await reader.listen()
    async with running(tcp(port), heard) as bus:
        await heard.until(lambda: heard.of(DeviceFound))
        await reader.send(b"04A1")
        await reader.close()
        await heard.until(lambda: heard.of(DeviceLost))
        assert not bus.online("door-in")
        again = Reader()
        await again.listen(port)
        await heard.until(lambda: len(heard.of(DeviceFound)) == 2)
        # What the old connection left unfinished is not glued to the new one.
        await again.send(b"B2C3D4E5F6\r\nDEADBEEF\r\n")
        await heard.until(lambda: heard.of(CredentialRead))
        assert heard.of(CredentialRead) == [CredentialRead("door-in", "card", "DEADBEEF")]
        assert bus.health.reconnects == 1
        await again.close()


async def test_a_fault_of_the_listener_does_not_cost_the_connection() -> None:
    reader, heard = Reader(), Heard()
    failed = False

    def sink(report: object) -> None:
        nonlocal failed
        if isinstance(report, CredentialRead) and not failed:
            failed = True
            raise RuntimeError("not ours")
        heard(report)  # type: ignore[arg-type]

    bus = open_bus(
        "wire", tcp(await reader.listen()), {"door-in": (Installed(), load("line_reader"))}, sink=sink, clock=int
    )
    task = asyncio.create_task(bus.run())
    await reader.send(b"DEADBEEF\r\n")
    await reader.send(f"{CARD}\r\n".encode())
    await heard.until(lambda: READ in heard.reports)
    assert failed
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await reader.close()


async def test_cards_over_a_serial_line() -> None:
    master, other = os.openpty()
    tty.setraw(master)
    heard = Heard()
    async with running(SerialLineBus(kind="line-serial", port=os.ttyname(other)), heard) as bus:
        await heard.until(lambda: heard.of(DeviceFound))
        for byte in f"{CARD}\r\n".encode():
            os.write(master, bytes([byte]))
        await heard.until(lambda: READ in heard.reports)
        os.write(master, b"\x00\xff\xfe\r\nDEADBEEF\r\n")
        await heard.until(lambda: len(heard.of(CredentialRead)) == 2)
        assert len(heard.of(InputRefused)) == 1
        assert bus.online("door-in")
    os.close(master)
    os.close(other)


async def test_a_serial_line_that_does_not_exist(tmp_path: object) -> None:
    heard = Heard()
    async with running(SerialLineBus(kind="line-serial", port=f"{tmp_path}/ttyX"), heard) as bus:
        await heard.until(lambda: heard.of(DeviceLost))
        assert "cannot be opened" in heard.of(DeviceLost)[0].why
        assert not bus.online("door-in")


async def test_a_reader_takes_no_commands() -> None:
    reader, heard = Reader(), Heard()
    async with running(tcp(await reader.listen()), heard) as bus:
        with pytest.raises(CommandFailed):
            await bus.write("door-in", "led", True, within_s=1)
        with pytest.raises(CommandFailed):
            await bus.pulse("door-in", "led", 1, within_s=1)
    await reader.close()

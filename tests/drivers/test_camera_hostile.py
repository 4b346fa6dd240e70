"""A camera that is no camera: what it sends must not fill the memory, hold the password or look alive."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from drivers.camera.bounded import Bounded
from drivers.camera.stream.bus import AttachBus
from drivers.profiles.files import load
from drivers.reports import DeviceFound, DeviceLost, PlateRead
from tests.drivers.sinks import Heard
from tests.drivers.test_dahua import TYPE

CHALLENGE = b'HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm="x", nonce="y", qop="auth"\r\n'
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: " + TYPE.encode() + b"\r\n\r\n"
MARK = b"--" + TYPE.partition("boundary=")[2].strip('"').removeprefix("--").encode()
BEAT = MARK + b"\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nHeartbeat\r\n"
ENOUGH = 1000
"""Times 64 KB: more than any buffer on the way takes."""

Serve = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def served(serve: Serve) -> AsyncIterator[int]:
    """A server that answers each request with `serve`; its port."""
    tasks: set[asyncio.Task[None]] = set()

    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            while True:
                await serve(await reader.readuntil(b"\r\n\r\n"), writer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.close()

    server = await asyncio.start_server(attend, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def fetched(
    port: int, heard: Heard, password: Callable[[], str] = lambda: "secret-1"
) -> AsyncIterator[AttachBus]:
    """The driver on it."""
    bus = AttachBus(
        "wire",
        "cam",
        load("dahua_traffic_pictures"),
        host="127.0.0.1",
        port=port,
        sink=heard,
        username="admin",
        password=password,
    )
    task = asyncio.create_task(bus.run())
    try:
        yield bus
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.camera.stream.bus.RECONNECT_S", (0.02, 0.02))


async def test_a_refusal_without_end_is_not_read_to_its_end() -> None:
    over = asyncio.Event()

    async def endless(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(CHALLENGE + b"Transfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(ENOUGH):
                writer.write(b"10000\r\n" + bytes(65536) + b"\r\n")
                await writer.drain()
        except OSError:
            over.set()
            raise

    async with served(endless) as port:
        transport = Bounded()
        async with httpx.AsyncClient(transport=transport) as client, asyncio.timeout(30):
            answer = await client.get(f"http://127.0.0.1:{port}/")
            assert (answer.status_code, answer.content) == (401, b"")
            assert "nonce" in answer.headers["www-authenticate"]
            await over.wait()
        heard = Heard()
        async with fetched(port, heard):
            await heard.until(lambda: heard.of(DeviceLost))
        assert "password" in heard.of(DeviceLost)[0].why


@pytest.mark.parametrize("challenge", ['Digest realm="x", nonce="y", algorithm=ROT13', "Digest realm", 'Digest x="y"'])
async def test_a_challenge_that_nobody_knows_is_said(challenge: str) -> None:
    async def ask(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 401 No\r\nWWW-Authenticate: {challenge}\r\nContent-Length: 0\r\n\r\n".encode())

    heard = Heard()
    async with served(ask) as port, fetched(port, heard):
        await heard.until(lambda: heard.of(DeviceLost))
        assert heard.of(DeviceLost)[0].why == "the camera answers 401 and gives no events"


async def test_a_disk_that_hangs_under_the_password_holds_up_nothing_else() -> None:
    asked: list[int] = []

    async def refuse(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")

    def password() -> str:
        asked.append(threading.get_ident())
        return "secret-1"

    heard = Heard()
    async with served(refuse) as port, fetched(port, heard, password):
        await heard.until(lambda: heard.of(DeviceLost))
    assert asked
    assert threading.get_ident() not in asked


async def test_nobody_is_followed_elsewhere_with_the_password() -> None:
    elsewhere: list[bytes] = []

    async def thief(request: bytes, writer: asyncio.StreamWriter) -> None:
        elsewhere.append(request)
        writer.write(CHALLENGE + b"Content-Length: 0\r\n\r\n")

    async with served(thief) as there:

        async def sends_away(request: bytes, writer: asyncio.StreamWriter) -> None:
            writer.write(
                f"HTTP/1.1 302 Go\r\nLocation: http://127.0.0.1:{there}/\r\nContent-Length: 0\r\n\r\n".encode()
            )

        heard = Heard()
        async with served(sends_away) as port, fetched(port, heard):
            await heard.until(lambda: heard.of(DeviceLost))
            assert "302" in heard.of(DeviceLost)[0].why
    assert elsewhere == []


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX-Slow: ", STREAM + BEAT + MARK + b"\r\nX-Slow: "])
async def test_a_camera_that_only_drips_is_lost(monkeypatch: pytest.MonkeyPatch, head: bytes) -> None:
    """A byte now and then keeps a connection, but says nothing."""
    monkeypatch.setattr("drivers.camera.stream.bus.CONNECT_S", 0.1)

    async def drips(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    heard = Heard()
    async with served(drips) as port, fetched(port, heard) as bus:
        bus._silent_s = 0.3
        await heard.until(lambda: heard.of(DeviceLost))
        assert heard.of(DeviceLost)[0].why == "nothing heard for 0.3 s"
        assert len(heard.of(DeviceFound)) == (head != b"HTTP/1.1 200 OK\r\nX-Slow: ")
        assert not heard.of(PlateRead)

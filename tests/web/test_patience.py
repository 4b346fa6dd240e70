"""Clients that take their time, on a real socket: what is not whole in time is closed, what is whole is not hurried."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from tests.web.servers import house
from web.server.server import Doorway, make_server
from web.server.turns import Turns

WHOLE = b"GET /healthz HTTP/1.1\r\nHost: house\r\n\r\n"
Port = int


@pytest.fixture(params=[False, True], ids=["at once", "by turns"])
async def port(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> AsyncIterator[Port]:
    monkeypatch.setattr("web.server.patience.HEAD_S", 0.2)
    monkeypatch.setattr("web.server.patience.BODY_S", 0.2)
    ready = asyncio.Event()
    doorway = Doorway(turns=Turns(rests=1.0) if request.param else None)
    server = make_server(house().app, port=0, doorway=doorway, say=lambda _: ready.set())
    serving = asyncio.create_task(server.serve())
    await ready.wait()
    yield server.port
    server.should_exit = True
    await serving


async def dripping(port: Port, head: bytes, drop: bytes) -> bytes:
    """What is answered to a request that goes on for ever; returns when the server hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head)

    async def drip() -> None:
        while True:
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(0.02)

    task = asyncio.create_task(drip())
    heard = b""
    try:
        async with asyncio.timeout(20):
            while data := await reader.read(4096):
                heard += data
    except ConnectionError:
        pass
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        writer.close()
    return heard


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"", b""),
        (b"GET /healthz HTTP/1.1\r\nX: ", b"x"),
        (b"POST /api/session HTTP/1.1\r\nHost: house\r\nContent-Length: 9999\r\n\r\n", b"x"),
        (b"POST /api/session HTTP/1.1\r\nHost: house\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ],
    ids=["nothing", "headers", "body", "chunks"],
)
async def test_what_never_becomes_whole_is_closed(port: Port, head: bytes, drop: bytes) -> None:
    assert b" 200 " not in await dripping(port, head, drop)


async def test_the_second_request_of_a_connection_is_not_waited_for_longer(port: Port) -> None:
    heard = await dripping(port, WHOLE + b"GET /healthz HTTP/1.1\r\nX: ", b"x")
    assert heard.count(b" 200 ") == 1


async def test_whole_requests_may_come_one_after_the_other(port: Port) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(20):
        for pause in (0.0, 0.3, 0.3):  # each longer than a request may take
            await asyncio.sleep(pause)
            writer.write(WHOLE)
            head = await reader.readuntil(b"\r\n\r\n")
            assert b" 200 " in head
            await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split()[0]))
    writer.close()


async def test_requests_may_be_sent_before_the_one_before_them_is_answered(port: Port) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(20):
        writer.write(WHOLE * 5)
        for _ in range(5):
            assert await one_answer(reader) == 200
    writer.close()


@pytest.mark.parametrize("announced", [True, False], ids=["length", "chunks"])
async def test_what_is_refused_is_answered_and_not_heard_to_the_end(port: Port, announced: bool) -> None:
    """Ten times more than is taken: whoever sends it reads why, and no more of it is read."""
    how = b"Content-Length: 20000000" if announced else b"Transfer-Encoding: chunked"
    part = b"x" * 100_000 if announced else b"186a0\r\n" + b"x" * 100_000 + b"\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = asyncio.create_task(one_answer(reader))
    sent = 0
    async with asyncio.timeout(20):
        head = b"POST /api/session HTTP/1.1\r\nHost: house\r\nContent-Type: application/json\r\n" + how
        writer.write(head + b"\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            for _ in range(200):
                writer.write(part)
                await writer.drain()
                sent += len(part)
        assert await answer == 413
    assert sent < 20_000_000
    writer.close()


async def test_a_small_body_that_was_not_wanted_costs_no_connection(port: Port) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(20):
        writer.write(b"POST /api/nowhere HTTP/1.1\r\nHost: house\r\nContent-Length: 5\r\n\r\n")
        assert await one_answer(reader) == 404
        writer.write(b"12345" + WHOLE)
        assert await one_answer(reader) == 200
    writer.close()


async def one_answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:-2])
    await reader.readexactly(int(lines[b"content-length"]))
    return int(head.split(b" ", 2)[1])

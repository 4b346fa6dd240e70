"""A listening proxy between a Modbus TCP master and its device: passes every byte on and tells what it heard."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

from drivers.listening import Seen
from drivers.modbus.listen import ModbusDissector
from drivers.modbus.overhear import TcpTalk
from gateway.installer.terminal.trouble import Trouble

LOOPBACK = "127.0.0.1"
QUEUE_LIMIT = 4096
CONNECTIONS_LIMIT = 16


class Proxy:
    """Serves on loopback and dials `host:port` for each master that connects."""

    def __init__(self, host: str, port: int, listen: int, dissector: ModbusDissector) -> None:
        self.dissector = dissector
        self._host = host
        self._port = port
        self._listen = listen
        self._news: asyncio.Queue[list[Seen]] = asyncio.Queue(QUEUE_LIMIT)
        self._peers: set[asyncio.Task[None]] = set()

    async def lines(self) -> AsyncIterator[list[Seen]]:
        """What is heard, as it comes; an empty list about twice a second where nothing is."""
        try:
            server = await asyncio.start_server(self._serve, LOOPBACK, self._listen)
        except OSError as wrong:
            raise Trouble(
                f"不能在 {LOOPBACK}:{self._listen} 监听：端口已被占用？",
                f"cannot listen on {LOOPBACK}:{self._listen}: {wrong.strerror}",
            ) from wrong
        try:
            while True:
                try:
                    async with asyncio.timeout(0.5):
                        seen = await self._news.get()
                except TimeoutError:
                    seen = []
                yield seen
        finally:
            server.close()
            for peer in self._peers:
                peer.cancel()
            await asyncio.gather(*self._peers, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._peers) >= CONNECTIONS_LIMIT:
            writer.transport.abort()
            return
        self._peers.add(task)
        try:
            await self._relay(reader, writer)
        finally:
            self._peers.discard(task)
            writer.transport.abort()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(5.0):
                far_reader, far_writer = await asyncio.open_connection(self._host, self._port)
        except (TimeoutError, OSError):
            self._put([self.dissector.odd(self.dissector.not_reached(f"{self._host}:{self._port}"), b"", time.time())])
            return
        talk = TcpTalk(self.dissector)

        def asked(data: bytes) -> None:
            self._put(talk.asked(data, time.time()))

        def answered(data: bytes) -> None:
            self._put(talk.answered(data, time.time()))

        pumps = [
            asyncio.create_task(_pump(reader, far_writer, asked)),
            asyncio.create_task(_pump(far_reader, writer, answered)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            far_writer.transport.abort()

    def _put(self, seen: list[Seen]) -> None:
        if seen and not self._news.full():
            self._news.put_nowait(seen)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: Callable[[bytes], None]) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(4096):
            writer.write(data)
            heard(data)
            await writer.drain()

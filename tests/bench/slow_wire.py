"""A phone's radio between a browser and a server: so many bits a second together, and a delay each way."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

_PIECE = 4096


class _Radio:
    """What all connections share: down the wire one piece follows the other."""

    def __init__(self, bytes_s: float) -> None:
        self._bytes_s = bytes_s
        self._free_at = 0.0

    async def carry(self, count: int) -> None:
        now = asyncio.get_running_loop().time()
        self._free_at = max(self._free_at, now) + count / self._bytes_s
        await asyncio.sleep(self._free_at - now)


class SlowWire:
    """Stands on loopback before `server`. `delay_s`: a whole round trip; a new connection costs one as well."""

    def __init__(self, server: str, bits_s: float, delay_s: float) -> None:
        self._port = urlsplit(server).port or 80
        self._half = delay_s / 2
        self._down, self._up = _Radio(bits_s / 8), _Radio(bits_s / 16)
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self) -> asyncio.Server:
        return await asyncio.start_server(self._attend, "127.0.0.1", 0)

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(2 * self._half)
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        with contextlib.suppress(OSError):
            await asyncio.gather(self._pass(reader, far_writer, self._up), self._pass(far_reader, writer, self._down))
        for one in (writer, far_writer):
            one.close()

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, radio: _Radio) -> None:
        loop = asyncio.get_running_loop()
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(1024)

        async def deliver() -> None:
            while True:
                due, data = await under_way.get()
                await asyncio.sleep(max(due - loop.time(), 0))
                if not data:
                    with contextlib.suppress(OSError):
                        sink.write_eof()
                    return
                sink.write(data)
                await sink.drain()

        delivering = asyncio.ensure_future(deliver())
        try:
            while data := await source.read(_PIECE):
                await radio.carry(len(data))
                await under_way.put((loop.time() + self._half, data))
            await under_way.put((loop.time() + self._half, b""))
            await delivering
        finally:
            delivering.cancel()


@contextmanager
def slow_wire(server: str, bits_s: float, delay_s: float) -> Iterator[str]:
    """Its address; it runs in a thread of its own."""
    loop = asyncio.new_event_loop()
    made = loop.run_until_complete(SlowWire(server, bits_s, delay_s).serve())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{made.sockets[0].getsockname()[1]}"
    finally:
        made.close()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()

"""A meter line of the tests' own: a TCP end whose answers a test scripts, and small products to read there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from drivers.bus import Bus
from drivers.meters.framing import Frames
from drivers.meters.wires import MeterTcpBus
from drivers.opening import open_bus
from drivers.profiles.profile import Profile
from drivers.profiles.words import Limits, Poll
from tests.drivers.products import Installed, product
from tests.drivers.sinks import Heard

Answers = list[tuple[float, bytes]]
"""What goes back: after how many seconds, which bytes."""

HEAD = """
id: probe
kind: test
protocol: dlt645
name: {zh: 测试, en: Test}
confidence: own
sources: [these tests]
preamble: 0
"""


def quick(profile: Profile, *, period_s: float = 0.02, latency_s: float = 0.05) -> Profile:
    """The product, read all the time and asked again soon."""
    pace = Poll(alarm=period_s, normal=period_s, meter=period_s)
    return replace(profile, poll=pace, limits=Limits(latency_s=latency_s))


def meter_product(body: str) -> Profile:
    """A DL/T 645 product."""
    return product(body, HEAD)


class Line:
    """The far end. `answers` is called for every request that comes; `asked` keeps them. `hangs_up`: at once."""

    def __init__(self, frames: Frames, answers: Callable[[bytes], Answers], *, hangs_up: bool = False) -> None:
        self._hangs_up = hangs_up
        self._frames = frames
        self._answers = answers
        self.asked: list[bytes] = []
        self._news = asyncio.Event()
        self.connections = 0
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    async def open(self) -> int:
        """Listens; the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Hangs up."""
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def until(self, true: Callable[[], object], within_s: float = 30.0) -> None:
        """Waits until `true`, looking again after each request."""
        async with asyncio.timeout(within_s):
            while not true():
                self._news.clear()
                await self._news.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        if self._hangs_up:
            writer.close()
            self._news.set()
            return
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            while data := await reader.read(4096):
                for frame in self._frames.feed(data):
                    self._take(frame)

    def _take(self, frame: bytes) -> None:
        self.asked.append(frame)
        self._news.set()
        for after_s, answer in self._answers(frame):
            asyncio.get_running_loop().call_later(after_s, self._send, answer)

    def _send(self, data: bytes) -> None:
        """A converter gives what its line says to whoever is connected then."""
        if not self._writers[-1].is_closing():
            self._writers[-1].write(data)


@asynccontextmanager
async def owned(
    line: Line,
    devices: dict[str, tuple[Installed, Profile]],
    heard: Heard,
    timeout_s: float = 0.1,
    clock: Callable[[], int] = lambda: 1_700_000_000_000,
) -> AsyncIterator[Bus]:
    """The owner of a line, running."""
    port = await line.open()
    config = MeterTcpBus(kind="meter-tcp", host="127.0.0.1", port=port, baud=1_000_000, timeout_s=timeout_s)
    bus = open_bus("line", config, devices, sink=heard, clock=clock)
    running = asyncio.create_task(bus.run())
    try:
        yield bus
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await line.close()

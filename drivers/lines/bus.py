"""A wire with one line reader: a serial line, or a TCP endpoint that the gateway dials. Bytes go to the sink at once.

Nothing is queued and no task stands between the arrival of a line's last byte and the sink.
"""

from __future__ import annotations

import asyncio

import structlog

from contract.readings import Value
from drivers.bus import BusHealth, CommandFailed, Outcome
from drivers.errors import FrameError
from drivers.lines.codec import Lines, credential
from drivers.lines.product import LineFormat
from drivers.ports import Opener
from drivers.reports import CredentialRead, DeviceFound, DeviceLost, InputRefused, Sink
from drivers.tap import Tap

log = structlog.get_logger(__name__)

REOPEN_S = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
LOST_AFTER = 2
STEADY_S = 10.0
"""A wire that was open this long was well: its end is the first failure again."""


class LineBus(asyncio.Protocol):
    """One reader on its own wire (see `drivers.bus.Bus`). A reader on an open wire counts as there."""

    def __init__(self, id: str, opener: Opener, reader: str, form: LineFormat, *, sink: Sink) -> None:
        self.id = id
        self.health = BusHealth()
        self.tap = Tap()
        self._opener = opener
        self._reader = reader
        self._form = form
        self._sink = sink
        self._lines = Lines(form)
        self._gone: asyncio.Event = asyncio.Event()
        self._gap: asyncio.TimerHandle | None = None
        self._lost: bool | None = None
        self._failures = 0
        self._opened_at = 0.0

    # --- What the gateway asks

    async def write(self, device: str, point: str, value: Value, *, within_s: float) -> None:
        """A line reader takes no commands."""
        raise CommandFailed(f"{device} is a reader, it has nothing to write", f"{device} 是读头，不能写入")

    async def pulse(self, device: str, output: str, seconds: float, *, within_s: float) -> None:
        """A line reader has no outputs."""
        raise CommandFailed(f"{device} is a reader, it has no outputs", f"{device} 是读头，没有输出")

    def online(self, device: str) -> bool:
        """Whether the wire of this reader is open."""
        return device == self._reader and self.health.connected

    def show(self, reader: str, outcome: Outcome) -> None:
        """A line reader only talks."""

    # --- The owner

    async def run(self) -> None:
        """Keeps the wire open until cancelled."""
        while True:
            transport: asyncio.BaseTransport | None = None
            self._gone.clear()
            try:
                transport = await self._opener(lambda: self)
                await self._gone.wait()
            except (OSError, TimeoutError) as wrong:
                self._failed(f"{self._opener.name} cannot be opened: {wrong or 'no answer'}")
            finally:
                self._close(transport)
            await asyncio.sleep(REOPEN_S[min(self._failures, len(REOPEN_S) - 1)])

    def _close(self, transport: asyncio.BaseTransport | None) -> None:
        if transport is not None:
            transport.close()
        if self._gap is not None:
            self._gap.cancel()
            self._gap = None
        self.health.connected = False

    def _failed(self, why: str) -> None:
        self._failures += 1
        if self.tap.on:
            self.tap.failed(self._reader, why)
        if self._failures >= LOST_AFTER and self._lost is not True:
            self._lost = True
            self._sink(DeviceLost(self._reader, why))

    # --- Called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The wire is open."""
        self._opened_at = asyncio.get_running_loop().time()
        self._lines.clear()
        self.health.reconnects += self._lost is not None
        self.health.connected = True
        if self._lost is not False:
            self._lost = False
            self._sink(DeviceFound(self._reader))

    def connection_lost(self, exc: Exception | None) -> None:
        """The wire is gone; the owner opens it again."""
        self.health.connected = False
        if asyncio.get_running_loop().time() - self._opened_at > STEADY_S:
            self._failures = 0
        self._failed(f"{self._opener.name} was closed{f': {exc}' if exc else ''}")
        self._gone.set()

    def data_received(self, data: bytes) -> None:
        """Bytes of the reader, as many as have come."""
        if self.tap.on:
            self.tap.came(data)
        now = asyncio.get_running_loop().time()
        for line in self._lines.feed(data, now):
            self._take(line)
        self._watch_silence()

    def _take(self, line: bytes | FrameError) -> None:
        self.health.exchanges += 1
        try:
            self._report(line)
        except Exception:  # a fault of whoever listens must not cost the connection
            log.exception("a line could not be handed over", bus=self.id)

    def _report(self, line: bytes | FrameError) -> None:
        try:
            if isinstance(line, FrameError):
                raise line
            read = credential(line, self._form)
        except FrameError as wrong:
            self.health.refused += 1
            self._sink(InputRefused(self._reader, str(wrong), wrong.raw[:64]))
        else:
            self._failures = 0
            self._sink(CredentialRead(self._reader, read.kind, read.value))

    def _watch_silence(self) -> None:
        deadline = self._lines.deadline()
        if self._gap is not None:
            self._gap.cancel()
            self._gap = None
        if deadline is not None:
            self._gap = asyncio.get_running_loop().call_at(deadline, self._silence)

    def _silence(self) -> None:
        self._gap = None
        for line in self._lines.idle(asyncio.get_running_loop().time()):
            self._take(line)
        self._watch_silence()

"""The bytes of one meter line: a serial port opened for this process alone, or a TCP converter before it.

No frames and no schedule here. What comes while nobody listens is kept up to a limit and thrown away before the next
request.
"""

from __future__ import annotations

import asyncio
from typing import Protocol, cast

from drivers.connections import tear_down
from drivers.errors import WireDown
from drivers.ports import Opener
from drivers.tap import Tap

STRAY_LIMIT = 2048
"""Bytes that are kept while nobody waits for any."""


class Line(Protocol):
    """What the owner of a meter line needs of its wire."""

    name: str
    remote: bool
    """Whether a converter is between: a connection that is mute may be dead without telling."""

    @property
    def connected(self) -> bool:
        """Whether it is open."""

    async def open(self) -> None:
        """Opens it; raises `WireDown` in plain words."""

    def close(self) -> None:
        """Closes it; harmless if it is not open."""

    def send(self, data: bytes) -> bytes:
        """Sends a request; what had come before it, which answers nothing. Raises `WireDown`."""

    async def received(self, until: float) -> bytes:
        """What has come; b"" if nothing comes before `until` (loop time). Raises `WireDown`."""


class OpenedLine:
    """A wire that an opener opens."""

    def __init__(self, opener: Opener, *, remote: bool, tap: Tap | None = None) -> None:
        self.name = opener.name
        self.tap = tap or Tap()
        self.remote = remote
        self._opener = opener
        self._end: _End | None = None

    @property
    def connected(self) -> bool:
        """Whether it is open."""
        return self._end is not None and self._end.open

    async def open(self) -> None:
        """Opens it; raises `WireDown` in plain words."""
        self.close()
        end = _End(self.tap)
        try:
            await self._opener(lambda: end)
            await end.made.wait()  # a serial port says so only after it has been opened
        except (OSError, TimeoutError) as wrong:
            raise WireDown(f"{self.name} cannot be opened: {wrong or 'no answer'}") from wrong
        self._end = end

    def close(self) -> None:
        """Closes it at once: what was not sent yet is not sent later either."""
        end, self._end = self._end, None
        if end is not None and end.transport is not None:
            tear_down(end.transport)

    def send(self, data: bytes) -> bytes:
        """Sends a request; what had come before it, which answers nothing. Raises `WireDown`."""
        end = self._opened()
        stray = end.taken()
        assert end.transport is not None
        end.transport.write(data)
        if self.tap.on:
            self.tap.sent(data)
        return stray

    async def received(self, until: float) -> bytes:
        """What has come; b"" if nothing comes before `until` (loop time). Raises `WireDown`."""
        end = self._opened()
        try:
            async with asyncio.timeout_at(until):
                while not end.came and end.open:
                    end.news.clear()
                    await end.news.wait()
        except TimeoutError:
            if end.transport is not None and end.transport.get_write_buffer_size():
                # Whenever it takes bytes again, nobody wants what was sent now.
                self.close()
                raise WireDown(f"{self.name} takes no bytes") from None
            return b""
        data = end.taken()
        if not data:
            raise WireDown(f"{self.name} was closed by the other end")
        return data

    def _opened(self) -> _End:
        if self._end is None or not self._end.open:
            raise WireDown(f"{self.name} was closed by the other end")
        return self._end


class _End(asyncio.Protocol):
    """One connection, from its opening to its loss."""

    def __init__(self, tap: Tap) -> None:
        self.transport: asyncio.Transport | None = None
        self._tap = tap
        self.open = False
        self.made = asyncio.Event()
        self.news = asyncio.Event()
        self.came = bytearray()

    def taken(self) -> bytes:
        """What has come since the last time."""
        data = bytes(self.came)
        self.came.clear()
        return data

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The wire is open."""
        # uvloop's transports are none of asyncio's classes.
        self.transport = cast("asyncio.Transport", transport)
        self.open = True
        self.made.set()

    def data_received(self, data: bytes) -> None:
        """Bytes of the line."""
        if self._tap.on:
            self._tap.came(data)
        self.came += data
        del self.came[:-STRAY_LIMIT]
        self.news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """The wire is gone; its owner opens it again."""
        self.open = False
        self.news.set()

"""Asking across a network: which addresses answer on which ports, and what speaks there. Only those that were named."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from drivers.errors import FrameError
from drivers.modbus.frames import TcpFrames, read_pdu, tcp
from gateway.installer.terminal.trouble import Trouble
from gateway.installer.wire.channels import Gone, TcpChannel

CONNECT_S = 0.7
TOGETHER = 64
"""Connections that are tried at the same time."""

UNIT_S = 0.3
"""How long each unit behind an address is waited for; a later answer still counts."""

LATE_S = 1.2
"""How long a converter may take to say that a unit is silent."""

SILENT_LIMIT = 10
"""So many silent units in a row end the search behind one address."""

NO_UNIT = frozenset({10, 11})
"""Exceptions by which a converter says that a unit is not there (Modbus application protocol V1.1b3, section 7)."""

OTHERS = (101, 180, 247)
"""Units that hardly exist: a device that answers for them answers for any."""

HTTP_LIMIT = 16 * 1024


async def open_ports(hosts: Sequence[str], ports: Sequence[int]) -> AsyncIterator[tuple[str, int, bool]]:
    """Each host and port, and whether somebody listens there, as it becomes known."""
    waiting = [(host, port) for host in hosts for port in ports]
    for start in range(0, len(waiting), TOGETHER):
        batch = waiting[start : start + TOGETHER]
        for asked in asyncio.as_completed([_listens(host, port) for host, port in batch]):
            yield await asked


async def _listens(host: str, port: int) -> tuple[str, int, bool]:
    try:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_connection(host, port)
    except (TimeoutError, OSError):
        return host, port, False
    writer.transport.abort()
    return host, port, True


def connect_s(count: int) -> float:
    """How long so many connections take if nobody is there."""
    return -(-count // TOGETHER) * CONNECT_S


@dataclass(slots=True)
class Units:
    """Who answers behind one Modbus TCP address. `any`: it is one device that does not look at the unit."""

    found: dict[int, float] = field(default_factory=dict)
    any: bool = False
    converter: bool = False
    stopped_at: int | None = None


async def modbus_units(host: str, port: int, units: Sequence[int], *, every: bool) -> Units | None:
    """The units that answer, each with its latency; None if nobody speaks Modbus TCP there."""
    try:
        channel = await TcpChannel.dial(host, port, 2.0)
    except Trouble:
        return None
    try:
        return await _Search(channel).run(units, every=every)
    except (Gone, FrameError):
        return None
    finally:
        channel.close()


class _Search:
    """Questions carry the unit as their transaction number, so that an answer that comes late still names its unit."""

    def __init__(self, channel: TcpChannel) -> None:
        self._channel = channel
        self._frames = TcpFrames()
        self._sent: dict[int, float] = {}
        self._bodies: dict[int, bytes] = {}
        self._units = Units()
        self._spoke = False

    async def run(self, units: Sequence[int], *, every: bool) -> Units | None:
        silent = 0
        for at, unit in enumerate(units):
            before = len(self._units.found)
            spoke = await self._ask(unit, UNIT_S if self._spoke or at else LATE_S)
            if at == 0 and unit in self._units.found and len(units) > 1 and await self._answers_for_any(unit, units):
                return self._units
            silent = 0 if len(self._units.found) > before else silent + 1
            if not spoke and not self._spoke and at >= 2:
                # Three questions without a byte: give the first ones their time, then leave it.
                await self._hear(LATE_S, None)
                if not self._spoke:
                    return None
            if silent >= SILENT_LIMIT and not every:
                self._units.stopped_at = unit
                break
        await self._hear(LATE_S if self._units.converter else UNIT_S, None)
        return self._units if self._spoke else None

    async def _answers_for_any(self, first: int, units: Sequence[int]) -> bool:
        for unit in OTHERS:
            await self._ask(unit, UNIT_S)
        same = [
            unit for unit in OTHERS if self._bodies.get(unit) == self._bodies.get(first) and unit in self._units.found
        ]
        if len(same) < len(OTHERS):
            return False
        self._units.any = True
        latency = self._units.found[first]
        self._units.found.clear()
        self._units.found[first] = latency
        return True

    async def _ask(self, unit: int, within_s: float) -> bool:
        self._channel.send(tcp(unit, unit, read_pdu(3, 0, 1)))
        self._sent[unit] = asyncio.get_running_loop().time()
        return await self._hear(within_s, unit)

    async def _hear(self, within_s: float, unit: int | None) -> bool:
        """Takes what comes until the unit has answered or the time is over; whether anything came."""
        loop = asyncio.get_running_loop()
        until = loop.time() + within_s
        heard = False
        while (left := until - loop.time()) > 0:
            data = await self._channel.hear(left)
            if not data:
                break
            heard = True
            for frame in self._frames.feed(data):
                self._take(frame.transaction, frame.pdu, loop.time())
                if frame.transaction == unit:
                    return True
        return heard

    def _take(self, unit: int, pdu: bytes, now: float) -> None:
        if unit not in self._sent or unit in self._bodies:
            return
        self._spoke = True
        self._bodies[unit] = pdu
        if pdu[0] & 0x80 and len(pdu) == 2 and pdu[1] in NO_UNIT:
            self._units.converter = True
            return
        self._units.found[unit] = now - self._sent[unit]


@dataclass(frozen=True, slots=True)
class Page:
    """What a web server says of itself."""

    server: str
    realm: str
    title: str

    @property
    def said(self) -> str:
        """Everything in one line."""
        return " · ".join(part for part in (self.server, self.realm, self.title) if part)


async def web_page(host: str, port: int) -> Page | None:
    """The front page of a web server; None if there is none."""
    try:
        async with asyncio.timeout(3.0):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(f"GET / HTTP/1.0\r\nHost: {host}\r\nUser-Agent: gatehouse-scan\r\n\r\n".encode())
                data = b""
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(2.0):
                        while len(data) < HTTP_LIMIT and (more := await reader.read(4096)):
                            data += more
            finally:
                writer.transport.abort()
    except (TimeoutError, OSError):
        return None
    return page_of(data)


def page_of(data: bytes) -> Page | None:
    """The head and title of an HTTP answer; None if it is none."""
    if not data.startswith(b"HTTP/"):
        return None
    text = data.decode("utf-8", errors="replace")

    def found(pattern: str) -> str:
        match = re.search(pattern, text, re.IGNORECASE | re.DOTALL)
        return " ".join(match[1].split())[:60] if match else ""

    return Page(found(r"\r?\nServer:\s*([^\r\n]+)"), found(r'realm="?([^"\r\n]+)'), found(r"<title[^>]*>(.*?)</title>"))

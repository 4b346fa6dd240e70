"""Accepts a server's connections itself: each is counted at once and lives on only where there is room for it.

A server of the event loop accepts all that wait before anybody hears of the first: half-open connections then take
every descriptor of the process, also those that its wires need to come back.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable
from typing import Final, Protocol

import structlog
from prometheus_client import Counter, Gauge

from web.addresses import lies_in
from web.server.room import Full, Guest, Limits, Room

log = structlog.get_logger("web.listener")

HELD = Gauge("gatehouse_web_connections", "Open connections of each server", ["server"])
REFUSED = Counter("gatehouse_web_connections_refused", "Connections that had to go for others", ["server", "full"])

BACKLOG: Final = 512
"""Connections that wait in the kernel, which takes no descriptor: what comes beside a flood need not come again."""

RECEIVE: Final = 65_536
"""Bytes that the kernel takes of each connection ahead of us: what is refused has not come far, and who sends more than
is read waits. Over a way of 30 ms it lets through 2 MB a second."""

AT_ONCE: Final = 32
ADMITTED_AT_ONCE: Final = 16
PAUSE_S: Final = 0.005
RESTS: Final = 9
REST_AT_MOST_S: Final = 0.1
"""So many are accepted, and of them let in, one after the other; then others have their turn, for so many times as
long: a flood takes a tenth of the loop's time at the most, and holds up no door."""

HANDSHAKE_S: Final = 10.0
"""How long TLS may take."""

AGAIN_S: Final = 0.2
"""When no descriptor is left after all, it is tried again after so long."""

QUIET_S: Final = 60.0
"""A flood is told in the log once in so long."""

OnRefused = Callable[[str], object]
"""Hears, in words, of connections that had to go."""


class _Closable(Protocol):
    def abort(self) -> None: ...


class Place:
    """A connection's own place in the room. Its protocol says how far the request is."""

    def __init__(self, listener: Listener, guest: Guest) -> None:
        self._listener = listener
        self.guest = guest
        self.transport: _Closable | None = None
        self.connecting: asyncio.Task[None] | None = None

    @property
    def who(self) -> str:
        """Whose turn it is when it is this connection's: its address's; those of a proxy each have their own."""
        spared = lies_in(self.guest.address, self._listener.room.limits.spared)
        return f"{self.guest.address} {id(self):x}" if spared else self.guest.subscriber

    def waits(self) -> None:
        """It waits for (more of) a request."""
        self._listener.room.waits(self.guest, time.monotonic())

    def is_served(self) -> None:
        """Its request is whole."""
        self._listener.room.is_served(self.guest)

    def leave(self) -> None:
        """It is closed."""
        self._listener.left(self.guest)

    def end(self) -> None:
        """Closes it at once."""
        if self.transport is not None:
            self.transport.abort()
        elif self.connecting is not None:
            self.connecting.cancel()


MakeProtocol = Callable[[Place], asyncio.Protocol]


class Listener:
    """One listening socket. `name`: what it is called in figures; `on_refused` hears what was closed, in words."""

    def __init__(
        self,
        name: str,
        listening: socket.socket,
        make: MakeProtocol,
        limits: Limits,
        *,
        tls: ssl.SSLContext | None = None,
        on_refused: OnRefused = lambda words: None,
    ) -> None:
        self.room = Room(limits)
        self._name = name
        self._listening = listening
        self._make = make
        self._tls = tls
        self._on_refused = on_refused
        self._places: dict[Guest, Place] = {}
        self._loop = asyncio.get_running_loop()
        self._rest: asyncio.TimerHandle | None = None
        self._told_at = -QUIET_S
        self._untold = 0
        self._gone: list[tuple[Guest, Full]] = []
        self._held = HELD.labels(name)
        self._refused = {full: REFUSED.labels(name, full.name.lower()) for full in Full}

    @property
    def port(self) -> int:
        """The port that it listens on."""
        found: int = self._listening.getsockname()[1]
        return found

    def start(self) -> None:
        """Begins to accept."""
        self._loop.add_reader(self._listening, self._accept)

    def close(self) -> None:
        """Accepts no more; who is not connected yet is let go."""
        self._pause_over()
        self._loop.remove_reader(self._listening)
        self._listening.close()
        for place in list(self._places.values()):
            if place.transport is None:
                place.end()

    def left(self, guest: Guest) -> None:
        """A connection is closed."""
        self.room.leave(guest)
        self._places.pop(guest, None)
        self._held.set(self.room.count)

    # --- Accepting

    def _accept(self) -> None:
        now = time.monotonic()
        if self._accept_some(now):
            took = time.monotonic() - now
            self._pause(min(max(PAUSE_S, took * RESTS), REST_AT_MOST_S))
        self._held.set(self.room.count)
        if self._gone:
            self._tell(now)

    def _accept_some(self, now: float) -> bool:
        """Whether there may be more."""
        admitted = 0
        for _ in range(AT_ONCE):
            try:
                connected, peer = self._listening.accept()
            except (BlockingIOError, InterruptedError):
                return False
            except ConnectionError:
                continue  # it went away before its turn
            except OSError as wrong:  # no descriptor, no memory: the others need what is left
                log.error("no connection can be accepted", server=self._name, why=str(wrong))  # noqa: TRY400
                self._pause(AGAIN_S)
                return False
            admitted += self._admit(connected, str(peer[0]), now)
            if admitted >= ADMITTED_AT_ONCE:
                break
        return True

    def _admit(self, connected: socket.socket, address: str, now: float) -> bool:
        guest = Guest(address)
        leaves, full = self.room.enter(guest, now)
        if leaves is not None and full is not None:
            self._gone.append((leaves, full))
        if leaves is guest:
            connected.close()
            return False
        if leaves is not None:
            self._places.pop(leaves).end()
        connected.setblocking(False)
        place = self._places[guest] = Place(self, guest)
        place.connecting = self._loop.create_task(self._connect(connected, place), name=f"{self._name} from {address}")
        # One that had to go before it had a transport.
        place.connecting.add_done_callback(lambda task: connected.close() if task.cancelled() else None)
        return True

    async def _connect(self, connected: socket.socket, place: Place) -> None:
        try:
            place.transport, _ = await self._loop.connect_accepted_socket(
                lambda: self._make(place),
                connected,
                ssl=self._tls,
                ssl_handshake_timeout=HANDSHAKE_S if self._tls else None,
            )
        except OSError as wrong:  # ssl's own errors are of this kind
            log.debug("connection not made", server=self._name, address=place.guest.address, why=str(wrong))
            place.leave()
            return
        if place.guest not in self._places:
            place.transport.abort()  # it had to go in this very moment

    def _pause(self, seconds: float) -> None:
        self._loop.remove_reader(self._listening)
        self._rest = self._loop.call_later(seconds, self._go_on)

    def _go_on(self) -> None:
        self._rest = None
        self._loop.add_reader(self._listening, self._accept)

    def _pause_over(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None

    def _tell(self, now: float) -> None:
        gone, self._gone = self._gone, []
        for full, counter in self._refused.items():
            counter.inc(sum(each is full for _, each in gone))
        who, full = gone[-1]
        limits = self.room.limits
        limit = {Full.ADDRESS: limits.each, Full.ALL: limits.in_all, Full.RATE: f"{limits.rate or 0:g} a second"}[full]
        words = f"{len(gone)} connections beyond {limit}, the last from {who.address}"
        self._on_refused(words)
        self._untold += len(gone)
        if now - self._told_at >= QUIET_S:
            log.warning("connections refused", server=self._name, why=words, refused=self._untold)
            self._told_at, self._untold = now, 0


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket that listens, not blocking. `OSError` if the port is taken or the host is not this machine's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE)
    listening.setblocking(False)
    return listening

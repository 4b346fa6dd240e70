"""How long a client may take for its request: a connection on which nothing whole comes is closed.

uvicorn waits for ever before the first byte and between any two of a request; whoever reaches the port could hold every
file that the process may open, and a gateway needs them for its wires. Nor is it heard to the end when it was answered:
what is refused would cost as much as what is done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from web.server.listener import Place
from web.server.turns import Turns

HEAD_S: Final = 6.0
"""From the connection, or from the first byte of another request on it, to the end of the request's headers."""

BODY_S: Final = 60.0
"""From there to the end of its body: 8 MB over a slow camera's network."""

STUCK_S: Final = 60.0
"""How long nobody may take anything of an answer that waits."""

UNHEARD: Final = 65_536
"""Bytes of a request that are still read, and dropped, after it was answered, so that the connection can go on."""

LINGER_S: Final = 1.0
"""How long who sends more than that has for reading why, before his connection is closed."""

QUEUED_S: Final = 20.0
"""How long a request waits for its turn."""

FULL: Final = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

_HEADS_END: Final = b"\r\n\r\n"


class Patient(H11Protocol):
    """uvicorn's HTTP/1.1 with an end to its patience. Answers and live streams may last while somebody reads them.

    `place`: hears how far the connection's request is. `turns`: by which requests begin, and go on once their body is
    whole; at once, where there are none.
    """

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], place: Place, turns: Turns | None
    ) -> None:
        super().__init__(config, server_state, app_state)
        if turns is not None:
            self.app = turns.metered(self.app)
        self._place = place
        self._turns = turns
        self._asked = False
        self._received = False
        self._is_whole = False
        self._end = b""
        self._left: int | None = 0
        self._dropped = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Waits for the first request."""
        super().connection_made(transport)
        self._waited: object = None
        self._limit: asyncio.TimerHandle | None = None
        self._stuck: asyncio.TimerHandle | None = None
        self._watch()

    def data_received(self, data: bytes) -> None:
        """More of a request; a byte more does not make the time longer."""
        if self.conn.their_state is h11.SEND_BODY:
            if self._left is not None:
                self._left -= len(data)
                self._is_whole = self._left <= 0
            elif self.conn.our_state is h11.DONE:
                self._dropped += len(data)
                if self._dropped > UNHEARD:
                    self._linger()
                    return
        else:
            seen = self._end + data
            self._end = seen[-len(_HEADS_END) + 1 :]
            self._is_whole = _HEADS_END in seen
        self._received = True
        super().data_received(data)
        if not self._asked:
            self._watch()

    def handle_events(self) -> None:
        """Goes on with what was received: when it is its turn, if a request begins with it or a body ends."""
        if self._turns is None or not self._needs_turn():
            self._go_on()
        elif self._received and not self._asked:
            self._asked = True
            self.flow.pause_reading()
            self._turns.ask(self._place.who, self._begin)
            if self._asked and self._is_whole:
                # It is ours to come to it now: nobody is closed, or gives way, because we let him wait.
                self._limit_to(QUEUED_S, self._turn_away)
                self._waited = None
                self._place.is_served()
        elif self._asked:
            self.flow.pause_reading()  # whoever waits for the body has it read on

    def _needs_turn(self) -> bool:
        state = self.conn.their_state
        return state is h11.IDLE or (state is h11.SEND_BODY and (self._left is None or self._left <= 0))

    def _begin(self) -> None:
        self._asked = self._received = False
        if not self.transport.is_closing():
            self.flow.resume_reading()
            self._go_on()
            self._watch()

    def _turn_away(self) -> None:
        if self.conn.our_state is h11.IDLE:
            self.transport.write(FULL)
            self.transport.close()
        else:
            self.transport.abort()

    def _go_on(self) -> None:
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:
            length = next((value for name, value in self.headers if name == b"content-length"), None)
            chunked = any(name == b"transfer-encoding" for name, _ in self.headers)
            self._left = None if chunked else int(length or 0) - len(self.cycle.body)
            self._dropped = 0
            self._end, self._is_whole = b"", False

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is waited for any more."""
        self._forget()
        self.resume_writing()
        self._place.leave()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Waits for the next request, if there is one."""
        if self.conn.their_state is h11.SEND_BODY and (self._left or 0) > UNHEARD:
            self._linger()
            return
        # The next one may have come already.
        self._received = bool(self.conn.trailing_data[0])
        super().on_response_complete()
        self._place.waits()

    def pause_writing(self) -> None:
        """Nobody takes the answer."""
        super().pause_writing()
        self._stuck = self.loop.call_later(STUCK_S, self.transport.abort)

    def resume_writing(self) -> None:
        """Somebody does again."""
        super().resume_writing()
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    def _linger(self) -> None:
        """Reads no more, so that he has time for the answer; who is cut off at once never sees it."""
        self.flow.pause_reading()
        self._limit_to(LINGER_S, self.transport.abort)

    def _watch(self) -> None:
        state = self.conn.their_state
        if state is self._waited:
            return
        self._forget()
        self._waited = state
        seconds = HEAD_S if state is h11.IDLE else BODY_S if state is h11.SEND_BODY else None
        if seconds is None:
            self._place.is_served()
        else:
            self._place.waits()
            self._limit_to(seconds, self.transport.abort)

    def _limit_to(self, seconds: float, then: Callable[[], object]) -> None:
        self._forget()
        self._limit = self.loop.call_later(seconds, then)

    def _forget(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None

"""How long a client may take for its request: a connection on which nothing whole comes is closed.

uvicorn waits for ever before the first byte and between any two of a request; whoever reaches the port could hold every
file that the process may open, and a gateway needs them for its wires. Nor is it heard to the end when it was answered:
what is refused would cost as much as what is done.
"""

from __future__ import annotations

import asyncio
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


class Patient(H11Protocol):
    """uvicorn's HTTP/1.1 with an end to its patience. Answers and live streams may last while somebody reads them.

    `place`: hears how far the connection's request is. `turns`: when one may begin; at once, where there are none.
    """

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], place: Place, turns: Turns | None
    ) -> None:
        super().__init__(config, server_state, app_state)
        self._place = place
        self._turns = turns
        self._asked = False
        self._received = False
        self._heard = self._hears = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Waits for the first request."""
        super().connection_made(transport)
        self._waited: object = None
        self._limit: asyncio.TimerHandle | None = None
        self._stuck: asyncio.TimerHandle | None = None
        self._watch()

    def data_received(self, data: bytes) -> None:
        """More of a request; a byte more does not make the time longer."""
        if self.conn.their_state is h11.IDLE:
            self._heard = 0
        self._heard += len(data)
        if self._is_answered() and self._heard > self._hears:
            self._linger()
            return
        self._received = True
        super().data_received(data)
        self._watch()

    def handle_events(self) -> None:
        """Goes on with what was received; another request begins when it is its turn."""
        if self._turns is None or self.conn.their_state is not h11.IDLE:
            super().handle_events()
        elif self._received and not self._asked:
            self._asked = True
            self.flow.pause_reading()
            self._turns.ask(self._place.guest.subscriber, self._begin)

    def _begin(self) -> None:
        self._asked = self._received = False
        if not self.transport.is_closing():
            self.flow.resume_reading()
            super().handle_events()
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is waited for any more."""
        self._forget()
        self.resume_writing()
        self._place.leave()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Waits for the next request, if there is one."""
        if self._is_answered():
            self._hears = self._heard + UNHEARD
            if self._announced() > self._hears:
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

    def _is_answered(self) -> bool:
        return self.conn.their_state is h11.SEND_BODY and self.conn.our_state is h11.DONE

    def _announced(self) -> int:
        length = next((value for name, value in self.headers if name == b"content-length"), b"")
        return int(length) if length.isdigit() else 0

    def _linger(self) -> None:
        """Reads no more, so that he has time for the answer; who is cut off at once never sees it."""
        self.flow.pause_reading()
        self._forget()
        self._limit = self.loop.call_later(LINGER_S, self.transport.abort)

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
            self._limit = self.loop.call_later(seconds, self.transport.abort)

    def _forget(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None

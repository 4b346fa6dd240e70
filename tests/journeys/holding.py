"""A wire between a browser and a server that can go dead without being cut, as a basement's or a switch's does."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

_POLL_S = 0.1


class Wire:
    """Forwards what comes to `url` (of this object) to a server on loopback.

    `dead`: connections stay and are taken, and not one byte passes. `hung`: answers to requests that begin with this
    never come (a proxy that buffers a stream); everything else passes.
    """

    def __init__(self, server: str) -> None:
        self.dead = threading.Event()
        self.hung: bytes | None = None
        self._server = ("127.0.0.1", urlsplit(server).port or 80)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ended = threading.Event()
        self._open: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Ends it, and every connection through it."""
        self._ended.set()
        for one in (self._listener, *self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._server)
            except OSError:
                return
            self._open += [near, far]
            hung = threading.Event()
            threading.Thread(target=self._pass, args=(near, far, hung, True), daemon=True).start()
            threading.Thread(target=self._pass, args=(far, near, hung, False), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, hung: threading.Event, asks: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if asks and self.hung is not None and data.startswith(self.hung):
                    hung.set()
                while (self.dead.is_set() or (hung.is_set() and not asks)) and not self._ended.is_set():
                    self._ended.wait(_POLL_S)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


@contextmanager
def wire(server: str) -> Iterator[Wire]:
    """A wire to a server."""
    made = Wire(server)
    try:
        yield made
    finally:
        made.close()

"""A serial line with a listener on it: a master on one pty, a slave on another, and whatever either says on a third."""

from __future__ import annotations

import os
import select
import threading
import tty
from pathlib import Path


class Tap:
    """Relays between a pty for the master and the slave's own port; `port` is where a third may listen."""

    def __init__(self, slave_port: str) -> None:
        self._ends = [os.openpty(), os.openpty()]
        for pair in self._ends:
            for end in pair:
                tty.setraw(end)
        self.master_port = os.ttyname(self._ends[0][1])
        self.port = os.ttyname(self._ends[1][1])
        self._slave = os.open(Path(slave_port).resolve(), os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self._slave)
        self._stop_read, self._stop_write = os.pipe()
        self.heard_from_listener = b""
        self._thread = threading.Thread(target=self._relay, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Takes the line away."""
        os.write(self._stop_write, b".")
        self._thread.join(10)
        for end in (*self._ends[0], *self._ends[1], self._slave, self._stop_read, self._stop_write):
            os.close(end)

    def _relay(self) -> None:
        master, listener = self._ends[0][0], self._ends[1][0]
        while True:
            ready, _, _ = select.select([master, listener, self._slave, self._stop_read], [], [])
            if self._stop_read in ready:
                return
            if listener in ready:
                self.heard_from_listener += os.read(listener, 4096)
            for source, sink in ((master, self._slave), (self._slave, master)):
                if source in ready:
                    data = os.read(source, 4096)
                    os.write(listener, data)
                    os.write(sink, data)

"""Where a journal stands: what is committed, what is on the disk, what the hub has acknowledged."""

from __future__ import annotations

from contract.events import Hash, StreamId
from gateway.journal.records import Place


class Position:
    """Belongs to one event loop; whoever inherits it moves it."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._acked = 0
        self._first = 1
        self._on_disk: Place | None = None

    @property
    def stream(self) -> StreamId:
        """The current stream's id."""
        return self._place.stream

    @property
    def life(self) -> tuple[int, StreamId]:
        """Which life of the journal this is: another with each fork, and with each file that was begun anew."""
        return self._place.number, self._place.stream

    @property
    def first(self) -> int:
        """The lowest sequence of the current stream that is still held (1 when there is none)."""
        return self._first

    @property
    def floor(self) -> int:
        """The lowest sequence after which everything is still held, with the hash before it."""
        return 0 if self._first == 1 else self._first

    @property
    def last(self) -> int:
        """The last sequence committed; 0 in a new stream."""
        return self._place.seq

    @property
    def last_id(self) -> int:
        """The last local id committed."""
        return self._place.id

    @property
    def acked(self) -> int:
        """The last sequence that the hub has acknowledged."""
        return self._acked

    @property
    def durable(self) -> int:
        """The last sequence known to be on the disk; nothing beyond it is sent."""
        return self.durable_head[0]

    @property
    def durable_head(self) -> tuple[int, Hash]:
        """The last sequence on the disk and its hash."""
        place = self._on_disk
        if place is None or place.number != self._place.number:
            return 0, "0" * 64
        return place.seq, place.head

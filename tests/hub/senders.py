"""The other end of the wire for the hub's tests: a journal that makes batches, and what was sent back to it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
from sqlalchemy import text

from contract import topics, wire
from contract.acks import Ack
from contract.events import GENESIS, Batch, Event, Moved, chain
from contract.instants import Instant, instant
from contract.presence import Presence, Versions
from contract.topics import UpTopic
from hub.database.transactions import Database
from hub.gateways.service import enrol
from hub.ingest.arrivals import Arrival, EventsArrived, arrival

NOW_MS = 1_790_000_000_000
STREAM = "a" * 32


class Journal:
    """A gateway's stream; `copied` is what a restored backup of it would be."""

    def __init__(self, gateway: str = "gw-1", stream: str = STREAM) -> None:
        self.gateway = gateway
        self.stream = stream
        self.events: list[Event] = []
        self.hashes: list[str] = []
        self.firsts: dict[int, tuple[str, int, str]] = {}

    def record(
        self,
        kind: str = "door.opened",
        data: bytes = b'{"by":"free"}',
        source: str = "lobby-a",
        at: Instant | None = None,
    ) -> Event:
        """Append one event."""
        seq = len(self.events) + 1
        event = Event(seq=seq, at=at or instant(NOW_MS + seq), kind=kind, source=source, data=msgspec.Raw(data))
        self.events.append(event)
        self.hashes += chain(self.hash_at(seq - 1), [event])
        return event

    def record_many(self, count: int, mark: str = "free") -> Journal:
        """Append `count` events whose data differs from other marks'."""
        for _ in range(count):
            self.record(data=msgspec.json.encode({"by": mark}))
        return self

    def hash_at(self, seq: int) -> str:
        """The hash of the event `seq`."""
        return GENESIS if seq == 0 else self.hashes[seq - 1]

    def copied(self, up_to: int) -> Journal:
        """A copy as it was at `up_to`."""
        copy = Journal(self.gateway, self.stream)
        copy.events, copy.hashes = self.events[:up_to], self.hashes[:up_to]
        copy.firsts = dict(self.firsts)
        return copy

    def forked(self, agreed: int, stream: str) -> Journal:
        """What a fork makes of it: `stream.forked`, and behind it everything after `agreed`, with its first places."""
        fork = Journal(self.gateway, stream)
        data = {"old_stream": self.stream, "agreed": agreed, "why": "copied back"}
        fork.record("stream.forked", msgspec.json.encode(data), self.gateway)
        for event in self.events[agreed:]:
            moved = fork.record(event.kind, bytes(event.data), event.source, event.at)
            first = self.firsts.get(event.seq) or (self.stream, event.seq, self.hash_at(event.seq))
            fork.firsts[moved.seq] = first
        return fork

    def batch(self, first: int, last: int) -> Batch:
        """Events `first`..`last` as one batch."""
        return Batch(
            stream=self.stream,
            first_seq=first,
            prev=self.hash_at(first - 1),
            head=self.hash_at(last),
            events=tuple(self.events[first - 1 : last]),
            moved=tuple(
                Moved(seq=seq, stream=stream, was=was, hash=digest)
                for seq, (stream, was, digest) in self.firsts.items()
                if first <= seq <= last
            ),
        )

    def arrived(self, first: int, last: int) -> EventsArrived:
        """The same after it came over the wire."""
        found = arrived(self.gateway, "events", self.batch(first, last))
        assert isinstance(found, EventsArrived)
        return found

    def presence(self, state: str = "birth", *, at_ms: int = NOW_MS, desired: int = 0, site: str = "demo") -> Presence:
        """What the gateway says of itself."""
        return Presence(
            state=state,  # type: ignore[arg-type]
            gateway=self.gateway,
            site=site,
            at=instant(at_ms),
            stream=self.stream,
            head_seq=len(self.events),
            head=self.hash_at(len(self.events)),
            versions=Versions(software="1.0", desired=desired, site_file="abc"),
        )


class Sent:
    """Stands in for the downlink: keeps what was sent to whom."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, topics.DownKind, msgspec.Struct]] = []
        self.open = True
        self.something = asyncio.Event()

    def __call__(self, gateway: str, kind: topics.DownKind, message: msgspec.Struct) -> bool:
        """Take a message, as long as it is open."""
        if self.open:
            self.messages.append((gateway, kind, message))
            self.something.set()
        return self.open

    def acks(self) -> list[tuple[str, str, int]]:
        """(stream, state, seq) of each acknowledgement so far; forgets them."""
        found: list[tuple[str, str, int]] = [
            (ack.stream, ack.state, ack.seq) for _, _, ack in self.messages if isinstance(ack, Ack)
        ]
        self.messages = [one for one in self.messages if not isinstance(one[2], Ack)]
        return found


def arrived(gateway: str, kind: str, message: msgspec.Struct, at_ms: int = NOW_MS) -> Arrival:
    """`message` after it came over the wire."""
    return arrival(UpTopic("s1", gateway, kind), wire.encode(message), at_ms)


async def enrolled(database: Database, *gateways: str, site: str = "demo") -> None:
    """Enrol `gateways` for `site`."""
    async with database.transaction() as conn:
        for gateway in gateways:
            await enrol(conn, gateway, site)


async def rows(database: Database, query: str, **values: object) -> Sequence[tuple[object, ...]]:
    """What `query` finds."""
    async with database.transaction() as conn:
        return [tuple(row) for row in await conn.execute(text(query), values)]

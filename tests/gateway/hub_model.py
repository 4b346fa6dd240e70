"""A hub's receiving end in memory: the hub's own stream rule, and the places of moved events, on dictionaries."""

from __future__ import annotations

import time

from contract.acks import Ack
from contract.events import Batch, chain
from contract.facts.gateway import StreamForked
from contract.instants import Instant, instant
from contract.kinds import decode_data
from contract.presence import Presence
from hub.ingest.rule import BatchVerdict, Head, empty_head, judge, judge_birth


def now() -> Instant:
    """The hub's time: gateways go by it."""
    return instant(time.time_ns() // 1_000_000)


class ModelHub:
    """Holds (kind, source, hash) of each event by stream. Every answer says what the real one would say."""

    def __init__(self, gateway: str) -> None:
        self.gateway = gateway
        self.heads: dict[str, Head] = {}
        self.held: dict[str, list[tuple[str, str, str]]] = {}
        self.places: set[tuple[str, int, str]] = set()
        self.again: set[tuple[str, int]] = set()

    def sources(self, kind: str) -> list[str]:
        """The sources of all events of one kind, stream by stream."""
        return [
            source
            for stream, rows in self.held.items()
            for seq, (each, source, _) in enumerate(rows, start=1)
            if each == kind and (stream, seq) not in self.again
        ]

    def birth(self, presence: Presence) -> Ack:
        """Judges a birth, or another sign of life that asks."""
        rows = self.held.get(presence.stream, [])
        seq = presence.head_seq
        at_head = rows[seq - 1][2] if 0 < seq <= len(rows) else None
        head = self.heads.get(presence.stream)
        verdict = judge_birth(head, self.gateway, presence, at_head)
        return _ack(presence.stream, verdict, head.hash if head is not None and 0 < verdict.seq == head.seq else None)

    def batch(self, batch: Batch) -> Ack:
        """Takes a batch or says why not."""
        rows = self.held.get(batch.stream, [])
        hashes = chain(batch.prev, batch.events)
        held = {seq: each[2] for seq, each in enumerate(rows, start=1)}
        verdict = judge(self.heads.get(batch.stream) or empty_head(self.gateway), self.gateway, batch, hashes, held)
        if verdict.state == "accept":
            self._store(batch, hashes, verdict.seq)
            verdict = BatchVerdict("committed", batch.events[-1].seq)
        return _ack(batch.stream, verdict, batch.head if verdict.state == "committed" else None)

    def take_over(self, stream: str, seq: int, batch: Batch | None) -> None:
        """Has a stream up to `seq` from before, as the next batch says."""
        if batch is not None:
            self.heads[stream] = Head(self.gateway, seq, batch.prev)
            self.held[stream] = [("", "", "")] * seq

    def _store(self, batch: Batch, hashes: list[str], after: int) -> None:
        rows = self.held.setdefault(batch.stream, [])
        firsts = {moved.seq: (moved.stream, moved.was, moved.hash) for moved in batch.moved}
        for event, digest in zip(batch.events, hashes, strict=True):
            if event.seq <= after:
                continue
            rows.append((event.kind, event.source, digest))
            first = firsts.get(event.seq)
            if first in self.places:
                self.again.add((batch.stream, event.seq))
            self.places |= {(batch.stream, event.seq, digest)} | ({first} if first else set())
            data = decode_data(event.kind, event.data)
            if isinstance(data, StreamForked):
                old = self.heads.get(data.old_stream) or empty_head(self.gateway)
                self.heads[data.old_stream] = old._replace(ended=True)
        self.heads[batch.stream] = Head(self.gateway, batch.events[-1].seq, hashes[-1])


def _ack(stream: str, verdict: BatchVerdict, head: str | None) -> Ack:
    assert verdict.state != "accept"
    return Ack(stream=stream, state=verdict.state, seq=verdict.seq, at=now(), why=verdict.why, head=head)

"""A hub's receiving end in memory: the hub's own stream rule on rows in a dictionary."""

from __future__ import annotations

from contract.acks import Ack
from contract.events import Batch, chain
from contract.kinds import StreamForked, decode_data
from contract.presence import Presence
from hub.ingest.rule import Head, Verdict, empty_head, judge, judge_birth

AT = "2026-09-21T14:13:20.000Z"


class ModelHub:
    """Holds (kind, source, hash) of each event by stream. Every answer says what the real one would say."""

    def __init__(self, gateway: str) -> None:
        self.gateway = gateway
        self.heads: dict[str, Head] = {}
        self.held: dict[str, list[tuple[str, str, str]]] = {}

    def sources(self, kind: str) -> list[str]:
        """The sources of all events of one kind, stream by stream."""
        return [source for rows in self.held.values() for each, source, _ in rows if each == kind]

    def birth(self, presence: Presence) -> Ack | None:
        """Judges a birth."""
        rows = self.held.get(presence.stream, [])
        seq = presence.head_seq
        at_head = rows[seq - 1][2] if 0 < seq <= len(rows) else None
        verdict = judge_birth(self.heads.get(presence.stream), self.gateway, presence, at_head)
        return None if verdict is None else _ack(presence.stream, verdict, presence.head)

    def batch(self, batch: Batch) -> Ack:
        """Takes a batch or says why not."""
        rows = self.held.get(batch.stream, [])
        hashes = chain(batch.prev, batch.events)
        held = {seq: each[2] for seq, each in enumerate(rows, start=1)}
        verdict = judge(self.heads.get(batch.stream) or empty_head(self.gateway), self.gateway, batch, hashes, held)
        if verdict.state == "accept":
            self._store(batch, hashes, verdict.seq)
            verdict = Verdict("committed", batch.events[-1].seq)
        return _ack(batch.stream, verdict, batch.head)

    def _store(self, batch: Batch, hashes: list[str], after: int) -> None:
        rows = self.held.setdefault(batch.stream, [])
        for event, digest in zip(batch.events, hashes, strict=True):
            if event.seq <= after:
                continue
            rows.append((event.kind, event.source, digest))
            data = decode_data(event.kind, event.data)
            if isinstance(data, StreamForked) and data.old_stream in self.heads:
                self.heads[data.old_stream] = self.heads[data.old_stream]._replace(ended=True)
        self.heads[batch.stream] = Head(self.gateway, batch.events[-1].seq, hashes[-1])


def _ack(stream: str, verdict: Verdict, head: str) -> Ack:
    assert verdict.state != "accept"
    meant = head if verdict.state == "committed" else None
    return Ack(stream=stream, state=verdict.state, seq=verdict.seq, at=AT, why=verdict.why, head=meant)

"""Input that could not be understood: counted always, recorded at most once a minute and wire."""

from __future__ import annotations

from dataclasses import dataclass

from contract.facts.machines import InputRefused
from drivers.reports import InputRefused as Refusal
from gateway.engine.desk.record import Facts, Record
from gateway.engine.desk.timers import Timers

QUIET_S = 60.0
SAMPLE_LIMIT = 64
"""Bytes of a sample that an event carries."""


@dataclass(slots=True)
class _Waiting:
    count: int = 0
    last: Refusal | None = None


class Refusals:
    """The first refusal of a wire is recorded at once; what follows within a minute is one event at its end."""

    def __init__(self, record: Record, timers: Timers) -> None:
        self._record = record
        self._timers = timers
        self._quiet: dict[str, _Waiting] = {}
        self.counts: dict[str, int] = {}

    def refuse(self, refusal: Refusal) -> None:
        """Takes note of one piece of input that nobody could read."""
        wire = refusal.wire
        self.counts[wire] = self.counts.get(wire, 0) + 1
        waiting = self._quiet.get(wire)
        if waiting is not None:
            waiting.count += 1
            waiting.last = refusal
            return
        self._say(refusal, 1)

    def _say(self, refusal: Refusal, count: int) -> None:
        self._quiet[refusal.wire] = _Waiting()
        self._timers.after(QUIET_S, lambda: self._quiet_over(refusal.wire))
        data = InputRefused(wire=refusal.wire, why=refusal.why, count=count, sample=readable(refusal.sample))
        facts = Facts()
        facts.say("input.refused", refusal.wire, data)
        self._record.append(facts)

    def _quiet_over(self, wire: str) -> None:
        waiting = self._quiet.pop(wire)
        if waiting.last is not None:
            self._say(waiting.last, waiting.count)


def readable(sample: bytes) -> str:
    """A sample for a person's eyes: text where it is text, hex where it is not."""
    head = sample[:SAMPLE_LIMIT]
    text = head.decode("ascii", "replace")
    return text if text.isprintable() and "\ufffd" not in text else head.hex(" ")

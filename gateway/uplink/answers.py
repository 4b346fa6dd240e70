"""What became of commands, for the next sign of life: results that are on the disk and that the hub has not got yet.

As events they stand in the outbox behind whatever waits there; whoever asked must not wait for that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple

from contract.errors import Malformed
from contract.facts.gateway import CommandResult
from contract.kinds import decode_data
from contract.presence import ANSWERED_LIMIT, Answered
from gateway.journal import Journal, Recorded

STATES: dict[str, Literal["done", "failed", "expired"]] = {
    "command.done": "done",
    "command.failed": "failed",
    "command.expired": "expired",
}
"""Kind of event → what became of the command."""


class _Kept(NamedTuple):
    stream: str
    seq: int
    id: int
    answer: Answered


class Answers:
    """Follows the journal. `announce` is called when a result has reached the disk."""

    def __init__(self, journal: Journal, announce: Callable[[], None]) -> None:
        self._journal = journal
        self._announce = announce
        self._kept: deque[_Kept] = deque(maxlen=ANSWERED_LIMIT)
        self._told = 0
        journal.subscribe(self._recorded)
        journal.watch_durable(self._on_disk)

    async def recall(self) -> None:
        """Reads from the journal what waits there: after a start, a fork (new places) or a rewinding (more waits).

        What nobody knew of is announced. `OSError` if the journal cannot be read now.
        """
        found: list[Recorded] = []
        for kind in STATES:
            found += await self._journal.events(kind=kind, limit=ANSWERED_LIMIT)
        # What was recorded during the reading is known already, and may not be among what was found.
        known = {kept.id: kept for kept in self._kept if kept.stream == self._journal.stream}
        more = {kept.id: kept for kept in self._results(found)}
        new = more.keys() - known.keys()
        known |= more
        self._kept = deque((known[id] for id in sorted(known)), maxlen=ANSWERED_LIMIT)
        if new:
            self._told = min(self._told, min(new) - 1)
            self._on_disk()

    def waiting(self) -> list[Answered]:
        """The answers to tell, oldest first."""
        journal = self._journal
        while self._kept and (self._kept[0].stream != journal.stream or self._kept[0].seq <= journal.acked):
            self._kept.popleft()
        told = [kept for kept in self._kept if kept.seq <= journal.durable]
        if told:
            self._told = told[-1].id
        return [kept.answer for kept in told]

    def _recorded(self, events: Iterable[Recorded]) -> None:
        self._kept.extend(self._results(events))

    def _results(self, events: Iterable[Recorded]) -> Iterator[_Kept]:
        for event in events:
            state = STATES.get(event.kind)
            if state is None or event.stream != self._journal.stream or event.seq <= self._journal.acked:
                continue
            try:
                result = decode_data(event.kind, event.data)
            except Malformed:
                continue  # of another software; its event tells it
            assert isinstance(result, CommandResult)
            answer = Answered(command=result.command[:36], state=state, at=event.at, why=result.why)
            yield _Kept(event.stream, event.seq, event.id, answer)

    def _on_disk(self) -> None:
        if any(self._told < kept.id and kept.seq <= self._journal.durable for kept in self._kept):
            self._announce()

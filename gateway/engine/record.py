"""The one road of a fact: into the journal first, then to those who watch what it changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from contract.events import Event
from gateway.journal import Draft, StateChange


class Thing(NamedTuple):
    """Something that people watch: `kind` door, lane, alarm, ticket, point, command or gateway, and its id."""

    kind: str
    id: str


class Appends(Protocol):
    """The journal as the engine needs it."""

    async def append(self, drafts: Sequence[Draft], state: Sequence[StateChange] = ()) -> list[Event]:
        """Commits facts and state together; [] when the disk let it wait for longer than the act may."""

    def load_state(self, kind: str) -> dict[str, bytes]:
        """What was last recorded under `kind`, by id."""


class Record:
    """Appends to the journal and tells the watchers, in that order."""

    def __init__(self, journal: Appends) -> None:
        self._journal = journal
        self._watchers: list[Callable[[Sequence[Thing]], None]] = []

    async def append(
        self, drafts: Sequence[Draft], state: Sequence[StateChange] = (), changed: Sequence[Thing] = ()
    ) -> list[Event]:
        """Records facts and state in one transaction; [] if the disk hangs: the act goes on, the facts wait."""
        events = await self._journal.append(drafts, state)
        self.tell(changed)
        return events

    def load_state(self, kind: str) -> dict[str, bytes]:
        """What was last recorded under `kind`, by id."""
        return self._journal.load_state(kind)

    def watch(self, watcher: Callable[[Sequence[Thing]], None]) -> None:
        """From now on `watcher` hears of everything that changes. It must return at once."""
        self._watchers.append(watcher)

    def tell(self, changed: Sequence[Thing]) -> None:
        """Says that these things have another state now."""
        if changed:
            for watcher in self._watchers:
                watcher(changed)

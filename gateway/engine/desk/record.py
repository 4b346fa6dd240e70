"""The one road of a fact: into the journal first, then to those who watch what it changed.

`Record.append` puts the facts into the journal before it returns: what a part says first is recorded first, whoever
waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeVar

import msgspec
import structlog

from gateway.journal import Draft, Late, Recorded, StateChange
from gateway.listeners import Listeners

log = structlog.get_logger(__name__)

T = TypeVar("T")


class Thing(NamedTuple):
    """Something that people watch: `kind` door, lane, alarm, ticket, point, command or gateway, and its id."""

    kind: str
    id: str


@dataclass(slots=True)
class Facts:
    """What is recorded in one transaction, and which things are different afterwards."""

    drafts: list[Draft] = field(default_factory=list)
    state: list[StateChange] = field(default_factory=list)
    changed: list[Thing] = field(default_factory=list)

    def say(self, kind: str, source: str, data: msgspec.Struct, *, at_ms: int | None = None) -> None:
        """Adds an event; of now, or of `at_ms` (Unix ms) where its author keeps that moment."""
        self.drafts.append(Draft(kind=kind, source=source, data=data, at_ms=at_ms))

    def keep(self, kind: str, id: str, value: msgspec.Struct | None) -> None:
        """Adds a change of state that decisions depend on; None forgets it."""
        self.state.append(StateChange(kind, id, None if value is None else msgspec.json.encode(value)))

    def touch(self, kind: str, id: str) -> None:
        """Adds a thing that people should see anew."""
        self.changed.append(Thing(kind, id))

    def __bool__(self) -> bool:
        return bool(self.drafts or self.state or self.changed)


class Appends(Protocol):
    """The journal as the engine needs it."""

    def put(self, drafts: Sequence[Draft], state: Sequence[StateChange] = ()) -> asyncio.Future[list[Recorded]]:
        """Commits facts and state together, in the order of the calls; done with [] when the disk let it wait for
        longer than the act may."""

    @property
    def state_known(self) -> bool:
        """Whether all state of before the start is known."""

    def load_state(self, kind: str, late: Late | None = None, *, merges: bool = False) -> dict[str, bytes]:
        """What was last recorded under `kind`, by id; `late` hears what of it the disk brings later: what was not
        changed meanwhile or, if it `merges`, all."""


class Record:
    """Appends to the journal and tells the watchers, in that order."""

    def __init__(self, journal: Appends) -> None:
        self._journal = journal
        self._watchers: Listeners[Sequence[Thing]] = Listeners("things")
        self._waiting: set[asyncio.Future[list[Recorded]]] = set()
        self.failed = 0

    def append(self, facts: Facts) -> asyncio.Future[list[Recorded]]:
        """Records the facts in one transaction. Await it for the events; [] if the disk hangs: then they wait."""
        try:
            recorded = self._journal.put(facts.drafts, facts.state)
        except (ValueError, TypeError, RuntimeError, OverflowError, msgspec.MsgspecError) as error:
            # A fault of ours in one fact must not end what goes on beside it; it is counted.
            self.failed += 1
            log.exception("could not be recorded")
            return _failed(error)
        self._waiting.add(recorded)
        recorded.add_done_callback(self._waiting.discard)
        if facts.changed:
            changed = facts.changed
            recorded.add_done_callback(lambda _: self.tell(changed))
        # Who gives up waiting for it takes it from nobody else.
        return asyncio.shield(recorded)

    @property
    def state_known(self) -> bool:
        """Whether all state of before the start is known; the disk may give it long after."""
        return self._journal.state_known

    def load_state(
        self, kind: str, form: type[T], late: Callable[[dict[str, T]], None] | None = None, *, merges: bool = False
    ) -> dict[str, T]:
        """What was last recorded under `kind`, by id. A row of another form (a damaged file's) is as if it were not.

        A disk may give it long after the start, when it hung or much had to be saved: `late` hears of that then, and
        of what was changed meanwhile if it `merges`.
        """
        if late is None:
            return _formed(kind, self._journal.load_state(kind), form)
        heard = late
        rows = self._journal.load_state(kind, lambda rows: heard(_formed(kind, rows, form)), merges=merges)
        return _formed(kind, rows, form)

    def watch(self, watcher: Callable[[Sequence[Thing]], None]) -> None:
        """From now on `watcher` hears of everything that changes. It must return at once."""
        self._watchers.add(watcher)

    def tell(self, changed: Sequence[Thing]) -> None:
        """Says that these things have another state now."""
        if changed:
            self._watchers.tell(changed)

    @property
    def watchers_failed(self) -> int:
        """How often a watcher failed."""
        return self._watchers.failed

    async def finished(self) -> None:
        """Returns when nothing is on its way into the journal."""
        while self._waiting:
            await asyncio.wait(self._waiting)


def _failed(error: Exception) -> asyncio.Future[list[Recorded]]:
    failed: asyncio.Future[list[Recorded]] = asyncio.get_running_loop().create_future()
    failed.set_exception(error)
    failed.exception()  # who does not wait for it has the log
    return failed


def _formed(kind: str, rows: Mapping[str, bytes], form: type[T]) -> dict[str, T]:
    found: dict[str, T] = {}
    for id, saved in rows.items():
        try:
            found[id] = msgspec.json.decode(saved, type=form)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            log.error("state.unusable", kind=kind, id=id, why=str(error))  # noqa: TRY400
    return found

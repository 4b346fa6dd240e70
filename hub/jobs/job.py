"""What a job is: a function of its domain, when it comes, how long it may be held, and how failures are tried again.

`Domain(..., jobs=(...))` lists it. It answers a value: `Done`, or `Again` in so many seconds. What it raises is a
failure: counted, tried again ever later, and after so many kept with its error until somebody tries again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import TypeAlias, TypeVar

from contract.texts import Text
from hub.database.transactions import Database

Part = TypeVar("Part")

Schedule: TypeAlias = Callable[[datetime], datetime]
"""The next moment after the given one; both by the job's `clock`, without a zone."""


@dataclass(frozen=True, slots=True)
class Done:
    """It is done: it comes again by its schedule, or when it is put again."""


@dataclass(frozen=True, slots=True)
class Again:
    """It is done for now, and wants to come again in so many seconds. `why`: for whoever looks after the hub."""

    in_s: float
    why: str = ""


Result: TypeAlias = Done | Again


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a job's function gets. `now`: UTC, when it began; `key`, `data`: as it was put.

    `parts`: what the process has that a job may need, by its class.
    """

    database: Database
    now: datetime
    key: str = ""
    data: object = None
    parts: Mapping[type[object], object] = field(default_factory=dict)

    def part(self, kind: type[Part]) -> Part:
        """The process's one object of that class."""
        found = self.parts[kind]
        assert isinstance(found, kind)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """After a failure: again in `first_s`, each time twice as long, at most `most_s`.

    `times`: failures one after the other until it is kept as failed; None: it is tried for ever, for what nobody may be
    left without.
    """

    first_s: float = 1.0
    most_s: float = 300.0
    times: int | None = 10

    def wait_s(self, failures: int) -> float | None:
        """Seconds until the next try after so many failures; None: there is none."""
        if self.times is not None and failures >= self.times:
            return None
        return float(min(self.first_s * 2 ** min(failures - 1, 30), self.most_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One kind of work. `name`: `<domain>.<what>`; `text`: what people call it.

    `standing`: one row that stays, and comes whenever a hub starts; others are put by key and gone when they are done.
    `schedule`: when a standing one comes again after `Done`, by the clock of the zone `clock`; None: the hub's own, for
    what people sleep through. A moment that passed while no hub ran comes once, at the start. `lease_s`: a process that
    gives no sign of life for so long has lost it to another.
    """

    name: str
    text: Text
    work: Callable[[Work], Awaitable[Result]]
    standing: bool = True
    schedule: Schedule | None = None
    clock: tzinfo | None = None
    lease_s: float = 30.0
    retry: Retry = Retry()

    def next_s(self, now: datetime) -> float | None:
        """Seconds until its schedule's next moment; None without one. `now`: of any zone, but with it."""
        if self.schedule is None:
            return None
        then = self.schedule(now.astimezone(self.clock).replace(tzinfo=None))
        at = then.astimezone() if self.clock is None else then.replace(tzinfo=self.clock)
        return max((at - now).total_seconds(), 0.0)

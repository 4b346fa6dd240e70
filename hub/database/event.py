"""An event as the hub holds it, and what a domain does with one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.instants import Instant, instant, milliseconds
from contract.kinds import decode_data

AHEAD = timedelta(seconds=2)
"""So much later than its receipt a word may claim to be: two clocks are never quite the same."""


class FirstPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Where an event was first recorded that a fork has moved since. Other events may name it by this place."""

    stream: str
    seq: int


class StoredEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the history. `data`: the exact JSON text. `gateway` is None in the hub's own stream.

    Its JSON (`msgspec.json.encode`) is an item of GET /api/events and of the live stream.
    """

    id: int
    site: str | None
    gateway: str | None
    stream: str
    seq: int
    at: Instant
    received_at: Instant
    kind: str
    source: str
    data: msgspec.Raw
    first: FirstPlace | None = None

    def typed(self) -> msgspec.Struct | None:
        """The data by its kind, None for a kind that is not known; `Malformed` if it does not fit."""
        return decode_data(self.kind, self.data)

    @property
    def at_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC, by the recorder's clock."""
        return milliseconds(self.at)

    @property
    def received(self) -> datetime:
        """When the hub got it, by the hub's clock."""
        return to_datetime(self.received_at)

    @property
    def when(self) -> datetime:
        """The moment that it counts as of: its own, but none that was still to come when the hub got it."""
        return min(to_datetime(self.at), latest(self.received))


Projection: TypeAlias = Callable[[AsyncConnection, StoredEvent], Awaitable[None]]
"""Brings a domain's tables up to one event, in the transaction that stores it.

It must be safe to repeat after a rollback and must not commit. States that screens show are told with
`hub.database.transactions.outcome(conn).state(...)`. What it raises marks the event and is recorded; it never stops
the stream.
"""


def latest(received: datetime) -> datetime:
    """The latest moment that anything got at `received` can count as of: newest values take no time from the future."""
    return received + AHEAD


def present(received: datetime) -> datetime:
    """The latest moment that anything held can be of while what was got at `received` is taken in.

    What is held as of a later one is of a clock that was wrong, and gives way to the next word. It is asked once
    locks are held: what is projected late, or had to wait, meets what came in the meantime.
    """
    return latest(max(received, datetime.now(UTC)))


def to_datetime(at: Instant) -> datetime:
    """The moment of an instant's text."""
    return datetime.fromisoformat(at)


def to_instant(moment: datetime) -> Instant:
    """The text of a moment, in UTC with milliseconds."""
    return instant(round(moment.astimezone(UTC).timestamp() * 1000))

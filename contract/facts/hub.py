"""What only the hub can know: what was edited, asked, pruned, and what it refused of gateways."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from contract.commands import Person
from contract.events import Hash, StreamId
from contract.instants import Instant
from contract.limits import (
    BATCH_LIMIT,
    Few,
    Id,
    Words,
)


class CommandAsked(msgspec.Struct, frozen=True, kw_only=True):
    """A person asked for something at the hub. `reason_code`: as in the command."""

    command: Id
    kind: Id
    target: Id
    by: Person
    reason: Words
    reason_code: Id | None = None


class GatewaySeen(msgspec.Struct, frozen=True, kw_only=True):
    """`gateway.lost`, `gateway.found`."""

    gateway: Id
    backlog: int = 0


ChangedKind = Literal["holder", "credential", "grant", "schedule", "block", "account", "company", "site", "post", "job"]
"""What people edit at the hub; of a job, when it is due."""


class RecordChanged(msgspec.Struct, frozen=True, kw_only=True):
    """`<kind>.changed`: a person changed what the hub holds. `kind`: one of `ChangedKind`.

    `digest`: SHA-256 of the values before and after, with a salt; they lie outside the chain, where they can be erased.
    Empty where an older hub recorded none.
    """

    id: Id
    by: Person
    change: Literal["created", "updated", "removed"]
    fields: Annotated[list[Id], Few] = []
    digest: Id = ""


class DataPruned(msgspec.Struct, frozen=True, kw_only=True):
    """`data.pruned`: what was kept long enough is gone. `what`: pictures, changes, numbers (plates and card numbers in
    the history); of before then. `digest`: SHA-256 of what stands in the place of numbers.
    """

    what: Id
    before: Instant
    count: int
    digest: Id = ""


class ProjectionFailed(msgspec.Struct, frozen=True, kw_only=True):
    """An event was stored but could not be projected."""

    event: int
    kind: Id
    why: Words


class BatchRefused(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway sent was refused for good: unknown version, malformed, or a chain that contradicts itself."""

    gateway: Id
    why: Words
    sample: Words = ""


class RefusedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event that was not taken in: its place, what it claimed to be, and its hash, by which its chain goes on."""

    seq: int
    kind: Id
    hash: Hash


class EventRefused(msgspec.Struct, frozen=True, kw_only=True):
    """`event.refused`: of what a gateway sent, `events` stand in no history: `why`. Its stream goes on past them."""

    gateway: Id
    stream: StreamId
    why: Words
    events: Annotated[list[RefusedEvent], msgspec.Meta(max_length=BATCH_LIMIT)]
    sample: Words = ""

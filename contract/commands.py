"""Commands: what a person asks for, with a reason, an expiry and (as an event) a result."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

import msgspec

from contract import VERSION
from contract.events import StreamId
from contract.instants import Instant
from contract.limits import Few, Id, Words

CommandKind = Literal[
    "door.unlock",
    "door.mode",
    "barrier.open",
    "barrier.close",
    "alarm.ack",
    "alarm.shelve",
    "alarm.unshelve",
    "point.write",
    "reader.set_key",
    "hit.acknowledge",
]
COMMAND_KINDS: tuple[str, ...] = get_args(CommandKind)


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Who asked: the account's id and the name to show. `role` as it was when they asked."""

    id: Id
    name: Words
    role: Id


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """The event that a command is about, by the place where it was first recorded."""

    stream: StreamId
    seq: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """One command. `target`: a door, lane, alarm or reader id, or `device.point`.

    Executed at most once, never after `expires_at`.
    `args` by kind: door.mode {mode, for_s}; alarm.ack {note}; alarm.shelve {for_s, note}; point.write {value};
    barrier.open {despite}: the plate of the blocked car that is let in all the same; others {}. `for_s`: how long it
    lasts; a mode without it until somebody ends it.
    `reason_code`: one of `rules.quick_reasons`; `reason` then holds its words, or what the person said besides.
    `subject`: the entry that it answers, of hit.acknowledge the hit; None from a hub that says none.
    """

    id: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f-]{36}\Z")]
    kind: CommandKind
    target: Annotated[str, msgspec.Meta(min_length=1, max_length=129)]
    by: Person
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    issued_at: Instant
    expires_at: Instant
    args: Annotated[dict[Id, Words | int | float | bool | None], Few] = {}
    reason_code: Id | None = None
    subject: Subject | None = None
    v: int = VERSION

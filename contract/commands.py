"""Commands: what a person asks for, with a reason, an expiry and (as an event) a result."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

import msgspec

from contract import VERSION
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
]
COMMAND_KINDS: tuple[str, ...] = get_args(CommandKind)


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Who asked: the account's id and the name to show. `role` as it was when they asked."""

    id: Id
    name: Words
    role: Id


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """One command. `target`: a door, lane, alarm or reader id, or `device.point`.

    Executed at most once, never after `expires_at`.
    `args` by kind: door.mode {mode}; alarm.ack {note}; alarm.shelve {for_s, note}; point.write {value}; others {}.
    """

    id: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f-]{36}\Z")]
    kind: CommandKind
    target: Annotated[str, msgspec.Meta(min_length=1, max_length=129)]
    by: Person
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    issued_at: Instant
    expires_at: Instant
    args: Annotated[dict[Id, Words | int | float | bool | None], Few] = {}
    v: int = VERSION

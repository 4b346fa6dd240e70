"""What people ask for, at the hub and at the gateway alike: commands, and what is said about an alarm."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from contract.commands import CommandKind
from rules.alarms.rule import SHELVE_LIMIT_S
from rules.commands import LIFE_MS
from web.asked import Body

LARGEST = 2**53
"""Whole numbers up to here are the same for every reader of JSON."""

DEFAULT_TTL_S = 30
LONGEST_TTL_S = LIFE_MS // 1000

Arg = Annotated[str, Field(max_length=500)] | Annotated[int, Field(ge=-LARGEST, le=LARGEST)] | float | bool | None
"""An argument of a command: the value of a point, a mode, a note."""

Args = Annotated[dict[Annotated[str, Field(min_length=1, max_length=64)], Arg], Field(max_length=10)]
"""The arguments of a command, by name."""


class NewCommand(Body):
    """A command.

    `args` by kind: door.mode {mode}; alarm.ack {note}; alarm.shelve {for_s, note}; point.write {value}.
    """

    model_config = ConfigDict(allow_inf_nan=False)

    site: Annotated[str, Field(min_length=1, max_length=64)]
    target: Annotated[str, Field(min_length=1, max_length=129)]
    kind: CommandKind
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    ttl_s: Annotated[int, Field(ge=1, le=LONGEST_TTL_S)] = DEFAULT_TTL_S
    args: Args = Field(default_factory=dict)


class Note(Body):
    """What a person says about an alarm."""

    note: Annotated[str, Field(max_length=500)] = ""


class Shelving(Note):
    """For how long it shall be silent (seconds), and why."""

    for_s: Annotated[int, Field(ge=60, le=SHELVE_LIMIT_S)]

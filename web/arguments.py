"""What people ask for, at the hub and at the gateway alike: commands, and what is said about an alarm."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from contract.commands import CommandKind, Subject
from contract.texts import Text
from rules.alarms.rule import SHELVE_LIMIT_S
from rules.commands import LIFE_MS, args_fault, subject_fault
from rules.quick_reasons import code_fault, words_of
from web.asked import Body
from web.errors import Invalid

LARGEST = 2**53
"""Whole numbers up to here are the same for every reader of JSON."""

DEFAULT_TTL_S = 30
LONGEST_TTL_S = LIFE_MS // 1000

_NO_REASON = Text("请填写原因", "say why")

Arg = Annotated[str, Field(max_length=500)] | Annotated[int, Field(ge=-LARGEST, le=LARGEST)] | float | bool | None
"""An argument of a command: the value of a point, a mode, a note."""

Args = Annotated[dict[Annotated[str, Field(min_length=1, max_length=64)], Arg], Field(max_length=10)]
"""The arguments of a command, by name."""


class SubjectBody(Body):
    """An entry of the history, by its place in a stream."""

    stream: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    seq: Annotated[int, Field(ge=1, le=LARGEST)]


class NewCommand(Body):
    """A command. One of `reason` (own words) and `reason_code` (`rules.quick_reasons`) is needed, or both.

    `args` by kind: door.mode {mode, for_s}; alarm.ack {note}; alarm.shelve {for_s, note}; point.write {value};
    barrier.open {despite}. `subject`: the entry that it answers; of hit.acknowledge the hit.
    """

    model_config = ConfigDict(allow_inf_nan=False)

    site: Annotated[str, Field(min_length=1, max_length=64)]
    target: Annotated[str, Field(min_length=1, max_length=129)]
    kind: CommandKind
    reason: Annotated[str, Field(max_length=500)] = ""
    reason_code: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    subject: SubjectBody | None = None
    ttl_s: Annotated[int, Field(ge=1, le=LONGEST_TTL_S)] = DEFAULT_TTL_S
    args: Args = Field(default_factory=dict)


def asked_subject(wanted: NewCommand) -> Subject | None:
    """The entry that a command is about, as the contract has it."""
    subject = wanted.subject
    return None if subject is None else Subject(stream=subject.stream, seq=subject.seq)


def command_reason(kind: str, said: str, code: str | None) -> str:
    """What a command's `reason` holds. `Invalid` if nothing was said, or by a code that is not offered for it."""
    fault = code_fault(kind, code)
    if fault is not None:
        raise Invalid({"reason_code": Text(fault.zh, fault.en)})
    words = words_of(said, code)
    if not words:
        raise Invalid({"reason": _NO_REASON})
    return words


def check_command(kind: str, args: dict[str, Arg], subject: Subject | None) -> None:
    """`Invalid` names what is wrong with the arguments of a command, or with what it is about."""
    faults = {"args": args_fault(kind, args), "subject": subject_fault(kind, subject)}
    found = {field: Text(fault.zh, fault.en) for field, fault in faults.items() if fault is not None}
    if found:
        raise Invalid(found)


def args_shown(args: dict[str, Arg]) -> dict[str, Arg]:
    """A command's arguments as screens show them: a plate is not for all who see that a barrier was opened."""
    return {name: value for name, value in args.items() if name != "despite"}


class Note(Body):
    """What a person says about an alarm: in own words, or by a code that is offered for it (`rules.quick_reasons`)."""

    note: Annotated[str, Field(max_length=500)] = ""
    reason_code: Annotated[str, Field(min_length=1, max_length=64)] | None = None

    def words(self, kind: str) -> str:
        """The note to keep: own words, or those of the code. `Invalid` if it is not offered for `kind`."""
        return self.note.strip() if self.reason_code is None else command_reason(kind, self.note, self.reason_code)


class Shelving(Note):
    """For how long it shall be silent (seconds), and why."""

    for_s: Annotated[int, Field(ge=60, le=SHELVE_LIMIT_S)]


MOST_AT_ONCE = 500
"""Things about which one request may ask."""

Ids = Annotated[list[Annotated[str, Field(min_length=1, max_length=64)]], Field(min_length=1, max_length=MOST_AT_ONCE)]


class NoteOnEach(Note):
    """What a person says about several alarms at once."""

    ids: Ids


class ShelvingOfEach(Shelving):
    """The same of shelving them."""

    ids: Ids

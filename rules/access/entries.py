"""What the record says of one entry: who or what came where, and how it ended. Pure.

`web/console/src/live/entries.ts` says the same of the events that a screen has; both are held to the one table
`tests/contract/golden/entries.json`, so that a row in the history and the same row in the feed are never called by two
names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

from contract.facts.entry import Access, CarArrived, Direction, PassageMade, PlateSeen, Presented
from contract.facts.gateway import CommandResult
from rules.access.values import normal_plate

EntryOutcome: TypeAlias = Literal["granted", "refused", "visitor", "waiting", "blocked", "replayed", "manual", "failed"]
"""`waiting`: nobody was refused for good, a guard has to look. `replayed`: a read that is not of now."""

Traveller: TypeAlias = Literal["car", "person"]

DECISIONS = ("access.granted", "access.denied")
COMMAND_ENDS = ("command.done", "command.failed", "command.expired")
KINDS = (*DECISIONS, "plate.seen", *COMMAND_ENDS)
"""Kinds of events that may be an entry."""

_OPENINGS = frozenset({"door.unlock", "barrier.open", "barrier.close"})
_VISITORS = frozenset({"visitor_admitted", "exit_visitor"})
_ASKING = frozenset({"visitor_ask", "no_plate", "low_confidence"})
_STORED = "replayed"
"""Code of a read that its camera had stored: it concerns nobody at the gate."""


class EntrySeen(NamedTuple):
    """One entry, as one event says it. `number`: of what was presented; a plate in its normal form.

    `by`: id of whoever opened by hand.
    """

    outcome: EntryOutcome
    traveller: Traveller
    source: str
    direction: Direction | None = None
    credential: str | None = None
    number: str = ""
    holder: str | None = None
    code: str = ""
    picture: str | None = None
    by: str | None = None


def entry_of(kind: str, source: str, data: object) -> EntrySeen | None:
    """What an event of `kind` says of an entry, None if it is none. `data`: typed, as `contract.kinds` decodes it."""
    match data:
        case Access():
            return _decision(kind == "access.granted", source, data)
        case PlateSeen(replayed=True, reason=why) if why is not None and why.code != _STORED:
            return EntrySeen(
                "replayed", "car", source, None, "plate", normal_plate(data.plate), None, why.code, data.picture
            )
        case CommandResult(kind=asked) if asked in _OPENINGS:
            return _by_hand(kind, data)
        case _:
            return None


REFUSALS: tuple[EntryOutcome, ...] = ("refused", "waiting", "blocked")
"""What a decision that grants nothing may be called."""


def outcome_of(granted: bool, rule: str, code: str) -> EntryOutcome:
    """What a decision is called, by the rule that made it and the code of its reason."""
    if granted:
        return "visitor" if rule.startswith("visitor") or code in _VISITORS else "granted"
    if rule.startswith("block:") or code.startswith("blocked"):
        return "blocked"
    return "waiting" if code in _ASKING else "refused"


def is_hit(kind: str, data: object) -> bool:
    """Whether an event of `kind` tells that a blocked credential came: what somebody takes note of."""
    match data:
        case Access():
            return outcome_of(kind == "access.granted", data.rule, data.reason.code) == "blocked"
        case CarArrived():
            return data.blocked
        case _:
            return False


def passed(data: object) -> PassageMade | None:
    """The passage, if an event's data tells of one that followed a decision."""
    return data if isinstance(data, PassageMade) and data.after is not None else None


def _decision(granted: bool, source: str, data: Access) -> EntrySeen:
    return EntrySeen(
        outcome_of(granted, data.rule, data.reason.code),
        "car" if data.credential.kind == "plate" else "person",
        source,
        data.direction,
        data.credential.kind,
        _number(data.credential),
        data.holder,
        data.reason.code,
        data.picture,
    )


def _by_hand(kind: str, data: CommandResult) -> EntrySeen:
    # What it was done for: newer gateways say it beside the command.
    plate = _told(data, "plate")
    return EntrySeen(
        "manual" if kind == "command.done" else "failed",
        "car" if data.kind.startswith("barrier.") else "person",
        data.target,
        None,
        "plate" if plate else None,
        normal_plate(plate),
        None,
        "",
        _told(data, "picture") or None,
        data.by.id,
    )


def _told(data: CommandResult, field: str) -> str:
    found = getattr(data, field, None)
    return found if isinstance(found, str) else ""


def _number(presented: Presented) -> str:
    """What is searched for: plates and cards. PINs, codes and faces are nobody's to look for."""
    if presented.kind == "plate":
        return normal_plate(presented.value)
    return presented.value if presented.kind == "card" else ""


NAMES: Mapping[EntryOutcome, tuple[str, str]] = {
    "granted": ("放行", "Allowed"),
    "visitor": ("临停放行", "Temporary"),
    "waiting": ("待放行", "Needs you"),
    "refused": ("拒绝", "Refused"),
    "blocked": ("黑名单", "Block list"),
    "replayed": ("非实时", "Not live"),
    "manual": ("人工", "Manual"),
    "failed": ("未执行", "Failed"),
}
"""Outcome → its name in Chinese and English, where a file names it: the console's words."""

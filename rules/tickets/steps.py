"""Tickets: which fault becomes one, and which faults are one.

The gateway raises one per alarm episode (`raise_for`); the hub folds by site, asset and cause (`fold`) and moves it
along the flow of its kind (`rules.tickets.flow`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from contract.desired import Role
from contract.facts.alarms import AlarmRaised, TicketRaised
from contract.readings import Value
from contract.texts import Text
from rules.tickets.kinds import Class

TicketState = Literal["raised", "taken", "done", "closed"]
PersonStep = Literal["take", "take_over", "comment", "finish", "accept", "reopen"]
"""What a server answers with: the states and steps of a repair (`config/kinds/repair.yaml`)."""

STEP_EVENTS: Mapping[str, str] = {
    "take": "ticket.taken",
    "take_over": "ticket.taken_over",
    "comment": "ticket.commented",
    "finish": "ticket.finished",
    "accept": "ticket.accepted",
    "close": "ticket.closed",
    "reopen": "ticket.reopened",
    "fold": "ticket.folded",
    "come_again": "ticket.reopened",
}
"""As what a step of a repair stands in the history. `fold` is no step of the flow: the work stays where it is."""

HISTORY_MS = 10 * 60 * 1000
HISTORY_ROWS = 600
"""What a ticket takes along of its asset's points."""


ANSWERING: frozenset[Role] = frozenset({"manager", "admin"})
"""Who answers for a site: they give work to somebody."""


class FoldKey(NamedTuple):
    """What makes two faults one: one open ticket per key."""

    site: str
    asset: str
    cause: str


def fold_key(site: str, raised: TicketRaised) -> FoldKey:
    """The key of a raised ticket."""
    return FoldKey(site, raised.asset, raised.cause)


def fold(newest: Class | None) -> Literal["open", "fold", "reopen"]:
    """What a raised ticket does where the newest one of its key is in a state of that class: a new one, a repeat, or a
    return."""
    match newest:
        case "open" | "doing" | "waiting":
            return "fold"
        case "checking":
            return "reopen"
        case _:
            return "open"


def raise_for(
    alarm: AlarmRaised,
    title: Text,
    *,
    ticket: str,
    place: str = "",
    history: Sequence[tuple[str, int, Value]] = (),
    now_ms: int,
) -> TicketRaised:
    """The ticket of an alarm's episode. `ticket`: its new UUID; `history`: (point, Unix ms, value), any length."""
    recent = [row for row in history if row[1] > now_ms - HISTORY_MS]
    return TicketRaised(
        ticket=ticket,
        alarm=alarm.alarm,
        cause=alarm.rule,
        asset=alarm.asset,
        severity=alarm.severity,
        title=title,
        place=place,
        response=alarm.response,
        history=recent[-HISTORY_ROWS:],
    )

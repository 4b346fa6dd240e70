"""Tickets: which fault becomes one, which faults are one, and which step may follow which.

The gateway raises one per alarm episode (`raise_for`); the hub folds by site, asset and cause (`fold`) and moves it
along the table of steps. Who has a ticket keeps it until somebody takes it over, knowing from whom. Done becomes closed
only when the alarm itself has cleared; work that no device can vouch for is accepted by somebody else than who did it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

from contract.desired import Role
from contract.facts.alarms import AlarmRaised, TicketRaised
from contract.readings import Value
from contract.texts import Reason, Text
from rules.reasons import reason

TicketState = Literal["raised", "taken", "done", "closed"]
PersonStep = Literal["take", "take_over", "comment", "finish", "accept", "reopen"]
Step = Literal[PersonStep, "close", "fold"]

STEPS: dict[tuple[TicketState, Step], TicketState] = {
    ("raised", "take"): "taken",
    ("raised", "comment"): "raised",
    ("raised", "fold"): "raised",
    ("taken", "take"): "taken",
    ("taken", "take_over"): "taken",
    ("taken", "comment"): "taken",
    ("taken", "finish"): "done",
    ("taken", "fold"): "taken",
    ("done", "comment"): "done",
    ("done", "accept"): "closed",
    ("done", "close"): "closed",
    # The alarm came back, or the work was not accepted: it goes on with whoever had it.
    ("done", "reopen"): "taken",
    ("closed", "comment"): "closed",
    ("closed", "reopen"): "taken",
}
"""(state, step) → state. `close` and `fold` are the hub's own steps, the others are people's."""

STEP_ROLES: dict[Step, frozenset[Role]] = {
    "take": frozenset({"maintenance", "installer", "manager", "admin"}),
    "take_over": frozenset({"maintenance", "installer", "manager", "admin"}),
    "comment": frozenset({"guard", "maintenance", "installer", "manager", "admin"}),
    "finish": frozenset({"maintenance", "installer", "manager", "admin"}),
    "accept": frozenset({"guard", "maintenance", "installer", "manager", "admin"}),
    "reopen": frozenset({"maintenance", "manager", "admin"}),
}
"""Which roles may take a step. `close` and `fold` are in nobody's hand."""

STEP_EVENTS: dict[Step, str] = {
    "take": "ticket.taken",
    "take_over": "ticket.taken_over",
    "comment": "ticket.commented",
    "finish": "ticket.finished",
    "accept": "ticket.accepted",
    "close": "ticket.closed",
    "reopen": "ticket.reopened",
    "fold": "ticket.folded",
}

STATE_NAMES: dict[TicketState, Text] = {
    "raised": Text("待处理", "new"),
    "taken": Text("处理中", "in progress"),
    "done": Text("待验收", "to verify"),
    "closed": Text("已关闭", "closed"),
}
STEP_NAMES: dict[Step, Text] = {
    "take": Text("接单", "taken"),
    "take_over": Text("改由他人处理", "taken over"),
    "comment": Text("备注", "commented"),
    "finish": Text("完成", "finished"),
    "accept": Text("验收", "accepted"),
    "close": Text("关闭", "closed"),
    "reopen": Text("退回重做", "reopened"),
    "fold": Text("合并", "folded into"),
}

HISTORY_MS = 10 * 60 * 1000
HISTORY_ROWS = 600
"""What a ticket takes along of its asset's points."""


ANSWERING: frozenset[Role] = frozenset({"manager", "admin"})
"""Who answers for a site: they may accept whatever they did not do themselves, and give work to somebody."""


class Acceptance(NamedTuple):
    """How a person stands to work that is done. `nobody_else`: no other account could accept it."""

    asked_for: bool
    did_it: bool
    nobody_else: bool = False


class Involved(NamedTuple):
    """Who had to do with work that no device vouches for: ids of accounts.

    `nobody_else`: no account but theirs who did it could accept it.
    """

    asked_for: str | None
    did_it: frozenset[str]
    nobody_else: bool = False

    def acceptance(self, names: frozenset[str]) -> Acceptance:
        """How the person stands to it to whom these names belong."""
        own = not self.did_it.isdisjoint(names)
        return Acceptance(self.asked_for in names, own, nobody_else=own and self.nobody_else)


class Assignee(NamedTuple):
    """Somebody else who has the ticket. `seen`: whoever takes the step said that they know it."""

    name: str
    seen: bool


PASSING_OVER: frozenset[Step] = frozenset({"take", "take_over", "finish"})
"""Steps that would pass over whoever has the ticket."""


class FoldKey(NamedTuple):
    """What makes two faults one: one open ticket per key."""

    site: str
    asset: str
    cause: str


def fold_key(site: str, raised: TicketRaised) -> FoldKey:
    """The key of a raised ticket."""
    return FoldKey(site, raised.asset, raised.cause)


def fold(newest: TicketState | None) -> Literal["open", "fold", "reopen"]:
    """What a raised ticket does where the newest one of its key is in that state: a new one, a repeat, or a return."""
    match newest:
        case "raised" | "taken":
            return "fold"
        case "done":
            return "reopen"
        case "closed" | None:
            return "open"


def next_state(
    state: TicketState,
    wanted: Step,
    *,
    role: str | None = None,
    alarm_active: bool,
    text: str = "",
    acceptance: Acceptance | None = None,
    holder: Assignee | None = None,
) -> TicketState | Reason:
    """The state after `wanted`, or why it may not be. `role`: of the person, None for the hub's own steps.

    `acceptance`: how the person stands to finished work, None where a device vouches for it. `holder`: who has the
    ticket, if that is somebody else.
    """
    to = STEPS.get((state, wanted))
    if to is None:
        return reason("ticket_step", state=STATE_NAMES[state], step=STEP_NAMES[wanted])
    asked_for = acceptance is not None and acceptance.asked_for
    if role is not None and role not in STEP_ROLES.get(wanted, frozenset()) and not (wanted == "reopen" and asked_for):
        return reason("ticket_role")
    if state == "taken" and holder is not None and wanted in PASSING_OVER and (wanted == "take" or not holder.seen):
        return reason("ticket_finish_others" if wanted == "finish" else "ticket_taken", name=holder.name)
    if wanted == "accept" and (why := _not_accepted(role, acceptance)) is not None:
        return why
    if wanted == "close" and alarm_active:
        return reason("ticket_alarm_active")
    if wanted == "comment" and role is not None and not text.strip():
        return reason("ticket_text")
    return to


def steps_open(
    state: TicketState, role: str, acceptance: Acceptance | None, holder: Assignee | None = None
) -> list[PersonStep]:
    """The steps that a person of that role may take now; a comment, if they say something.

    What somebody else has is taken over, what nobody else has is taken: never both.
    """
    found: list[PersonStep] = []
    for step in get_args(PersonStep):
        if step == "take_over" and holder is None:
            continue
        to = next_state(state, step, role=role, alarm_active=False, text="…", acceptance=acceptance, holder=holder)
        if not isinstance(to, Reason):
            found.append(step)
    return found


def _not_accepted(role: str | None, acceptance: Acceptance | None) -> Reason | None:
    if acceptance is None:
        return reason("ticket_device")
    answers = role in ANSWERING
    if not (answers or acceptance.asked_for):
        return reason("ticket_accept")
    if acceptance.did_it and not (answers and acceptance.nobody_else):
        return reason("ticket_own")
    return None


def closes(state: TicketState, *, has_alarm: bool, alarm_active: bool) -> bool:
    """Whether the hub closes a ticket now: the work is done and the device itself is back to normal.

    Where there is no alarm, a person accepts.
    """
    return state == "done" and has_alarm and not alarm_active


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

"""A thing as somebody sees it, with what they may do with it now. Pure.

Whoever holds a thing lists in `can` what its state allows to anybody; of that everybody sees what their role may ask
for. A ticket is another matter for those who asked for the work or did it: whoever holds one names them (`TicketHeld`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from contract.commands import CommandKind
from contract.rights import ItemT, Viewer, thing_seen
from contract.texts import Text
from rules.alarms.rule import AlarmState
from rules.commands import alarm_commands, may_ask
from rules.tickets.steps import Assignee, Involved, steps_open
from web.errors import Conflict
from web.shapes import InvolvedHeld, Person, Ticket, TicketHeld

_NO_LONGER: dict[str, Text] = {
    "alarm.ack": Text("此告警无需确认", "This alarm needs no acknowledgement"),
    "alarm.shelve": Text("此告警已恢复或已暂停提醒", "This alarm is over or snoozed already"),
    "alarm.unshelve": Text("此告警没有暂停提醒", "This alarm is not snoozed"),
}


def seen(viewer: Viewer, kind: str, item: ItemT) -> ItemT:
    """The thing without what is hidden from them (`contract.rights`), with what they may do with it."""
    if "involved" in item:
        return cast(ItemT, _ticket_seen(viewer, item))
    shown = thing_seen(viewer, kind, item)
    return cast(ItemT, {**shown, "can": _asked_by(viewer, item["can"])}) if "can" in item else shown


def ticket_seen(viewer: Viewer, held: TicketHeld) -> Ticket:
    """A ticket as they see it."""
    return cast(Ticket, _ticket_seen(viewer, held))


def concerned(things: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The accounts to which one of these things is another matter than to others of their role."""
    found: set[str] = set()
    for thing in things:
        involved = _involved(thing.get("involved"))
        if involved is not None:
            found |= involved.did_it | {involved.asked_for or ""}
        if "involved" in thing and (holder := thing.get("assignee")) is not None:
            found.add(holder["id"])
    return frozenset(found) - {""}


def _asked_by(viewer: Viewer, can: Iterable[str]) -> list[str]:
    return [kind for kind in can if viewer.role is not None and may_ask(viewer.role, kind)]


def _involved(held: InvolvedHeld | None) -> Involved | None:
    return None if held is None else Involved(held["asked_for"], frozenset(held["did_it"]), held["nobody_else"])


def _ticket_seen(viewer: Viewer, held: Mapping[str, Any]) -> dict[str, Any]:
    involved = _involved(held["involved"])
    shown = dict(thing_seen(viewer, "ticket", {name: value for name, value in held.items() if name != "involved"}))
    acceptance = None if involved is None else involved.acceptance(viewer.names)
    holder = other_holder(viewer.names, held.get("assignee"))
    shown["can"] = [] if viewer.role is None else steps_open(held["state"], viewer.role, acceptance, holder)
    return shown


def other_holder(names: frozenset[str], assignee: Person | None | None, seen: str | None = None) -> Assignee | None:
    """Who has a ticket, if it is not the person to whom `names` belong. `seen`: whom they said that they know of; None
    stands for whoever it is, where only asked."""
    if assignee is None or assignee["id"] in names:
        return None
    return Assignee(assignee["name"], seen is None or seen == assignee["id"])


def check_state(kind: CommandKind, state: AlarmState) -> None:
    """`Conflict` if an alarm in this state is past what is commanded."""
    if kind not in alarm_commands(state):
        raise Conflict(_NO_LONGER[kind], "alarm_state")

"""A thing as somebody sees it, with what they may do with it now. Pure.

Whoever holds a thing lists in `can` what its state allows to anybody; of that everybody sees what their role may ask
for. A ticket is another matter for those who asked for the work, have it or did it: whoever holds one says in whose
hand each of its steps is (`TicketHeld`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from contract.commands import CommandKind
from contract.rights import ItemT, Viewer, thing_seen
from contract.texts import Text
from rules.alarms.rule import AlarmState
from rules.commands import alarm_commands, may_ask
from rules.tickets.flow import Hand
from web.errors import Conflict
from web.shapes import Ticket, TicketHeld

_NO_LONGER: dict[str, Text] = {
    "alarm.ack": Text("此告警无需确认", "This alarm needs no acknowledgement"),
    "alarm.shelve": Text("此告警已恢复或已暂停提醒", "This alarm is over or snoozed already"),
    "alarm.unshelve": Text("此告警没有暂停提醒", "This alarm is not snoozed"),
}


_HELD = frozenset({"hands", "involved"})
"""What nobody is shown. `involved`: of a process of the version before."""


def seen(viewer: Viewer, kind: str, item: ItemT) -> ItemT:
    """The thing without what is hidden from them (`contract.rights`), with what they may do with it."""
    if kind == "ticket":
        return cast(ItemT, _ticket_seen(viewer, item))
    shown = thing_seen(viewer, kind, item)
    return cast(ItemT, {**shown, "can": _asked_by(viewer, item["can"])}) if "can" in item else shown


def ticket_seen(viewer: Viewer, held: TicketHeld) -> Ticket:
    """A ticket as they see it."""
    return cast(Ticket, _ticket_seen(viewer, held))


def concerned(things: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The accounts to which one of these things is another matter than to others of their role."""
    named = [hand for thing in things for hand in _hands(thing).values()]
    return frozenset[str]().union(*(hand.also | hand.never | hand.only for hand in named))


def _asked_by(viewer: Viewer, can: Iterable[str]) -> list[str]:
    return [kind for kind in can if viewer.role is not None and may_ask(viewer.role, kind)]


def _hands(held: Mapping[str, dict[str, dict[str, list[str]]]]) -> dict[str, Hand]:
    hands = held.get("hands", {})
    return {step: Hand(**{name: frozenset(hand[name]) for name in Hand._fields}) for step, hand in hands.items()}


def _ticket_seen(viewer: Viewer, held: Mapping[str, Any]) -> dict[str, Any]:
    shown = dict(thing_seen(viewer, "ticket", {name: value for name, value in held.items() if name not in _HELD}))
    shown["can"] = [step for step, hand in _hands(held).items() if hand.holds(viewer.role, viewer.names)]
    return shown


def check_state(kind: CommandKind, state: AlarmState) -> None:
    """`Conflict` if an alarm in this state is past what is commanded."""
    if kind not in alarm_commands(state):
        raise Conflict(_NO_LONGER[kind], "alarm_state")

"""What may be done with a thing now: its state and whoever looks, in a table; all of it follows from the rules."""

from __future__ import annotations

from typing import Any, cast, get_args

import pytest

from contract.desired import Role
from contract.rights import EVERYBODY_SEES, viewer_of
from rules.alarms.rule import AlarmState
from rules.commands import DOOR_COMMANDS, alarm_commands, lane_commands
from rules.tickets.flow import Device, WorkInHand, hands
from rules.tickets.steps import TicketState
from tests.rules.kinds import REPAIR
from web.doing import concerned, seen, ticket_seen
from web.shapes import TicketHeld, hands_of

ROLES: tuple[Role, ...] = get_args(Role)

ALARMS: dict[AlarmState, dict[str, str]] = {
    # The words without `alarm.`; every role that is not named: as `guard`.
    "active": {"guard": "ack", "others": "ack shelve"},
    "acknowledged": {"guard": "", "others": "shelve"},
    "cleared": {"guard": "ack", "others": "ack"},
    "shelved": {"guard": "", "others": "unshelve"},
    "closed": {"guard": "", "others": ""},
}

PLACES: dict[str, dict[str, str]] = {
    # Every role that is not named: as `guard`.
    "door": {"guard": "door.unlock door.mode", "maintenance": "", "installer": "door.unlock"},
    "lane": {"guard": "barrier.open barrier.close", "maintenance": ""},
    "lane that stays up": {"guard": "barrier.open", "maintenance": ""},
}

TICKETS: list[tuple[TicketState, str, bool, str]] = [
    # state, who looks, whether a device vouches, what they may do
    ("raised", "guard", True, "comment"),
    ("raised", "maintenance", True, "take comment"),
    ("raised", "manager", False, "take comment"),
    ("taken", "guard", False, "comment"),
    ("taken", "maintenance", True, "take_over comment finish"),
    ("taken", "installer", False, "take_over comment finish"),
    ("done", "guard", True, "comment"),
    ("done", "maintenance", True, "comment reopen"),
    ("done", "manager", True, "comment reopen"),
    ("done", "guard", False, "comment"),
    ("done", "maintenance", False, "comment reopen"),
    ("done", "installer", False, "comment"),
    ("done", "manager", False, "comment accept reopen"),
    ("done", "admin", False, "comment accept reopen"),
    ("closed", "guard", False, "comment"),
    ("closed", "maintenance", True, "comment reopen"),
    ("closed", "manager", False, "comment reopen"),
]

INVOLVED: list[tuple[str, Role, str, str, str]] = [
    # who looks, their role, who asked for it, who ever had or did it, what they may do
    ("mei", "manager", "wang", "song", "comment accept reopen"),
    ("mei", "manager", "wang", "mei", "comment reopen"),
    ("mei", "manager", "wang", "mei song", "comment reopen"),
    ("root", "admin", "wang", "root", "comment reopen"),
    ("wang", "guard", "wang", "song", "comment accept reopen"),
    ("song", "maintenance", "song", "song", "comment reopen"),
    ("bai", "maintenance", "wang", "song", "comment reopen"),
    ("bai", "installer", "wang", "song", "comment"),
]


def held(work: WorkInHand) -> TicketHeld:
    found = {"id": "t", "site": "demo", "state": work.state, "hands": hands_of(hands(REPAIR, work))}
    return cast(TicketHeld, found)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("state", get_args(AlarmState))
def test_an_alarm(state: AlarmState, role: Role) -> None:
    found = seen(viewer_of(role), "alarm", {"id": "a", "site": "demo", "state": state, "can": alarm_commands(state)})
    expected = ALARMS[state]["guard" if role == "guard" else "others"]
    assert found["can"] == [f"alarm.{word}" for word in expected.split()]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("place", PLACES)
def test_a_place(place: str, role: Role) -> None:
    can = {"door": [*DOOR_COMMANDS], "lane": lane_commands(True), "lane that stays up": lane_commands(False)}[place]
    found = seen(viewer_of(role), place.split(maxsplit=1)[0], {"id": "x", "site": "demo", "can": can})
    assert found["can"] == PLACES[place].get(role, PLACES[place]["guard"]).split()


@pytest.mark.parametrize(("state", "role", "vouched", "expected"), TICKETS)
def test_a_ticket(state: TicketState, role: Role, vouched: bool, expected: str) -> None:
    device: Device = "faulty" if vouched else "none"
    executor = None if state == "raised" else "another"
    work = WorkInHand(state=state, executor=executor, requester="somebody", device=device)
    found = ticket_seen(viewer_of(role, "me"), held(work))
    assert sorted(found["can"]) == sorted(expected.split())
    assert "hands" not in found


def test_what_somebody_has_is_taken_over_by_others_and_given_away_by_themselves() -> None:
    taken = held(WorkInHand(state="taken", executor="song"))
    assert ticket_seen(viewer_of("maintenance", "song"), taken)["can"] == ["take", "comment", "finish"]
    assert ticket_seen(viewer_of("maintenance", "bai"), taken)["can"] == ["take_over", "comment", "finish"]


@pytest.mark.parametrize(("who", "role", "asked_for", "did_it", "expected"), INVOLVED)
def test_a_ticket_for_who_had_to_do_with_it(who: str, role: Role, asked_for: str, did_it: str, expected: str) -> None:
    did = frozenset(did_it.split())
    work = held(WorkInHand(state="done", executor=min(did), requester=asked_for, executors=did))
    found = ticket_seen(viewer_of(role, who), work)
    assert sorted(found["can"]) == sorted(expected.split())
    assert concerned([work]) == {asked_for, *did}


def test_the_servers_themselves_may_do_nothing_and_what_nobody_can_act_on_says_nothing() -> None:
    door: dict[str, Any] = {"id": "x", "site": "demo", "can": [*DOOR_COMMANDS]}
    assert seen(EVERYBODY_SEES, "door", door)["can"] == []
    assert ticket_seen(EVERYBODY_SEES, held(WorkInHand(state="raised")))["can"] == []
    gateway = {"id": "gw", "site": "demo"}
    assert seen(viewer_of("guard"), "gateway", gateway) is gateway
    assert concerned([door, held(WorkInHand(state="raised"))]) == frozenset()

"""Tickets: which fault becomes one, and folding by cause."""

from __future__ import annotations

from typing import get_args

import pytest

from contract.facts.alarms import AlarmRaised, TicketRaised
from contract.kinds import KINDS
from contract.texts import Text
from rules.abilities import ABILITY_ROLES
from rules.tickets.kinds import Class, roles
from rules.tickets.steps import (
    ANSWERING,
    HISTORY_MS,
    HISTORY_ROWS,
    STEP_EVENTS,
    FoldKey,
    PersonStep,
    TicketState,
    fold,
    fold_key,
    raise_for,
)
from tests.rules.kinds import REPAIR

NOW = 1_780_000_000_000
ALARM = AlarmRaised(alarm="a-1", rule="pump-trip", severity="major", message=Text("停机", "tripped"), asset="pump-1")


@pytest.mark.parametrize(
    ("newest", "what"),
    [
        (None, "open"),
        ("open", "fold"),
        ("doing", "fold"),
        ("waiting", "fold"),
        ("checking", "reopen"),
        ("ended", "open"),
        ("cancelled", "open"),
    ],
)
def test_a_fault_that_comes_again(newest: Class | None, what: str) -> None:
    assert fold(newest) == what


def test_what_servers_answer_with_is_what_a_repair_has() -> None:
    """Each of its steps stands in the history as a kind of event that there is."""
    theirs = {step.id for step in REPAIR.steps if step.on is None}
    assert set(get_args(TicketState)) == set(REPAIR.states)
    assert set(get_args(PersonStep)) == theirs
    assert set(STEP_EVENTS) == {step.id for step in REPAIR.steps} | {"fold"}
    assert set(STEP_EVENTS.values()) <= set(KINDS)


def test_the_console_offers_work_to_whom_a_repair_is_given() -> None:
    """What stands in the navigation follows the file of the kind."""
    theirs = {step.id: roles(step) for step in REPAIR.steps}
    assert ABILITY_ROLES["tickets.comment"] == theirs["comment"]
    assert ABILITY_ROLES["tickets.work"] == theirs["take"] & theirs["finish"]
    assert ABILITY_ROLES["tickets.reopen"] == theirs["reopen"]
    assert theirs["accept"] == ANSWERING


def test_the_ticket_of_an_alarm() -> None:
    history = [("pump-1.flow", NOW - HISTORY_MS - 1, 9.0), ("pump-1.flow", NOW - 1000, 0.1)]
    raised = raise_for(ALARM, Text("停机", "tripped"), ticket="t-1", place="泵房", history=history, now_ms=NOW)
    assert raised == TicketRaised(
        ticket="t-1",
        alarm="a-1",
        cause="pump-trip",
        asset="pump-1",
        severity="major",
        title=Text("停机", "tripped"),
        place="泵房",
        history=[("pump-1.flow", NOW - 1000, 0.1)],
    )
    assert fold_key("demo", raised) == FoldKey("demo", "pump-1", "pump-trip")


def test_a_tickets_history_is_bounded_and_keeps_the_end() -> None:
    history = [("p.q", NOW - 10_000 + n, n) for n in range(2000)]
    raised = raise_for(ALARM, Text("x", "x"), ticket="t", history=history, now_ms=NOW)
    assert len(raised.history) == HISTORY_ROWS
    assert raised.history[-1][2] == 1999

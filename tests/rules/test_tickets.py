"""Tickets: the table of steps, folding by cause, and that nothing closes before its alarm has cleared."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.facts.alarms import AlarmRaised, TicketRaised
from contract.kinds import KINDS
from contract.texts import Reason, Text
from rules.tickets.steps import (
    HISTORY_MS,
    HISTORY_ROWS,
    STATE_NAMES,
    STEP_EVENTS,
    STEP_NAMES,
    STEP_ROLES,
    STEPS,
    Acceptance,
    Assignee,
    FoldKey,
    Step,
    TicketState,
    closes,
    fold,
    fold_key,
    next_state,
    raise_for,
    steps_open,
)

NOW = 1_780_000_000_000
ALARM = AlarmRaised(alarm="a-1", rule="pump-trip", severity="major", message=Text("停机", "tripped"), asset="pump-1")


@pytest.mark.parametrize(
    ("state", "step", "to"),
    [
        ("raised", "take", "taken"),
        ("raised", "finish", "ticket_step"),
        ("raised", "comment", "raised"),
        ("taken", "take", "taken"),
        ("taken", "finish", "done"),
        ("taken", "reopen", "ticket_step"),
        ("done", "reopen", "taken"),
        ("done", "take", "ticket_step"),
        ("closed", "reopen", "taken"),
        ("closed", "take", "ticket_step"),
        ("closed", "comment", "closed"),
    ],
)
def test_a_step(state: TicketState, step: Step, to: str) -> None:
    found = next_state(state, step, role="maintenance", alarm_active=False, text="x")
    assert (found.code if isinstance(found, Reason) else found) == to


@pytest.mark.parametrize(
    ("state", "step", "seen", "to"),
    [
        ("taken", "take", False, "ticket_taken"),
        ("taken", "take", True, "ticket_taken"),
        ("taken", "take_over", False, "ticket_taken"),
        ("taken", "take_over", True, "taken"),
        ("taken", "finish", False, "ticket_finish_others"),
        ("taken", "finish", True, "done"),
        ("taken", "comment", False, "taken"),
        ("raised", "take_over", True, "ticket_step"),
        ("done", "reopen", False, "taken"),
    ],
)
def test_what_somebody_else_has(state: TicketState, step: Step, *, seen: bool, to: str) -> None:
    found = next_state(
        state, step, role="maintenance", alarm_active=False, text="x", holder=Assignee("李工", seen=seen)
    )
    assert (found.code if isinstance(found, Reason) else found) == to
    assert not isinstance(found, Reason) or found.code == "ticket_step" or "李工" in found.zh


def test_a_ticket_is_taken_or_taken_over_never_both() -> None:
    assert steps_open("taken", "maintenance", None) == ["take", "comment", "finish"]
    assert steps_open("taken", "maintenance", None, Assignee("李工", seen=True)) == ["take_over", "comment", "finish"]


def test_what_the_refusal_says() -> None:
    found = next_state("closed", "take", role="maintenance", alarm_active=False)
    assert found == Reason("ticket_step", "工单处于“已关闭”，不能接单", "A ticket that is closed cannot be taken")


@pytest.mark.parametrize(
    ("role", "step", "allowed"),
    [
        ("guard", "take", False),
        ("guard", "comment", True),
        ("maintenance", "finish", True),
        ("installer", "reopen", False),
        ("manager", "reopen", True),
        ("nobody", "comment", False),
        ("admin", "close", False),
        ("admin", "fold", False),
    ],
)
def test_who_may_take_a_step(role: str, step: Step, allowed: bool) -> None:
    state = next(state for state, wanted in STEPS if wanted == step)
    found = next_state(state, step, role=role, alarm_active=False, text="x")
    assert isinstance(found, Reason) is not allowed


def test_a_comment_says_something() -> None:
    assert isinstance(next_state("taken", "comment", role="guard", alarm_active=True, text="  "), Reason)


def test_every_step_has_its_name_and_its_event() -> None:
    assert set(STEP_EVENTS) == set(STEP_NAMES) == set(get_args(Step)) == {step for _, step in STEPS}
    assert set(STATE_NAMES) == set(get_args(TicketState))
    assert set(STEP_EVENTS.values()) <= set(KINDS)
    assert set(STEP_ROLES) == set(get_args(Step)) - {"close", "fold"}


@pytest.mark.parametrize(
    ("newest", "what"), [(None, "open"), ("raised", "fold"), ("taken", "fold"), ("done", "reopen"), ("closed", "open")]
)
def test_a_fault_that_comes_again(newest: TicketState | None, what: str) -> None:
    assert fold(newest) == what
    if newest is not None and what != "open":
        assert (newest, what) in STEPS


steps = st.lists(st.sampled_from(["take", "comment", "finish", "reopen", "raise", "clear", "settle"]), max_size=30)


@given(steps)
def test_a_ticket_is_never_closed_while_its_alarm_is_active(story: list[str]) -> None:
    state: TicketState = "raised"
    active = True
    for what in story:
        found: Any = state
        if what == "raise":
            active = True
            step = fold(state)
            # What is closed stays closed: the returning fault gets a ticket of its own.
            found = "raised" if step == "open" else next_state(state, step, alarm_active=active)
        elif what == "clear":
            active = False
        elif what == "settle" or closes(state, has_alarm=True, alarm_active=active):
            found = next_state(state, "close", alarm_active=active)
        else:
            step_: Any = what
            found = next_state(state, step_, role="manager", alarm_active=active, text="x")
        if not isinstance(found, Reason):
            if found == "closed" and state != "closed":
                assert not active
            state = found
        assert not (state == "closed" and active)


@pytest.mark.parametrize(
    ("state", "active", "expected"), [("done", False, True), ("done", True, False), ("taken", False, False)]
)
def test_done_closes_once_the_device_is_well(state: TicketState, active: bool, expected: bool) -> None:
    assert closes(state, has_alarm=True, alarm_active=active) is expected
    assert closes(state, has_alarm=False, alarm_active=False) is False


@pytest.mark.parametrize(
    ("role", "acceptance", "to"),
    [
        ("guard", Acceptance(asked_for=True, did_it=False), "closed"),
        ("manager", Acceptance(asked_for=False, did_it=False), "closed"),
        ("maintenance", Acceptance(asked_for=False, did_it=False), "ticket_accept"),
        ("maintenance", Acceptance(asked_for=True, did_it=True), "ticket_own"),
        ("maintenance", Acceptance(asked_for=True, did_it=True, nobody_else=True), "ticket_own"),
        ("admin", Acceptance(asked_for=False, did_it=True), "ticket_own"),
        ("admin", Acceptance(asked_for=False, did_it=True, nobody_else=True), "closed"),
        ("admin", None, "ticket_device"),
    ],
)
def test_who_accepts_finished_work(role: str, acceptance: Acceptance | None, to: str) -> None:
    found = next_state("done", "accept", role=role, alarm_active=False, acceptance=acceptance)
    assert (found.code if isinstance(found, Reason) else found) == to


def test_who_asked_for_the_work_may_send_it_back() -> None:
    asked = Acceptance(asked_for=True, did_it=False)
    assert next_state("done", "reopen", role="guard", alarm_active=False, acceptance=asked) == "taken"
    assert isinstance(next_state("done", "reopen", role="guard", alarm_active=False), Reason)


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

"""The flow of any sound kind, walked at random: what no kind can switch off."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.desired import Role
from contract.texts import Reason
from rules.tickets.flow import Actor, Device, Moved, StepSaid, WorkInHand, hands, move, own_step
from rules.tickets.kinds import OVER, Kind, On
from tests.rules.kinds import REPAIR, SHIPPED, a_kind, a_step, sound_kinds

PEOPLE = tuple(Actor(f"{role}-{number}", role) for role in get_args(Role) if role != "wall" for number in (1, 2))
FILLED = dict.fromkeys(("found", "done", "result", "answer", "reply", "feasible", "finding", "after", "home"), "x")
FILLED |= dict.fromkeys(("meters", "keys", "signed", "until", "waits_until"), "2026-12-01")


def everything(held: WorkInHand, text: str = "said") -> StepSaid:
    """Whatever could be asked, said by somebody who knows whose the work is."""
    return StepSaid(text=text, values=dict(FILLED), knows=held.executor or "", at_place=True)


def offered(kind: Kind, held: WorkInHand, actor: Actor) -> list[str]:
    """The steps that are in somebody's hand."""
    return [step for step, hand in hands(kind, held).items() if hand.holds(actor.role, frozenset({actor.id}))]


def after(held: WorkInHand, moved: Moved) -> WorkInHand:
    filled = held.filled | frozenset(FILLED)
    return replace(held, state=moved.state, executor=moved.executor, executors=moved.executors, filled=filled)


@settings(max_examples=150)
@given(kind=sound_kinds(), data=st.data(), device=st.sampled_from(get_args(Device)), asked=st.booleans())
def test_no_sequence_lets_anybody_accept_their_own_work(
    kind: Kind, data: st.DataObject, device: Device, asked: bool
) -> None:
    held = WorkInHand(state=kind.start, requester=PEOPLE[0].id if asked else None, device=device)
    worked: set[str] = set()
    for _ in range(data.draw(st.integers(1, 25), "length")):
        if data.draw(st.booleans(), "the device changes") and held.device != "none":
            held = replace(held, device="well" if held.device == "faulty" else "faulty")
            what: On = "device_well" if held.device == "well" else "device_faulty"
            own = own_step(kind, held, what)
            if own is not None:
                held = after(held, own[1])
            continue
        actor = data.draw(st.sampled_from(PEOPLE), "who")
        steps = offered(kind, held, actor)
        if not steps:
            continue
        step = data.draw(st.sampled_from(steps), "step")
        moved = move(kind, held, step, actor, everything(held))
        if isinstance(moved, Reason):
            # What is offered may be taken by whoever says and knows everything.
            pytest.fail(f"{step} was offered and refused: {moved.code}")
        if kind.of(moved.state) == "ended" and kind.of(held.state) != "ended":
            assert actor.id not in worked, (step, worked)
            taken = kind.step(step)
            assert taken is not None
            assert not ("device_well" in taken.needs and held.device == "faulty")
        before = kind.of(held.state)
        if moved.executor is not None:
            worked.add(moved.executor)
        if before in ("doing", "waiting") and kind.of(moved.state) == "checking":
            worked.add(actor.id)
        held = after(held, moved)


@settings(max_examples=60)
@given(kind=sound_kinds(), data=st.data())
def test_every_work_can_be_brought_to_an_end(kind: Kind, data: st.DataObject) -> None:
    """From wherever any steps led, somebody can go on to an end."""
    device: Device = "well" if "gateway" in kind.origins else "none"
    held = WorkInHand(state=kind.start, requester=PEOPLE[0].id if "people" in kind.origins else None, device=device)
    for _ in range(data.draw(st.integers(0, 8), "wandering")):
        actor = data.draw(st.sampled_from(PEOPLE), "who")
        steps = offered(kind, held, actor)
        if steps:
            moved = move(kind, held, data.draw(st.sampled_from(steps), "step"), actor, everything(held))
            assert isinstance(moved, Moved)
            held = after(held, moved)
    crew = (*PEOPLE, Actor(held.executor or "", "maintenance"))
    seen = {_key(held)}
    waiting = [held]
    while waiting:
        now = waiting.pop()
        if kind.of(now.state) in OVER:
            return
        for actor in crew:
            for step in offered(kind, now, actor):
                moved = move(kind, now, step, actor, everything(now))
                assert isinstance(moved, Moved)
                then = after(now, moved)
                if _key(then) not in seen and len(seen) < 4000:
                    seen.add(_key(then))
                    waiting.append(then)
    pytest.fail(f"stuck in {held}")


def _key(held: WorkInHand) -> tuple[str, str | None, frozenset[str]]:
    return held.state, held.executor, held.executors


@given(kind=sound_kinds(), state=st.data())
def test_what_is_not_offered_is_refused(kind: Kind, state: st.DataObject) -> None:
    held = WorkInHand(state=state.draw(st.sampled_from(sorted(kind.states))), executor=PEOPLE[2].id, name="Li")
    actor = state.draw(st.sampled_from(PEOPLE))
    open_to_them = offered(kind, held, actor)
    for step in kind.steps:
        taken = move(kind, held, step.id, actor, everything(held))
        if step.id not in open_to_them:
            assert isinstance(taken, Reason) or "take_over" in step.does, step.id


TAKEN = WorkInHand(state="taken", executor="m1", name="Li", executors=frozenset({"m1"}))
DONE = replace(TAKEN, state="done")
M1, M2, BOSS, GUARD = (
    Actor("m1", "maintenance"),
    Actor("m2", "maintenance"),
    Actor("b", "manager"),
    Actor("g", "guard"),
)
SAID = StepSaid(text="worn", values={"found": "worn", "done": "changed"}, knows="m1")


@pytest.mark.parametrize(
    ("held", "step", "actor", "said", "found"),
    [
        (WorkInHand(state="raised"), "take", M1, StepSaid(), Moved("taken", "m1", frozenset({"m1"}))),
        (WorkInHand(state="raised"), "take", GUARD, StepSaid(), "ticket_role"),
        (WorkInHand(state="raised"), "take", BOSS, StepSaid(gives_to="m2"), Moved("taken", "m2", frozenset({"m2"}))),
        (WorkInHand(state="raised"), "finish", M1, SAID, "ticket_step"),
        (WorkInHand(state="raised"), "nothing", M1, SAID, "ticket_step"),
        (TAKEN, "take", M2, SAID, "ticket_taken"),
        (TAKEN, "take_over", M2, StepSaid(), "ticket_taken"),
        (TAKEN, "take_over", M2, SAID, Moved("taken", "m2", frozenset({"m1", "m2"}))),
        (TAKEN, "finish", M2, StepSaid(), "ticket_finish_others"),
        (TAKEN, "finish", M2, SAID, Moved("done", "m1", frozenset({"m1", "m2"}))),
        (TAKEN, "finish", M1, SAID, Moved("done", "m1", frozenset({"m1"}))),
        (TAKEN, "comment", GUARD, StepSaid(text="on my way"), Moved("taken", "m1", frozenset({"m1"}))),
        (TAKEN, "comment", GUARD, StepSaid(text="  "), "ticket_text"),
        (TAKEN, "close", M1, SAID, "ticket_step"),
        (DONE, "accept", M1, StepSaid(), "ticket_accept"),
        (DONE, "accept", BOSS, StepSaid(), Moved("closed", "m1", frozenset({"m1"}))),
        (replace(DONE, executors=frozenset({"m1", "b"})), "accept", BOSS, StepSaid(), "ticket_own"),
        (replace(DONE, requester="g"), "accept", GUARD, StepSaid(), Moved("closed", "m1", frozenset({"m1"}))),
        (replace(DONE, requester="m1"), "accept", M1, StepSaid(), "ticket_own"),
        (replace(DONE, device="faulty"), "accept", BOSS, StepSaid(), "ticket_alarm_active"),
        (DONE, "reopen", BOSS, StepSaid(), Moved("taken", "m1", frozenset({"m1"}), rework=True)),
    ],
)  # fmt: skip
def test_repair(held: WorkInHand, step: str, actor: Actor, said: StepSaid, found: Moved | str) -> None:
    taken = move(REPAIR, held, step, actor, said)
    assert (taken.code if isinstance(taken, Reason) else taken) == found


@pytest.mark.parametrize(
    ("state", "device", "what", "to"),
    [
        ("done", "well", "device_well", "closed"),
        ("done", "faulty", "device_faulty", "taken"),
        ("taken", "well", "device_well", None),
        ("closed", "faulty", "device_faulty", None),
        ("done", "well", "parts_ended", None),
    ],
)
def test_the_hubs_own_steps(state: str, device: Device, what: On, to: str | None) -> None:
    own = own_step(REPAIR, replace(TAKEN, state=state, device=device), what)
    assert (None if own is None else own[1].state) == to


def test_what_a_required_field_lacks_is_named() -> None:
    kind = next(kind for kind in SHIPPED if kind.id == "task")
    doing = WorkInHand(state="doing", executor="m1", executors=frozenset({"m1"}))
    refused = move(kind, doing, "finish", M1, StepSaid())
    assert isinstance(refused, Reason)
    assert (refused.code, refused.zh) == ("ticket_field", "请填写完成情况")
    assert isinstance(move(kind, replace(doing, filled=frozenset({"result"})), "finish", M1, StepSaid()), Moved)


def test_the_parts_stand_in_the_way() -> None:
    stage = next(kind for kind in SHIPPED if kind.id == "stage")
    done = WorkInHand(state="done", parts_open=2)
    assert _code(move(stage, done, "accept", BOSS, StepSaid())) == "ticket_parts"
    assert isinstance(move(stage, replace(done, parts_open=0), "accept", BOSS, StepSaid()), Moved)


def test_the_checklist_and_the_place_stand_in_the_way() -> None:
    kind = a_kind(
        {"new": "open", "at": "doing", "end": "ended"},
        a_step("begin", "new", "at", needs=frozenset({"scan"}), does=frozenset({"assign"})),
        a_step("end", "at", "end", needs=frozenset({"checklist"})),
    )
    assert _code(move(kind, WorkInHand(state="new"), "begin", BOSS, StepSaid())) == "ticket_scan"
    at = WorkInHand(state="at", executor="m1", lines_open=3)
    assert _code(move(kind, at, "end", BOSS, StepSaid(knows="m1"))) == "ticket_checklist"
    assert isinstance(move(kind, replace(at, lines_open=0), "end", BOSS, StepSaid(knows="m1")), Moved)


def _code(found: Moved | Reason) -> str:
    return found.code if isinstance(found, Reason) else found.state

"""Takes a piece of work along the flow of its kind: which steps are open to whom, and what a step changes.

What no kind can switch off is here and not in the files: who had or did the work never says that it is good; a device
still in alarm is never accepted; what somebody has is not passed over unawares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from contract.desired import Role
from contract.texts import Reason
from rules.reasons import reason
from rules.tickets.kinds import HELD, Kind, On, WorkStep
from rules.tickets.values import FieldValue

Device = Literal["none", "well", "faulty"]
"""How the device stands for whose sake the work was raised; none: for no device's."""


class Actor(NamedTuple):
    """Who takes a step: an account, and the role that it has at the site."""

    id: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkInHand:
    """A piece of work as the flow sees it. People are ids of accounts.

    `executors`: everybody who ever had it or moved it while it was theirs. `name`: of who has it, for sentences.
    `filled`: fields that have a value. `parts_open`: parts of it that are not over. `lines_open`: of its checklist.
    """

    state: str
    executor: str | None = None
    name: str = ""
    requester: str | None = None
    executors: frozenset[str] = frozenset()
    device: Device = "none"
    filled: frozenset[str] = frozenset()
    parts_open: int = 0
    lines_open: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSaid:
    """What comes with a step. `values`: fields that are filled in, checked.

    `gives_to`: who shall have it, if not oneself. `knows`: who has it, as far as the person knows.
    `at_place`: they scanned the asset's code, or are there.
    """

    text: str = ""
    values: Mapping[str, FieldValue] = field(default_factory=dict)
    gives_to: str | None = None
    knows: str = ""
    at_place: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """What a step makes of the work: its state, who has it, who ever did, whether it is counted as done badly."""

    state: str
    executor: str | None
    executors: frozenset[str]
    rework: bool = False


def move(kind: Kind, held: WorkInHand, wanted: str, actor: Actor, said: StepSaid) -> Moved | Reason:
    """The work after a person's step, or why it may not be taken. The values of `said` are checked already."""
    step = kind.step(wanted)
    if step is None or step.on is not None or held.state not in step.start:
        shown = kind.states[held.state].name
        return reason("ticket_step", state=shown, step=wanted if step is None else step.name)
    why = _not_theirs(kind, held, step, actor) or _passed_over(kind, held, step, actor, said)
    why = why or _unmet(held, step, said) or _unsaid(kind, held, step, said)
    return why or _after(kind, held, step, actor, said)


def own_step(kind: Kind, held: WorkInHand, what: On) -> tuple[WorkStep, Moved] | None:
    """The step that the hub takes because of what happened, and the work after it; None if there is none."""
    step = kind.upon(held.state, what)
    if step is None or _unmet(held, step, StepSaid()) is not None:
        return None
    rework = "rework" in step.does
    executor = None if "release" in step.does else held.executor
    return step, Moved(step.to or held.state, executor, held.executors, rework)


def open_steps(kind: Kind, held: WorkInHand, actor: Actor) -> list[WorkStep]:
    """The steps that a person may take now, if they say and fill in what is asked; in the order of the file."""
    found = []
    for step in kind.steps_from(held.state):
        if step.on is not None or _not_theirs(kind, held, step, actor) is not None:
            continue
        if "take_over" in step.does and held.executor in (None, actor.id):
            continue
        if "assign" in step.does and _others(kind, held, actor):
            continue
        if _unmet(held, step, StepSaid(at_place=True)) is None:
            found.append(step)
    return found


def _not_theirs(kind: Kind, held: WorkInHand, step: WorkStep, actor: Actor) -> Reason | None:
    stands = {"executor": actor.id == held.executor, "requester": actor.id == held.requester}
    if not (actor.role in step.who or any(stands[who] for who in ("executor", "requester") if who in step.who)):
        return reason("ticket_accept" if kind.ends(step) else "ticket_role")
    if any(stands[relation] for relation in step.never):
        return reason("ticket_own")
    if kind.ends(step) and (actor.id in held.executors or actor.id == held.executor):
        return reason("ticket_own")
    return None


def _others(kind: Kind, held: WorkInHand, actor: Actor) -> bool:
    return kind.of(held.state) in HELD and held.executor is not None and held.executor != actor.id


def _passed_over(kind: Kind, held: WorkInHand, step: WorkStep, actor: Actor, said: StepSaid) -> Reason | None:
    """WorkInHand work is moved by who has it, or by whoever says that they know who has it."""
    moves = step.to is not None or step.does
    if not moves or not _others(kind, held, actor):
        return None
    if "assign" in step.does:
        return reason("ticket_taken", name=held.name)
    if said.knows == held.executor:
        return None
    taking = "take_over" in step.does
    return reason("ticket_taken" if taking else "ticket_finish_others", name=held.name)


def _unmet(held: WorkInHand, step: WorkStep, said: StepSaid) -> Reason | None:
    if "device_well" in step.needs and held.device == "faulty":
        return reason("ticket_alarm_active")
    if "parts_ended" in step.needs and held.parts_open:
        return reason("ticket_parts", count=str(held.parts_open))
    if "checklist" in step.needs and held.lines_open:
        return reason("ticket_checklist", count=str(held.lines_open))
    if "scan" in step.needs and not said.at_place:
        return reason("ticket_scan")
    return None


def _unsaid(kind: Kind, held: WorkInHand, step: WorkStep, said: StepSaid) -> Reason | None:
    if step.says == "must" and not said.text.strip():
        return reason("ticket_text")
    for id_ in step.asks:
        asked = kind.fields[id_]
        if asked.required and id_ not in said.values and id_ not in held.filled:
            return reason("ticket_field", name=asked.name)
    return None


def _after(kind: Kind, held: WorkInHand, step: WorkStep, actor: Actor, said: StepSaid) -> Moved:
    executor, executors = held.executor, held.executors
    if held.executor is not None:
        executors |= {held.executor}
    if step.does & {"assign", "take_over"}:
        executor = said.gives_to or actor.id
        executors |= {executor}
    elif "release" in step.does:
        executor = None
    leaves = step.to is not None and kind.of(held.state) in HELD and kind.of(step.to) not in HELD
    if leaves and kind.of(step.to or "") == "checking":
        # Whoever says that it is done has done it, whoever had it.
        executors |= {actor.id}
    return Moved(step.to or held.state, executor, executors, "rework" in step.does)

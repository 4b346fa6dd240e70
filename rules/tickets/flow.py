"""Takes a piece of work along the flow of its kind: which steps are open to whom, and what a step changes.

What no kind can switch off is here and not in the files: who had or did the work never says that it is good; a device
still in alarm is never accepted; what somebody has is not passed over unawares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from contract.texts import Reason
from rules.reasons import reason
from rules.tickets.kinds import HELD, RELATIONS, Kind, On, WorkStep, roles
from rules.tickets.values import FieldValue

Device = Literal["none", "well", "faulty"]
"""How the device stands for whose sake the work was raised; none: for no device's."""


class Actor(NamedTuple):
    """Who takes a step: an account, and the role that it has at the site."""

    id: str
    role: str


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


class Hand(NamedTuple):
    """In whose hand a step is: that of whoever has one of these roles, and of the accounts `also`.

    `never`: of these accounts not. `only`: of nobody but these, where there are any.
    """

    roles: frozenset[str]
    also: frozenset[str] = frozenset()
    never: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset()

    def holds(self, role: str | None, names: frozenset[str]) -> bool:
        """Whether it is in the hand of a person of that role to whom these names belong."""
        if not self.never.isdisjoint(names) or (self.only and self.only.isdisjoint(names)):
            return False
        return role in self.roles or not self.also.isdisjoint(names)


def hands(kind: Kind, work: WorkInHand) -> dict[str, Hand]:
    """The steps that may be taken now, if all is said that is asked, and in whose hand each is."""
    found: dict[str, Hand] = {}
    for step in kind.steps_from(work.state):
        hand = _hand(kind, work, step)
        if step.on is not None or _unmet(work, step, StepSaid(at_place=True)) is not None:
            continue
        held = kind.of(work.state) in HELD and work.executor is not None
        if "take_over" in step.does:
            if not held:
                continue
            hand = hand._replace(never=hand.never | _those(work.executor))
        elif "assign" in step.does and held:
            # What somebody has is nobody else's to give away.
            hand = hand._replace(only=_those(work.executor))
        found[step.id] = hand
    return found


def move(kind: Kind, work: WorkInHand, wanted: str, actor: Actor, said: StepSaid) -> Moved | Reason:
    """The work after a person's step, or why it may not be taken. The values of `said` are checked already."""
    step = kind.step(wanted)
    if step is None or step.on is not None or work.state not in step.start:
        shown = kind.states[work.state].name
        return reason("ticket_step", state=shown, step=wanted if step is None else step.name)
    why = _not_theirs(kind, work, step, actor) or _passed_over(kind, work, step, actor, said)
    why = why or _unmet(work, step, said) or _unsaid(kind, work, step, said)
    return why or _after(kind, work, step, actor, said)


def own_step(kind: Kind, work: WorkInHand, what: On) -> tuple[WorkStep, Moved] | None:
    """The step that the hub takes because of what happened, and the work after it; None if there is none."""
    step = kind.upon(work.state, what)
    if step is None or _unmet(work, step, StepSaid()) is not None:
        return None
    executor = None if "release" in step.does else work.executor
    return step, Moved(step.to or work.state, executor, work.executors, "rework" in step.does)


def _hand(kind: Kind, work: WorkInHand, step: WorkStep) -> Hand:
    stands = {"executor": _those(work.executor), "requester": _those(work.requester)}
    also = frozenset[str]().union(*(stands[who] for who in RELATIONS & step.who))
    never = frozenset[str]().union(*(stands[relation] for relation in step.never))
    if kind.ends(step):
        never |= work.executors | _those(work.executor)
    return Hand(roles(step), also, never)


def _those(account: str | None) -> frozenset[str]:
    return frozenset() if account is None else frozenset({account})


def _not_theirs(kind: Kind, work: WorkInHand, step: WorkStep, actor: Actor) -> Reason | None:
    hand, names = _hand(kind, work, step), frozenset({actor.id})
    if hand.holds(actor.role, names):
        return None
    if hand._replace(never=frozenset()).holds(actor.role, names):
        return reason("ticket_own")
    return reason("ticket_accept" if kind.ends(step) else "ticket_role")


def _others(kind: Kind, work: WorkInHand, actor: Actor) -> bool:
    return kind.of(work.state) in HELD and work.executor is not None and work.executor != actor.id


def _passed_over(kind: Kind, work: WorkInHand, step: WorkStep, actor: Actor, said: StepSaid) -> Reason | None:
    """Work that is in hand is moved by who has it, or by whoever says that they know who has it."""
    moves = step.to is not None or step.does
    if not moves or not _others(kind, work, actor):
        return None
    if "assign" in step.does:
        return reason("ticket_taken", name=work.name)
    if said.knows == work.executor:
        return None
    taking = "take_over" in step.does
    return reason("ticket_taken" if taking else "ticket_finish_others", name=work.name)


def _unmet(work: WorkInHand, step: WorkStep, said: StepSaid) -> Reason | None:
    if "device_well" in step.needs and work.device == "faulty":
        return reason("ticket_alarm_active")
    if "parts_ended" in step.needs and work.parts_open:
        return reason("ticket_parts", count=str(work.parts_open))
    if "checklist" in step.needs and work.lines_open:
        return reason("ticket_checklist", count=str(work.lines_open))
    if "scan" in step.needs and not said.at_place:
        return reason("ticket_scan")
    return None


def _unsaid(kind: Kind, work: WorkInHand, step: WorkStep, said: StepSaid) -> Reason | None:
    if step.says == "must" and not said.text.strip():
        return reason("ticket_text")
    for id_ in step.asks:
        asked = kind.fields[id_]
        if asked.required and id_ not in said.values and id_ not in work.filled:
            return reason("ticket_field", name=asked.name)
    return None


def _after(kind: Kind, work: WorkInHand, step: WorkStep, actor: Actor, said: StepSaid) -> Moved:
    executor, executors = work.executor, work.executors
    if work.executor is not None:
        executors |= {work.executor}
    if step.does & {"assign", "take_over"}:
        executor = said.gives_to or actor.id
        executors |= {executor}
    elif "release" in step.does:
        executor = None
    leaves = step.to is not None and kind.of(work.state) in HELD and kind.of(step.to) not in HELD
    if leaves and kind.of(step.to or "") == "checking":
        # Whoever says that it is done has done it, whoever had it.
        executors |= {actor.id}
    return Moved(step.to or work.state, executor, executors, "rework" in step.does)

"""A kind of work as the flow reads it: its fields, its states and the steps between them. Made of `config/kinds/`.

States are free words; each belongs to one of six classes. What counts work reads the class, so that no flow of a
company breaks a count; lists and numbers of the hub go by the states of a repair as yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from contract.desired import Role
from contract.texts import Text

Class = Literal["open", "doing", "waiting", "checking", "ended", "cancelled"]
"""open: nobody is at it · doing: somebody is · waiting: somebody's, for something, until a date · checking: it is
said to be done · ended: somebody else, or the device, says so too · cancelled: it will not be done."""

CLASS_NAMES: Mapping[Class, Text] = {
    "open": Text("待处理", "to do"),
    "doing": Text("处理中", "in progress"),
    "waiting": Text("等待中", "waiting"),
    "checking": Text("待验收", "to verify"),
    "ended": Text("已完成", "completed"),
    "cancelled": Text("已取消", "cancelled"),
}

OVER: frozenset[Class] = frozenset({"ended", "cancelled"})
HELD: frozenset[Class] = frozenset({"doing", "waiting"})
"""In these it is somebody's, and nobody passes over them unawares."""

Relation = Literal["executor", "requester"]
"""How a person stands to one piece of work. executor: who has it · requester: who asked for it."""

RELATIONS: frozenset[Relation] = frozenset({"executor", "requester"})

Who = Role | Relation
"""Into whose hand a step is given."""

Need = Literal["device_well", "parts_ended", "checklist", "scan"]
"""What must hold besides: the device has recovered · all parts of the work are over · each line of the checklist
is answered · the code on the asset was scanned, or the person is at the place."""

Act = Literal["assign", "take_over", "release", "rework"]
"""What a step does besides moving. assign: it becomes somebody's, who has it from nobody · take_over: from whoever has
it · release: it is nobody's · rework: it is counted as done badly."""

On = Literal["device_well", "device_faulty", "parts_ended"]
"""What the hub itself takes a step upon: the device recovers · its alarm is back · the last part of it is over."""

Saying = Literal["may", "must", "no"]

FieldType = Literal["text", "number", "choice", "date", "person", "asset", "place", "photo", "signature"]

Origin = Literal["people", "gateway", "public"]
"""Who can raise it: a person with an account · a rule at a gateway · whoever scans the code on an asset."""


@dataclass(frozen=True, slots=True)
class WorkField:
    """Something that is filled in. `required`: none of it ends without. `least`, `most`: of a number; of a text, signs.

    `choices`: code → what people read.
    """

    id: str
    name: Text
    type: FieldType
    required: bool = False
    least: float | None = None
    most: float | None = None
    choices: tuple[tuple[str, Text], ...] = ()


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One line of a checklist. `unit` and bounds: what is measured; without them it is done or not."""

    id: str
    name: Text
    unit: str = ""
    least: float | None = None
    most: float | None = None

    @property
    def measured(self) -> bool:
        """Whether a number answers it."""
        return self.unit != "" or self.least is not None or self.most is not None


@dataclass(frozen=True, slots=True)
class WorkState:
    """Where a piece of work can stand."""

    id: str
    name: Text
    of: Class


@dataclass(frozen=True, slots=True)
class WorkStep:
    """One step. `start`: the states from which it is taken; `to`: None: it stays where it is.

    `who` takes it, but never who stands to the work as `never` says. `asks`: fields that are filled in with it.
    `on`: the hub takes it itself, and nobody else does.
    """

    id: str
    name: Text
    start: frozenset[str]
    to: str | None
    who: frozenset[Who] = frozenset()
    never: frozenset[Relation] = frozenset()
    asks: tuple[str, ...] = ()
    says: Saying = "may"
    needs: frozenset[Need] = frozenset()
    does: frozenset[Act] = frozenset()
    on: On | None = None


@dataclass(frozen=True)
class Kind:
    """A kind of work in one version. `start`: the state in which it is raised.

    `prefix`: before its numbers. It is sound (`rules.tickets.soundness`): whoever makes one sees to that.
    """

    id: str
    name: Text
    prefix: str
    origins: frozenset[Origin]
    start: str
    states: Mapping[str, WorkState]
    steps: tuple[WorkStep, ...]
    fields: Mapping[str, WorkField]
    checklist: tuple[CheckLine, ...] = ()

    @cached_property
    def _steps(self) -> Mapping[str, WorkStep]:
        return {step.id: step for step in self.steps}

    def step(self, id_: str) -> WorkStep | None:
        """The step of that id."""
        return self._steps.get(id_)

    def of(self, state: str) -> Class:
        """The class of a state; `KeyError` if the kind has no such state."""
        return self.states[state].of

    def states_of(self, *classes: Class) -> frozenset[str]:
        """The states of these classes."""
        return frozenset(id_ for id_, state in self.states.items() if state.of in classes)

    def steps_from(self, state: str) -> Iterator[WorkStep]:
        """The steps that begin there."""
        return (step for step in self.steps if state in step.start)

    def upon(self, state: str, what: On) -> WorkStep | None:
        """The step that the hub takes from there when that happens."""
        return next((step for step in self.steps_from(state) if step.on == what), None)

    def ends(self, step: WorkStep) -> bool:
        """Whether the step says that the work is done and good."""
        return step.to is not None and self.of(step.to) == "ended"


def roles(step: WorkStep) -> frozenset[Role]:
    """The roles among those who may take a step."""
    return frozenset(who for who in step.who if who not in RELATIONS)  # type: ignore[misc]  # what is left is a role

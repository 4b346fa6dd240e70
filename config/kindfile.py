"""The file of a kind of work: its fields, checklist, states and steps. The shape; what it must hold is
`config.load_kinds`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from config.site import Id, Name, Part
from rules.tickets.kinds import Act, Class, FieldType, Need, On, Origin, Relation, Saying, Who

Prefix = Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,4}$")]
Bound = Annotated[float, Field(ge=-1e12, le=1e12)]


class FieldPart(Part):
    """Something that is filled in."""

    name: Name
    """What people read above it."""
    type: FieldType
    """text, number, choice, date, person, asset, place, photo or signature."""
    required: bool = False
    """No work of this kind is completed without it."""
    least: Bound | None = None
    """Of a number the least value, of a text the least number of signs."""
    most: Bound | None = None
    """Of a number the greatest value, of a text the greatest number of signs."""
    choices: dict[Id, Name] = Field(default_factory=dict)
    """Of a choice: code and name of each."""


class CheckLinePart(Part):
    """One line of the checklist."""

    id: Id
    """How it is kept: it stays as long as the line means the same."""
    name: Name
    """What is looked at, and what is good."""
    unit: Annotated[str, Field(max_length=16)] = ""
    """What it is measured in; with it or with a bound the line is answered by a number."""
    least: Bound | None = None
    """The least value that is good."""
    most: Bound | None = None
    """The greatest value that is good."""


class StatePart(Part):
    """Where a piece of work can stand."""

    name: Name
    """What people read."""
    is_: Annotated[Class, Field(alias="class")]
    """open, doing, waiting, checking, ended or cancelled: what boards, clocks and numbers read."""


class StepPart(Part):
    """One step of the flow."""

    name: Name
    """What people read on its button."""
    start: Annotated[list[Id], Field(alias="from", min_length=1)]
    """From which states it is taken."""
    to: Id | None = None
    """The state after it; without it the work stays where it is."""
    who: list[Who] = Field(default_factory=list)
    """Who takes it: roles, `executor` (who has it), `requester` (who asked for it)."""
    never: list[Relation] = Field(default_factory=list)
    """Who does not, whatever their role: `executor`, `requester`."""
    asks: list[Id] = Field(default_factory=list)
    """The fields that are filled in with it."""
    says: Saying = "may"
    """Whether something is written with it: may, must or no."""
    needs: list[Need] = Field(default_factory=list)
    """What must hold: device_well, parts_ended, checklist, scan."""
    does: list[Act] = Field(default_factory=list)
    """What it does besides: assign, take_over, release, rework."""
    on: On | None = None
    """The hub takes it itself when this happens: device_well, device_faulty, parts_ended."""


class KindFile(Part):
    """A kind of work."""

    kind: Id
    """Its id: it stays."""
    name: Name
    """What people call it."""
    prefix: Prefix
    """Before the numbers of such work, as in R-0012."""
    origins: Annotated[tuple[Origin, ...], Field(min_length=1)] = ("people",)
    """Who raises it: people, gateway, public."""
    fields: Annotated[dict[Id, FieldPart], Field(max_length=60)] = Field(default_factory=dict)
    """What is filled in."""
    checklist: Annotated[list[CheckLinePart], Field(max_length=100)] = Field(default_factory=list)
    """What is gone through."""
    start: Id
    """The state in which it is raised."""
    states: Annotated[dict[Id, StatePart], Field(min_length=2, max_length=30)]
    """Where it can stand."""
    steps: Annotated[dict[Id, StepPart], Field(min_length=1, max_length=60)]
    """What leads from one state to another."""

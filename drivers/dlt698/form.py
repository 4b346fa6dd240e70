"""Files of meters that speak DL/T 698.45: which attribute of which object each point is. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from drivers.dlt698.product import ObjectSource
from drivers.meters.form import multipliers_of, times_faults
from drivers.profiles.form import Form
from drivers.profiles.head import Fault, profile_of, text
from drivers.profiles.profile import Point, Profile
from drivers.profiles.transformers import transformer_faults
from drivers.profiles.words import Closed, Group, Head, Limits, Poll, Serial, Word, Words


class Dlt698Point(Closed):
    """A value of attribute `oad`: all of it, or its `element` (from 1) where it is an array.

    `form`: a number with so many `decimals`, octets as their `digits`, text, or date and time. `address`: where the
    meter does not have it, the address that its answer comes from. `min`, `max`: outside of them the reading is bad.
    """

    name: Words
    oad: Annotated[int, Field(ge=0, le=0xFFFFFFFF)]
    element: Annotated[int, Field(ge=1, le=255)] | None = None
    form: Literal["number", "digits", "text", "clock"] = "number"
    decimals: Annotated[int, Field(ge=0, le=8)] = 0
    address: bool = False
    unit: str = ""
    min: float | None = None
    max: float | None = None
    rolls_over: Annotated[float, Field(gt=0)] | None = None
    deadband: Annotated[float, Field(ge=0)] = 0.0
    times: list[Word] = []
    group: Group = "normal"


class Dlt698File(Head):
    """A meter that speaks DL/T 698.45 and is read without security. `registers` of its limits: attributes a request."""

    protocol: Literal["dlt698"]
    serial: Serial | None = None
    limits: Limits = Limits(registers=8, guard_s=0.03, latency_s=1.0)
    poll: Poll = Poll(alarm=15, normal=15, meter=60)
    points: Annotated[dict[Word, Dlt698Point], Field(min_length=1)]


def faults(file: Dlt698File) -> Iterator[Fault]:
    """Everything that the shape allows and that still cannot be meant."""
    yield from times_faults(file.points, ())
    yield from transformer_faults(file, file.points, ())
    for word, part in file.points.items():
        if part.form != "number" and (part.decimals or part.unit or part.min is not None or part.max is not None):
            yield Fault(("points", word), f"decimals, unit, min and max belong to a number, not to {part.form}")
        if part.element is not None and part.oad & 0xFF:
            yield Fault(("points", word, "element"), "the attribute's last byte names the element already")
        if part.address and part.form != "digits":
            yield Fault(("points", word, "address"), "an address is read as digits")


def build(file: Dlt698File) -> Profile:
    """The profile of a file without faults."""
    return profile_of(
        file,
        "dlt698",
        points={word: _point(word, part) for word, part in file.points.items()},
        multipliers=multipliers_of(file.points, (), file.transformers),
        serial=file.serial,
        limits=file.limits,
        poll=file.poll,
    )


def _point(word: str, part: Dlt698Point) -> Point:
    return Point(
        id=word,
        name=text(part.name),
        type="number" if part.form == "number" else "text",
        source=ObjectSource(
            oad=part.oad,
            element=part.element,
            form=part.form,
            decimals=part.decimals,
            address=part.address,
            times=tuple(part.times),
        ),
        unit=part.unit,
        low=part.min,
        high=part.max,
        rolls_over=part.rolls_over,
        deadband=part.deadband,
        group=part.group,
    )


FORM = Form(Dlt698File, faults, build)

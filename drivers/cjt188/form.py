"""Files of meters that speak CJ/T 188 (water, heat, gas). Pure.

Numbers with a unit are followed by the unit's code on the wire; it must be one of the same quantity as `unit`, into
which the value is turned.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from drivers.meters.form import MeterField, field_faults, names_of, points_of, twice
from drivers.meters.product import FieldSource, MeterCommand, MeterFormat
from drivers.profiles.form import Form
from drivers.profiles.head import Fault, label_faults, label_texts, profile_of, text
from drivers.profiles.profile import Point, Profile
from drivers.profiles.words import Closed, Head, Label, Limits, Poll, Serial, Word, Words

Item = Annotated[int, Field(ge=0, le=0xFFFF)]
READING = 0x901F
"""The item with what a meter counts."""

CODED = frozenset({"J", "Wh", "kWh", "MWh", "kJ", "MJ", "GJ", "W", "kW", "MW", "L", "m3", "L/h", "m3/h"})
"""Units that have a code on the wire."""


class Cjt188Point(MeterField):
    """A value of item `di`. `coded`: the code of its unit follows it. `address`: the address that answers instead."""

    length: int = 0
    di: Item = READING
    coded: bool = False
    address: bool = False


class Cjt188Command(Closed):
    """A write of `enum`'s raw value to `di`; A017 is the valve: 55 open, 99 close.

    `opt_in`: it is not there unless the site file allows it (`allow_commands`).
    """

    name: Words
    di: Item
    length: Annotated[int, Field(ge=1, le=8)] = 1
    enum: Annotated[dict[Annotated[int, Field(ge=0)], Label], Field(min_length=1)]
    opt_in: bool = False


class Cjt188File(Head):
    """A meter that speaks CJ/T 188. `type_code`: 0x10 cold water, 0x20 heat, 0x30 gas, …

    `di_order`: which byte of an item goes first on the wire ("1F 90" or "90 1F"): makers differ.
    """

    protocol: Literal["cjt188"]
    version: Literal[2004, 2018] = 2004
    type_code: Annotated[int, Field(ge=0x10, le=0x49)]
    di_order: Literal["1F 90", "90 1F"] = "1F 90"
    preamble: Annotated[int, Field(ge=0, le=4)] = 4
    serial: Serial | None = None
    limits: Limits = Limits(guard_s=0.03, latency_s=1.0)
    poll: Poll = Poll(alarm=30, normal=30, meter=60)
    lengths: dict[Item, Annotated[int, Field(ge=1, le=97)]] = {}
    points: Annotated[dict[Word, Cjt188Point], Field(min_length=1)]
    commands: dict[Word, Cjt188Command] = {}


def faults(file: Cjt188File) -> Iterator[Fault]:
    """Everything that the shape allows and that still cannot be meant."""
    yield from twice(names_of(file.points))
    for word, part in file.points.items():
        place = ("points", word)
        if part.address:
            if part.name is None:
                yield Fault(place, "a name in zh and en is missing")
            continue
        if part.length < 1:
            yield Fault((*place, "length"), "its length in bytes is missing")
            continue
        if part.coded and (part.form != "bcd" or part.unit not in CODED):
            yield Fault((*place, "coded"), f"a code follows only numbers in {', '.join(sorted(CODED))}")
        yield from field_faults(part, place)
    for word, command in file.commands.items():
        for raw in command.enum:
            if raw >= 1 << 8 * command.length:
                yield Fault(("commands", word, "enum", raw), f"{raw} does not fit into {command.length} bytes")
        yield from label_faults(command.enum, ("commands", word, "enum"))


def build(file: Cjt188File) -> Profile:
    """The profile of a file without faults."""
    return profile_of(
        file,
        "cjt188",
        points={point.id: point for word, part in file.points.items() for point in _points(word, part)},
        commands={word: _command(word, part) for word, part in file.commands.items()},
        serial=file.serial,
        limits=file.limits,
        poll=file.poll,
        format=MeterFormat(
            version=file.version,
            lengths=file.lengths,
            preamble=file.preamble,
            type_code=file.type_code,
            di_order="low-first" if file.di_order == "1F 90" else "high-first",
        ),
    )


def _points(word: str, part: Cjt188Point) -> Iterator[Point]:
    form = "digits" if part.address else part.form
    source = FieldSource(
        item=None if part.address else part.di,
        at=part.at,
        size=part.length,
        form=form,
        decimals=part.decimals,
        signed=part.signed,
        unit_code=part.coded,
        mask=part.mask,
        enum={raw: label.label for raw, label in part.enum.items()},
        layout=part.layout,
        address=part.address,
    )
    return points_of(word, part.model_copy(update={"form": form}), source)


def _command(word: str, part: Cjt188Command) -> MeterCommand:
    return MeterCommand(
        id=word,
        name=text(part.name),
        act="write",
        item=part.di,
        size=part.length,
        enum={label.label: raw for raw, label in part.enum.items()},
        labels=label_texts(part.enum.values()),
        opt_in=part.opt_in,
    )


FORM = Form(Cjt188File, faults, build)

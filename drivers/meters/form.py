"""What the files of meters have in common that answer by item: DL/T 645 and CJ/T 188. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Annotated, Literal, Protocol

from pydantic import Field

from drivers.meters.product import FieldForm, FieldSource
from drivers.profiles.head import Fault, Place, label_faults, label_texts, text
from drivers.profiles.profile import Multiplier, Point, ValueType
from drivers.profiles.transformers import site_ratio
from drivers.profiles.words import Closed, Group, Label, Transformers, Word, Words

Bytes = Annotated[int, Field(ge=1, le=64)]
Skip = Annotated[int, Field(ge=1, le=250)]
CLOCKS = {14: {"YYMMDDWWhhmmss", "YYYYMMDDhhmmss"}, 12: {"YYMMDDhhmmss"}}
"""How clocks may be written, by their digits."""

_NUMBERS = frozenset({"bcd", "binary", "number"})

SECONDS = 3
"""Bytes of a time of day."""


class MeterBit(Words):
    """One bit of a status word as a boolean point. `active`: the bit's value that reads as true."""

    point: Word
    active: Literal[0, 1] = 1
    group: Group | None = None


class MeterField(Closed):
    """A value of `length` bytes, from byte `at` of its item on, lowest byte first.

    `form`: a decimal number (`bcd`), a binary one, digits or characters as text, or a clock, whose digits `layout`
    names. `signed`: the highest bit means minus. `enum`, `mask`, `bits` belong to binary numbers. `min`, `max`:
    outside of them the reading is bad. `rolls_over`: where a counting register begins again.
    """

    name: Words | None = None
    length: Bytes
    at: Annotated[int, Field(ge=0, le=250)] = 0
    form: FieldForm = "bcd"
    layout: str = ""
    decimals: Annotated[int, Field(ge=0, le=8)] = 0
    signed: bool = False
    unit: str = ""
    mask: Annotated[int, Field(gt=0)] | None = None
    enum: dict[int, Label] = {}
    bits: dict[Annotated[int, Field(ge=0, le=63)], MeterBit] = {}
    min: float | None = None
    max: float | None = None
    rolls_over: Annotated[float, Field(gt=0)] | None = None
    deadband: Annotated[float, Field(ge=0)] = 0.0
    group: Group = "normal"


def field_faults(part: MeterField, place: Place, *, more_digits: int = 0) -> Iterator[Fault]:
    """Everything in a value that its shape allows and that still cannot be meant. `more_digits`: of another item."""
    if not part.bits and part.name is None:
        yield Fault(place, "a name in zh and en is missing")
    if (part.enum or part.bits or part.mask) and part.form != "binary":
        yield Fault(place, f"enum, mask and bits need a binary number, not {part.form}")
    if part.bits and (part.enum or part.mask):
        yield Fault(place, "a word with bits has no enum or mask of its own")
    if (part.decimals or part.signed) and part.form != "bcd":
        yield Fault(place, f"decimals and a sign belong to bcd, not to {part.form}")
    for number in part.bits:
        if number >= 8 * part.length:
            yield Fault((*place, "bits", number), f"bit {number} does not exist in {part.length} bytes")
    clocks = CLOCKS.get(2 * part.length + more_digits, set())
    if (part.form == "clock") != bool(part.layout) or (part.layout and part.layout not in clocks):
        fitting = ", ".join(sorted(clocks)) or "another length"
        yield Fault((*place, "layout"), f"a clock of {part.length} bytes is written as {fitting}")
    yield from label_faults(part.enum, (*place, "enum"))


def names_of(parts: Mapping[str, MeterField]) -> Iterator[tuple[str, Place]]:
    """Every point that the values of a file make, and where it stands."""
    for word, part in parts.items():
        if part.bits:
            for number, bit in part.bits.items():
                yield bit.point, ("points", word, "bits", number)
        else:
            yield word, ("points", word)


def twice(names: Iterable[tuple[str, Place]]) -> Iterator[Fault]:
    """Points that two places make."""
    seen: dict[str, Place] = {}
    for name, place in names:
        other = seen.setdefault(name, place)
        if other != place:
            yield Fault(place, f"the point {name} is already at {'.'.join(map(str, other))}")


class Multiplied(Protocol):
    """A value of a file that may be multiplied by others."""

    @property
    def form(self) -> str: ...

    @property
    def times(self) -> list[str]: ...


def times_faults(parts: Mapping[str, Multiplied], given: Collection[str]) -> Iterator[Fault]:
    """Multipliers that nothing tells. `given`: those that the site file says."""
    for word in given:
        if word in parts:
            yield Fault(("site_multipliers",), f"{word} is a point: the meter itself tells it")
    for word, part in parts.items():
        if part.times and part.form not in _NUMBERS:
            yield Fault(("points", word, "times"), f"only numbers are multiplied, not {part.form}")
        for name in part.times:
            factor = parts.get(name)
            if (factor is None or factor.form not in _NUMBERS or factor.times) and name not in given:
                yield Fault(("points", word, "times"), f"there is no number {name} to multiply by")


def multipliers_of(
    parts: Mapping[str, Multiplied], given: Collection[str], transformers: Transformers | None
) -> dict[str, Multiplier]:
    """Everything that other values are multiplied by: what the meter tells, and what the site file says (`given`)."""
    told = {name: Multiplier(id=name) for part in parts.values() for name in part.times}
    return told | {name: site_ratio(name, transformers) for name in given}


def points_of(word: str, part: MeterField, source: FieldSource) -> Iterator[Point]:
    """The points of a value. `source`: where it is; enum, mask and bits are filled in here."""
    if part.bits:
        for number, bit in part.bits.items():
            yield Point(
                id=bit.point,
                name=text(bit),
                type="flag",
                source=_bit_of(source, number, bit.active),
                group=bit.group or part.group,
            )
        return
    assert part.name is not None
    yield Point(
        id=word,
        name=text(part.name),
        type=_type_of(part),
        source=source,
        unit=part.unit,
        labels=label_texts(part.enum.values()),
        low=part.min,
        high=part.max,
        rolls_over=part.rolls_over,
        deadband=part.deadband,
        group=part.group,
    )


def _bit_of(source: FieldSource, number: int, active: int) -> FieldSource:
    return FieldSource(item=source.item, at=source.at, size=source.size, form="binary", bit=number, on=active)


def _type_of(part: MeterField) -> ValueType:
    if part.enum:
        return "label"
    return "number" if part.form in ("bcd", "binary") else "text"

"""Files of meters that speak DL/T 645-2007 or -1997. Pure.

A point names its item (`di`: 0x02010100). `blocks` names items that bring several points in one answer, in their
order; a meter that does not have the block is asked for each point's own item instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from drivers.meters.form import (
    SECONDS,
    MeterField,
    Skip,
    field_faults,
    multipliers_of,
    names_of,
    points_of,
    times_faults,
    twice,
)
from drivers.meters.product import FieldSource, MeterCommand, MeterFormat
from drivers.profiles.form import Form
from drivers.profiles.head import Fault, label_faults, label_texts, profile_of, text
from drivers.profiles.profile import Point, Profile
from drivers.profiles.transformers import transformer_faults
from drivers.profiles.words import Closed, Head, Label, Limits, Poll, Serial, Word, Words

Item = Annotated[int, Field(ge=0, le=0xFFFF_FFFF)]


class Dlt645Point(MeterField):
    """A value of item `di`. `time_di`: of a clock, the item with the time of day.

    `address`: the address that answers, where the meter does not have the item (or instead of one). `times`: the points
    (transformer ratios) that it is to be multiplied by, or names of `site_multipliers`.
    """

    length: int = 0
    di: Item | None = None
    time_di: Item | None = None
    address: bool = False
    times: list[Word] = []


class Dlt645Command(Closed):
    """What the meter can be told: `write` a value to `di`, `control` its switch (trip, close), set the line's `clock`.

    `level`: which of its passwords it needs; the password itself is in a file of the gateway. `opt_in`: it is not there
    unless the site file allows it (`allow_commands`); so it is with every `control`.
    """

    name: Words
    act: Literal["write", "control", "clock"]
    di: Item = 0
    length: Annotated[int, Field(ge=1, le=8)] = 1
    level: Annotated[int, Field(ge=0, le=9)] | None = None
    opt_in: bool = False
    enum: dict[Annotated[int, Field(ge=0, le=99_999_999)], Label] = {}


class Dlt645File(Head):
    """A meter that speaks DL/T 645. `lengths`: bytes of items of which no point reads the end.

    `site_multipliers`: ratios that the meter does not tell, so that the site file must; where the values
    are what flows (`transformers: none` or `primary`) they are 1 unless the site file says otherwise.
    """

    protocol: Literal["dlt645"]
    version: Literal[2007, 1997] = 2007
    preamble: Annotated[int, Field(ge=0, le=4)] = 4
    serial: Serial | None = None
    limits: Limits = Limits(guard_s=0.03, latency_s=1.0)
    poll: Poll = Poll(alarm=10, normal=15, meter=60)
    blocks: dict[Item, list[Word | Skip]] = {}
    lengths: dict[Item, Annotated[int, Field(ge=1, le=500)]] = {}
    site_multipliers: list[Word] = []
    points: Annotated[dict[Word, Dlt645Point], Field(min_length=1)]
    commands: dict[Word, Dlt645Command] = {}


def faults(file: Dlt645File) -> Iterator[Fault]:
    """Everything that the shape allows and that still cannot be meant."""
    yield from twice(names_of(file.points))
    yield from times_faults(file.points, file.site_multipliers)
    yield from transformer_faults(file, file.points, file.site_multipliers)
    for word, part in file.points.items():
        yield from _point_faults(file, word, part)
    yield from _block_faults(file)
    for word, command in file.commands.items():
        yield from _command_faults(file, word, command)


def _point_faults(file: Dlt645File, word: str, part: Dlt645Point) -> Iterator[Fault]:
    place = ("points", word)
    if part.di is None:
        if not part.address:
            yield Fault(place, "`di` (its item) is missing")
        if part.name is None:
            yield Fault(place, "a name in zh and en is missing")
        return
    if part.length < 1:
        yield Fault((*place, "length"), "its length in bytes is missing")
        return
    if part.address and part.form != "digits":
        yield Fault((*place, "address"), "an address is a row of digits: form digits")
    if file.version == 1997 and part.di > 0xFFFF:
        yield Fault((*place, "di"), "an item of 1997 has two bytes")
    yield from field_faults(part, place, more_digits=0 if part.time_di is None else 2 * SECONDS)


def _block_faults(file: Dlt645File) -> Iterator[Fault]:
    owners: dict[str, int] = {}
    for item, parts in file.blocks.items():
        for index, part in enumerate(parts):
            place = ("blocks", item, index)
            if isinstance(part, int):
                continue
            point = file.points.get(part)
            if point is None or point.di is None or point.bits or point.at or point.time_di is not None:
                yield Fault(place, f"{part} is no point with an item of its own")
            elif owners.setdefault(part, item) != item:
                yield Fault(place, f"{part} is already in the block {owners[part]:08X}")


def _command_faults(file: Dlt645File, word: str, part: Dlt645Command) -> Iterator[Fault]:
    place = ("commands", word)
    if file.version == 1997 and part.act != "clock":
        yield Fault((*place, "act"), "only the clock of a meter of 1997 can be set")
    if (part.act == "clock") != (not part.enum):
        yield Fault(place, "`write` and `control` need an enum, `clock` has none")
    if (part.act == "write") != bool(part.di):
        yield Fault(place, "`write` needs `di`, the others have none")
    if part.act != "clock" and part.level is None:
        yield Fault(place, "the password's level is missing")
    if part.act == "control" and any(raw > 0xFF for raw in part.enum):
        yield Fault((*place, "enum"), "a kind of control is one byte")
    if part.act == "write" and any(raw >= 100**part.length for raw in part.enum):
        yield Fault((*place, "enum"), f"a value does not fit into {part.length} bytes of digits")
    yield from label_faults(part.enum, (*place, "enum"))


def build(file: Dlt645File) -> Profile:
    """The profile of a file without faults."""
    return profile_of(
        file,
        "dlt645",
        points={point.id: point for word, part in file.points.items() for point in _points(word, part)},
        commands={word: _command(word, part) for word, part in file.commands.items()},
        multipliers=multipliers_of(file.points, file.site_multipliers, file.transformers),
        serial=file.serial,
        limits=file.limits,
        poll=file.poll,
        format=MeterFormat(
            version=file.version,
            blocks={item: tuple(parts) for item, parts in file.blocks.items()},
            lengths=file.lengths,
            preamble=file.preamble,
        ),
    )


def _points(word: str, part: Dlt645Point) -> Iterator[Point]:
    form = "digits" if part.di is None else part.form
    source = FieldSource(
        item=part.di,
        at=part.at,
        size=part.length,
        form=form,
        decimals=part.decimals,
        signed=part.signed,
        mask=part.mask,
        enum={raw: label.label for raw, label in part.enum.items()},
        time_item=part.time_di,
        layout=part.layout,
        address=part.address,
        times=tuple(part.times),
    )
    return points_of(word, part.model_copy(update={"form": form}), source)


def _command(word: str, part: Dlt645Command) -> MeterCommand:
    return MeterCommand(
        id=word,
        name=text(part.name),
        act=part.act,
        item=part.di,
        size=part.length,
        enum={label.label: raw for raw, label in part.enum.items()},
        labels=label_texts(part.enum.values()),
        level=part.level,
        opt_in=part.opt_in or part.act == "control",
    )


FORM = Form(Dlt645File, faults, build)

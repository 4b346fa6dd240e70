"""Files of meters that speak wired M-Bus (EN 13757): which record each point is. Pure.

A record is chosen by its quantity, function, storage number, tariff and subunit, all of which must fit; what it is sent
in is turned into `unit`. What the meter qualifies further (backward flow, per phase, …) is another quantity and never
taken instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from drivers.mbus.product import RecordFunction, RecordSource
from drivers.mbus.units import DIMENSIONS, READ, SENT, TEXTS, Quantity
from drivers.meters.form import MeterBit, twice
from drivers.profiles.form import Form
from drivers.profiles.head import Fault, Place, profile_of, text
from drivers.profiles.profile import Point, Profile
from drivers.profiles.words import Closed, Group, Head, Limits, Poll, Serial, Word, Words


class MbusPoint(Closed):
    """A record's value, the meter's own number (`of: identity`), or bits of the answer's `status`.

    `sent_in`: only a record in this unit of the wire (`W.h`, `J`, `m3`, …), where a meter sends a quantity in two.
    `min`, `max`: outside of them the reading is bad. `rolls_over`: where a counting register begins again.
    """

    name: Words | None = None
    of: Literal["record", "identity", "status"] = "record"
    quantity: Quantity | None = None
    function: RecordFunction = "instantaneous"
    storage: Annotated[int, Field(ge=0, le=2**41 - 1)] = 0
    tariff: Annotated[int, Field(ge=0, le=2**20 - 1)] = 0
    subunit: Annotated[int, Field(ge=0, le=2**10 - 1)] = 0
    sent_in: str | None = None
    unit: str = ""
    bits: dict[Annotated[int, Field(ge=0, le=31)], MeterBit] = {}
    min: float | None = None
    max: float | None = None
    rolls_over: Annotated[float, Field(gt=0)] | None = None
    deadband: Annotated[float, Field(ge=0)] = 0.0
    group: Group = "normal"


class MbusFile(Head):
    """A meter that speaks M-Bus."""

    protocol: Literal["mbus"]
    serial: Serial | None = None
    limits: Limits = Limits(latency_s=1.0)
    poll: Poll = Poll(alarm=300, normal=300, meter=300)
    points: Annotated[dict[Word, MbusPoint], Field(min_length=1)]


def faults(file: MbusFile) -> Iterator[Fault]:
    """Everything that the shape allows and that still cannot be meant."""
    yield from twice(_names(file))
    for word, part in file.points.items():
        place: Place = ("points", word)
        if not part.bits and part.name is None:
            yield Fault(place, "a name in zh and en is missing")
        yield from _record_faults(part, place) if part.of == "record" else _head_faults(part, place)


def _record_faults(part: MbusPoint, place: Place) -> Iterator[Fault]:
    if part.quantity is None:
        yield Fault((*place, "quantity"), "which quantity it is, is missing")
        return
    dimension = DIMENSIONS.get(part.quantity, "number")
    unit = READ.get(part.unit)
    if unit is None or unit.dimension != dimension:
        fitting = ", ".join(name for name, known in READ.items() if known.dimension == dimension) or "no unit"
        yield Fault((*place, "unit"), f"{part.quantity} is read in {fitting}")
    if part.sent_in is not None and (part.sent_in not in SENT or SENT[part.sent_in].dimension != dimension):
        yield Fault((*place, "sent_in"), f"{part.quantity} is not sent in {part.sent_in!r:.20}")
    if part.bits and part.quantity != "error_flags":
        yield Fault((*place, "bits"), "only error_flags and status have bits")


def _head_faults(part: MbusPoint, place: Place) -> Iterator[Fault]:
    if part.quantity is not None or part.unit or part.sent_in is not None:
        yield Fault(place, f"{part.of} is no record: it has neither quantity nor unit")
    if (part.of == "status") != bool(part.bits):
        yield Fault((*place, "bits"), "status is read bit by bit, and only it")
    for number in part.bits:
        if number > 7:
            yield Fault((*place, "bits", number), "status has 8 bits")


def _names(file: MbusFile) -> Iterator[tuple[str, Place]]:
    for word, part in file.points.items():
        if not part.bits:
            yield word, ("points", word)
        for number, bit in part.bits.items():
            yield bit.point, ("points", word, "bits", number)


def build(file: MbusFile) -> Profile:
    """The profile of a file without faults."""
    return profile_of(
        file,
        "mbus",
        points={point.id: point for word, part in file.points.items() for point in _points(word, part)},
        serial=file.serial,
        limits=file.limits,
        poll=file.poll,
    )


def _points(word: str, part: MbusPoint) -> Iterator[Point]:
    for number, bit in part.bits.items():
        yield Point(
            id=bit.point,
            name=text(bit),
            type="flag",
            source=_source(part, number, bit.active),
            group=bit.group or part.group,
        )
    if part.bits:
        return
    assert part.name is not None
    yield Point(
        id=word,
        name=text(part.name),
        type="text" if part.of == "identity" or part.quantity in TEXTS else "number",
        source=_source(part),
        unit=part.unit,
        low=part.min,
        high=part.max,
        rolls_over=part.rolls_over,
        deadband=part.deadband,
        group=part.group,
    )


def _source(part: MbusPoint, bit: int | None = None, on: int = 1) -> RecordSource:
    return RecordSource(
        of=part.of,
        quantity=part.quantity or "",
        function=part.function,
        storage=part.storage,
        tariff=part.tariff,
        subunit=part.subunit,
        sent_in=part.sent_in,
        bit=bit,
        on=on,
    )


FORM = Form(MbusFile, faults, build)

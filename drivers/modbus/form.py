"""Files of products that speak Modbus (`drivers.modbus.shapes`): what cannot be meant, and the profile. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from drivers.modbus import product as resolved
from drivers.modbus.product import Pulse, Readback, RegisterSource
from drivers.modbus.shapes import Command, ModbusFile, Output, Register, TimedPulse, Verify
from drivers.profiles.form import Form
from drivers.profiles.head import Fault, Place, dotted, label_faults, label_texts, profile_of, text
from drivers.profiles.profile import Multiplier, Point, Profile, ValueType
from drivers.profiles.transformers import site_ratio, transformer_faults
from drivers.profiles.words import WIDTHS


def faults(file: ModbusFile) -> Iterator[Fault]:
    """Everything that the shape allows and that still cannot be meant."""
    yield from _ids(file)
    yield from _shapes(file)
    yield from _clashes(file)
    yield from _commands(file)
    yield from transformer_faults(file, file.points, file.site_multipliers)
    for word, output in file.outputs.items():
        if output.verify and output.read_fc is None:
            yield Fault(("outputs", word), "cannot be verified: there is nothing to read back")


def _ids(file: ModbusFile) -> Iterator[Fault]:
    """Points, bits, outputs and inputs share one list of names."""
    seen: dict[str, Place] = {}
    for word, place in _point_words(file):
        if word in seen:
            yield Fault(place, f"the point {word} is already at {dotted(seen[word])}")
        seen.setdefault(word, place)
    for word in file.commands:
        if word in file.outputs:
            yield Fault(("commands", word), f"{word} is an output already")


def _point_words(file: ModbusFile) -> Iterator[tuple[str, Place]]:
    for word, part in file.points.items():
        if part.bits:
            for number, bit in part.bits.items():
                yield bit.point, ("points", word, "bits", number)
        else:
            yield word, ("points", word)
    for word in file.outputs:
        yield word, ("outputs", word)
    for word in file.inputs:
        yield word, ("inputs", word)


def _shapes(file: ModbusFile) -> Iterator[Fault]:
    for word, part in file.points.items():
        place: Place = ("points", word)
        if not part.bits and part.name is None:
            yield Fault(place, "a name in zh and en is missing")
        if (part.type == "bit") != (part.fc in {1, 2}):
            yield Fault(place, f"type {part.type} does not exist in fc {part.fc}")
        if part.type in {"f32", "f64"} and (part.bits or part.enum or part.mask):
            yield Fault(place, f"bits, enum and mask need an integer, not {part.type}")
        if part.bits and (part.enum or part.mask or part.times):
            yield Fault(place, "a register with bits has no enum, mask or times of its own")
        if part.scale == 0:
            yield Fault(place, "a scale of 0 makes every value 0")
        for number in part.bits:
            if number >= 16 * WIDTHS[part.type]:
                yield Fault((*place, "bits", number), f"bit {number} does not exist in {part.type}")
        for factor in part.times:
            if factor not in file.multipliers and factor not in file.site_multipliers:
                yield Fault((*place, "times"), f"there is no multiplier {factor}")
        yield from label_faults(part.enum, (*place, "enum"))
    for word in file.site_multipliers:
        if word in file.multipliers:
            yield Fault(("site_multipliers",), f"{word} is a multiplier that the device itself tells")


class _Claim(NamedTuple):
    """The registers that a part says something about; `mask`: which of their bits."""

    place: Place
    fc: int
    address: int
    width: int
    form: tuple[str, str]
    mask: int


def _clashes(file: ModbusFile) -> Iterator[Fault]:
    """Two parts that read the same registers differently, and parts that leave the address space."""
    claims = sorted(_claims(file), key=lambda claim: (claim.fc, claim.address, claim.width))
    for claim in claims:
        if claim.address + claim.width > 0x10000:
            last = claim.address + claim.width - 1
            yield Fault(claim.place, f"reaches address {last}; the last one is 65535")
    for index, claim in enumerate(claims):
        for other in claims[index + 1 :]:
            if other.fc != claim.fc or other.address >= claim.address + claim.width:
                break
            if (other.address, other.form) != (claim.address, claim.form):
                yield Fault(other.place, f"overlaps {dotted(claim.place)}, which reads the same registers differently")
            elif other.mask & claim.mask:
                yield Fault(other.place, f"says again what {dotted(claim.place)} says")


def _claims(file: ModbusFile) -> Iterator[_Claim]:
    for word, part in file.points.items():
        width = WIDTHS[part.type]
        mask = sum(1 << bit for bit in part.bits) or part.mask or (1 << 16 * width) - 1
        yield _Claim(("points", word), part.fc, part.address, width, (part.type, part.order or file.order), mask)
    for word, output in file.outputs.items():
        if output.read_fc is not None:
            form = ("bit" if output.read_fc == 1 else "u16", file.order)
            yield _Claim(("outputs", word), output.read_fc, output.address, 1, form, 0xFFFF)
    for word, contact in file.inputs.items():
        yield _Claim(("inputs", word), 2, contact.address, 1, ("bit", file.order), 1)


def _commands(file: ModbusFile) -> Iterator[Fault]:
    for word, part in file.commands.items():
        place: Place = ("commands", word)
        if part.value is not None and part.enum:
            yield Fault(place, "either a fixed value or an enum, not both")
        if part.fc == 5 and part.value is None and not part.enum:
            yield Fault(place, "a coil needs a value (0 or 0xFF00) or an enum")
        if part.fc != 16 and WIDTHS[part.type] != 1:
            yield Fault(place, f"{part.type} takes {WIDTHS[part.type]} registers: fc 16")
        if part.scale == 0:
            yield Fault(place, "a scale of 0 cannot be undone")
        yield from label_faults(part.enum, (*place, "enum"))


def build(file: ModbusFile) -> Profile:
    commands = {word: _command(word, part, file) for word, part in file.commands.items()}
    points: dict[str, Point] = {}
    for word, part in file.points.items():
        points.update((point.id, point) for point in _register_points(word, part, file))
    for word, output in file.outputs.items():
        if output.read_fc is not None:
            points[word] = _output_point(word, output)
    for word, contact in file.inputs.items():
        source = RegisterSource(fc=2, address=contact.address, type="bit", bit=0, on=contact.active)
        points[word] = Point(id=word, name=text(contact.name), type="flag", source=source, group=contact.group)
    multipliers = {
        word: Multiplier(
            id=word,
            source=RegisterSource(
                fc=part.fc, address=part.address, type=part.type, order=part.order or file.order, scale=part.scale
            ),
            scale=part.scale,
            values=part.values,
        )
        for word, part in file.multipliers.items()
    }
    multipliers |= {word: site_ratio(word, file.transformers) for word in file.site_multipliers}
    return profile_of(
        file,
        "modbus",
        points=points,
        outputs={word: _output(word, part) for word, part in file.outputs.items()},
        commands=commands,
        multipliers=multipliers,
        serial=file.serial,
        limits=file.limits,
        poll=file.poll,
    )


def _register_points(word: str, part: Register, file: ModbusFile) -> Iterator[Point]:
    order = part.order or file.order
    invalid = frozenset(file.invalid if part.invalid is None else part.invalid)
    if part.bits:
        for number, bit in part.bits.items():
            source = RegisterSource(
                fc=part.fc,
                address=part.address,
                type=part.type,
                order=order,
                bit=number,
                on=bit.active,
                invalid=invalid,
            )
            yield Point(
                id=bit.point, name=text(bit), type="flag", source=source, group=bit.group or part.group,
                writable=bit.point in file.commands,
            )  # fmt: skip
        return
    assert part.name is not None
    flag = part.type == "bit"
    kind: ValueType = "flag" if flag else "label" if part.enum else "number"
    source = RegisterSource(
        fc=part.fc,
        address=part.address,
        type=part.type,
        order=order,
        scale=part.scale,
        offset=part.offset,
        mask=part.mask,
        bit=0 if flag else None,
        enum={raw: label.label for raw, label in part.enum.items()},
        invalid=frozenset() if flag or part.type in {"f32", "f64"} else invalid,
        times=tuple(part.times),
    )
    yield Point(
        id=word,
        name=text(part.name),
        type=kind,
        source=source,
        unit=part.unit,
        labels=label_texts(part.enum.values()),
        low=part.min,
        high=part.max,
        deadband=part.deadband,
        rolls_over=part.rolls_over,
        group=part.group,
        writable=word in file.commands,
        detail=part.detail,
    )


def _output_point(word: str, part: Output) -> Point:
    assert part.read_fc is not None
    if part.read_fc == 1:
        source = RegisterSource(fc=1, address=part.address, type="bit", bit=0, on=1 if part.read_on else 0)
    else:
        bit = part.read_on.bit_length() - 1
        source = RegisterSource(fc=part.read_fc, address=part.address, type="u16", bit=bit)
    return Point(id=word, name=text(part.name), type="flag", source=source, group=part.group, writable=True)


def _output(word: str, part: Output) -> resolved.Output:
    timed = part.pulse
    return resolved.Output(
        id=word,
        name=text(part.name),
        fc=part.write_fc,
        address=part.address,
        on=part.write_on,
        off=part.write_off,
        toggle=part.write_toggle,
        pulse=None if timed is None else _pulse(timed),
        read_fc=part.read_fc,
        read_on=part.read_on,
        verify=part.verify,
        settle_s=part.settle_s,
    )


def _pulse(part: TimedPulse) -> Pulse:
    return Pulse(fc=part.fc, address=part.address, plus=part.plus, step_s=part.step_s, max=part.max, holds=part.holds)


def _readback(part: Verify, written: int) -> Readback:
    address = written if part.address is None else part.address
    return Readback(fc=part.fc, address=address, expect=part.expect)


def _command(word: str, part: Command, file: ModbusFile) -> resolved.Command:
    return resolved.Command(
        id=word,
        name=text(part.name),
        fc=part.fc,
        address=part.address,
        value=part.value,
        enum={label.label: raw for raw, label in part.enum.items()},
        labels=label_texts(part.enum.values()),
        type=part.type,
        order=part.order or file.order,
        scale=part.scale,
        offset=part.offset,
        unit=part.unit,
        low=part.min,
        high=part.max,
        verify=None if part.verify is None else _readback(part.verify, part.address),
        repeat=part.repeat,
        opt_in=part.opt_in,
    )


FORM = Form(ModbusFile, faults, build)

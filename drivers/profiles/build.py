"""From a profile's file to the profile: contradictions found, bits expanded, defaults filled in. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from contract.texts import Text
from drivers.profiles.profile import (
    Command,
    JsonSource,
    LineFormat,
    Multiplier,
    Output,
    Point,
    Profile,
    Pulse,
    Readback,
    RegisterSource,
    ValueType,
)
from drivers.profiles.schema import (
    WIDTHS,
    CameraFile,
    Label,
    LineFile,
    ModbusFile,
    MqttFile,
    MqttPoint,
    Register,
    TimedPulse,
    Verify,
    Words,
)
from drivers.profiles.schema import Command as CommandPart
from drivers.profiles.schema import Output as OutputPart

Place = tuple[str | int, ...]
AnyFile = ModbusFile | LineFile | MqttFile | CameraFile


class Fault(NamedTuple):
    """What is wrong, and where in the file (the keys that lead there)."""

    place: Place
    message: str


def faults(file: AnyFile) -> list[Fault]:
    """Everything in a file that the schema allows and that still cannot be meant."""
    if isinstance(file, ModbusFile):
        return [*_ids(file), *_shapes(file), *_clashes(file), *_commands(file)]
    if isinstance(file, MqttFile):
        return list(_mqtt(file))
    if isinstance(file, LineFile) and file.card is None and file.qr is None:
        return [Fault((), "a line reader reads cards or QR texts: `card` or `qr` is missing")]
    return []


def build(file: AnyFile) -> Profile:
    """The profile of a file without faults."""
    if isinstance(file, ModbusFile):
        return _modbus(file)
    if isinstance(file, MqttFile):
        points = {word: _mqtt_point(word, part) for word, part in file.points.items()}
        return _head(file, points=points, availability=file.availability, silent_s=file.silent_s)
    if isinstance(file, LineFile):
        line = LineFormat(ends=file.ends, gap_s=file.gap_s, max_length=file.max_length, card=file.card, qr=file.qr)
        return _head(file, serial=file.serial, line=line)
    return _head(file, dialect=file.dialect, silent_s=file.silent_s)


# --- What contradicts itself


def _ids(file: ModbusFile) -> Iterator[Fault]:
    """Points, bits, outputs and inputs share one list of names."""
    seen: dict[str, Place] = {}
    for word, place in _point_words(file):
        if word in seen:
            yield Fault(place, f"the point {word} is already at {_path(seen[word])}")
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
            if factor not in file.multipliers:
                yield Fault((*place, "times"), f"there is no multiplier {factor}")
        yield from _labels(part.enum, (*place, "enum"))


def _labels(enum: dict[int, Label], place: Place) -> Iterator[Fault]:
    texts: dict[str, tuple[str, str]] = {}
    for raw, label in enum.items():
        if texts.setdefault(label.label, (label.zh, label.en)) != (label.zh, label.en):
            yield Fault((*place, raw), f"the label {label.label} has two different texts")


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
                yield Fault(other.place, f"overlaps {_path(claim.place)}, which reads the same registers differently")
            elif other.mask & claim.mask:
                yield Fault(other.place, f"says again what {_path(claim.place)} says")


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
        yield from _labels(part.enum, (*place, "enum"))


def _mqtt(file: MqttFile) -> Iterator[Fault]:
    for word, part in file.points.items():
        if (part.type == "flag") != bool(part.map) or (part.type == "label") != bool(part.enum):
            yield Fault(("points", word), "a flag needs `map`, a label needs `enum`, a number neither")
        if not part.topic.startswith("{topic}") and "{" in part.topic:
            yield Fault(("points", word, "topic"), "only {topic}, at the beginning, is replaced")


def _path(place: Iterable[str | int]) -> str:
    return ".".join(str(step) for step in place)


# --- The profile itself


def _head(file: AnyFile, **rest: object) -> Profile:
    return Profile(
        id=file.id,
        kind=file.kind,
        protocol=file.protocol,
        name=_text(file.name),
        vendor=file.vendor,
        confidence=file.confidence,
        sources=tuple(file.sources),
        notes=tuple(file.notes),
        **rest,  # type: ignore[arg-type]
    )


def _modbus(file: ModbusFile) -> Profile:
    commands = {word: _command(word, part, file) for word, part in file.commands.items()}
    points: dict[str, Point] = {}
    for word, part in file.points.items():
        points.update((point.id, point) for point in _register_points(word, part, file))
    for word, output in file.outputs.items():
        if output.read_fc is not None:
            points[word] = _output_point(word, output)
    for word, contact in file.inputs.items():
        source = RegisterSource(fc=2, address=contact.address, type="bit", bit=0, on=contact.active)
        points[word] = Point(id=word, name=_text(contact.name), type="flag", source=source, group=contact.group)
    multipliers = {
        word: Multiplier(
            id=word,
            source=RegisterSource(fc=part.fc, address=part.address, type=part.type, order=part.order or file.order),
            values=part.values,
        )
        for word, part in file.multipliers.items()
    }
    return _head(
        file,
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
                id=bit.point, name=_text(bit), type="flag", source=source, group=bit.group or part.group,
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
        name=_text(part.name),
        type=kind,
        source=source,
        unit=part.unit,
        labels=_label_texts(part.enum.values()),
        low=part.min,
        high=part.max,
        deadband=part.deadband,
        group=part.group,
        writable=word in file.commands,
    )


def _output_point(word: str, part: OutputPart) -> Point:
    assert part.read_fc is not None
    if part.read_fc == 1:
        source = RegisterSource(fc=1, address=part.address, type="bit", bit=0, on=1 if part.read_on else 0)
    else:
        bit = part.read_on.bit_length() - 1
        source = RegisterSource(fc=part.read_fc, address=part.address, type="u16", bit=bit)
    return Point(id=word, name=_text(part.name), type="flag", source=source, group=part.group, writable=True)


def _output(word: str, part: OutputPart) -> Output:
    timed = part.pulse
    return Output(
        id=word,
        name=_text(part.name),
        fc=part.write_fc,
        address=part.address,
        on=part.write_on,
        off=part.write_off,
        pulse=None if timed is None else _pulse(timed),
        read_fc=part.read_fc,
        read_on=part.read_on,
        verify=part.verify,
    )


def _pulse(part: TimedPulse) -> Pulse:
    return Pulse(fc=part.fc, address=part.address, plus=part.plus, step_s=part.step_s, max=part.max)


def _readback(part: Verify, written: int) -> Readback:
    address = written if part.address is None else part.address
    return Readback(fc=part.fc, address=address, expect=part.expect)


def _command(word: str, part: CommandPart, file: ModbusFile) -> Command:
    return Command(
        id=word,
        name=_text(part.name),
        fc=part.fc,
        address=part.address,
        value=part.value,
        enum={label.label: raw for raw, label in part.enum.items()},
        labels=_label_texts(part.enum.values()),
        type=part.type,
        order=part.order or file.order,
        scale=part.scale,
        offset=part.offset,
        unit=part.unit,
        low=part.min,
        high=part.max,
        verify=None if part.verify is None else _readback(part.verify, part.address),
        repeat=part.repeat,
    )


def _mqtt_point(word: str, part: MqttPoint) -> Point:
    source = JsonSource(
        topic=part.topic,
        path=tuple(part.path.split(".")) if part.path else (),
        map=part.map,
        enum={said: label.label for said, label in part.enum.items()},
        scale=part.scale,
        offset=part.offset,
    )
    return Point(
        id=word,
        name=_text(part.name),
        type=part.type,
        source=source,
        unit=part.unit,
        labels=_label_texts(part.enum.values()),
        low=part.min,
        high=part.max,
        deadband=part.deadband,
        group=part.group,
    )


def _label_texts(labels: Iterable[Label]) -> dict[str, Text]:
    return {label.label: _text(label) for label in labels}


def _text(words: Words) -> Text:
    return Text(zh=words.zh, en=words.en)

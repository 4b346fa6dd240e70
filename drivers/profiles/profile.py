"""A profile as drivers, rules and simulators use it: every point resolved, every default filled in. Pure.

Bits of a register are points of their own here, and outputs and inputs are points too. Addresses are 0-based,
seconds end in `_s`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from contract.texts import Text
from drivers.profiles.words import (
    WIDTHS,
    Availability,
    AvailabilityNeeds,
    CardFormat,
    Confidence,
    Group,
    Limits,
    Order,
    PointType,
    Poll,
    QrFormat,
    Serial,
    Transformers,
)

ValueType = Literal["number", "flag", "label", "text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterSource:
    """Where a Modbus value is and how its raw form reads. `bit`: this bit of the word; `on`: its level for true."""

    fc: int
    address: int
    type: PointType
    order: Order = "ABCD"
    scale: float = 1.0
    offset: float = 0.0
    mask: int | None = None
    bit: int | None = None
    on: int = 1
    enum: Mapping[int, str] = field(default_factory=dict)
    invalid: frozenset[int] = frozenset()
    times: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """Registers (or bits, fc 1 and 2) that it takes."""
        return WIDTHS[self.type]


JsonCoding = Literal["plain", "text", "base64"]
"""How a value stands in JSON: as itself, written as text (`"21.5"`), or as text in base64."""


class JsonPlace(NamedTuple):
    """A place in a device's messages. `topic` still holds `{topic}`; an empty path is the whole payload."""

    topic: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonSource:
    """Where an MQTT value is (see `JsonPlace`), and in `also` where else it may be."""

    topic: str
    path: tuple[str, ...]
    map: Mapping[str, bool]
    enum: Mapping[str, str]
    scale: float = 1.0
    offset: float = 0.0
    coded: JsonCoding = "plain"
    also: tuple[JsonPlace, ...] = ()

    @property
    def places(self) -> tuple[JsonPlace, ...]:
        """Everywhere it may be said."""
        return (JsonPlace(self.topic, self.path), *self.also)


FieldForm = Literal["bcd", "binary", "digits", "ascii", "clock"]
"""How a meter writes a value: a decimal number, a binary number, digits as text, text, date and time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSource:
    """Where a DL/T 645 or CJ/T 188 value is: `size` bytes from `at` on of the data of `item`, lowest byte first.

    `decimals`: digits after the point; `signed`: the highest bit is the sign; `unit_code`: the byte after it names the
    unit. `bit`: this bit of a binary number, `on` its level for true. `time_item`: a clock whose time of day is in
    this other item; `layout`: which digits of a clock are what. `address`: the address that the answer comes from,
    instead of the item (None) or where the meter does not have it.
    """

    item: int | None
    at: int = 0
    size: int
    form: FieldForm = "bcd"
    decimals: int = 0
    signed: bool = False
    unit_code: bool = False
    mask: int | None = None
    bit: int | None = None
    on: int = 1
    enum: Mapping[int, str] = field(default_factory=dict)
    time_item: int | None = None
    layout: str = ""
    address: bool = False
    times: tuple[str, ...] = ()


RecordFunction = Literal["instantaneous", "maximum", "minimum", "error"]
"""What an M-Bus value is of its quantity; `error`: the value while the meter was in a state of error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSource:
    """Which record of an M-Bus meter a value is.

    `of`: a record, the meter's number (`identity`) or the byte of `status` of the answer's header. `sent_in`: only a
    record in this unit of the wire, where a meter sends one quantity in two. `bit`, `on`: as a `FieldSource`'s.
    """

    of: Literal["record", "identity", "status"] = "record"
    quantity: str = ""
    function: RecordFunction = "instantaneous"
    storage: int = 0
    tariff: int = 0
    subunit: int = 0
    sent_in: str | None = None
    bit: int | None = None
    on: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectSource:
    """Where a DL/T 698.45 value is: attribute `oad`, or one of its elements (from 1).

    `decimals`: digits after the point. `address`: the address that the answer comes from, where the meter does not
    have the attribute.
    """

    oad: int
    element: int | None = None
    form: Literal["number", "digits", "text", "clock"] = "number"
    decimals: int = 0
    address: bool = False
    times: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedSource:
    """A value that the device tells by itself when it changes, under this name."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A named value. `labels`: what an enumerated point can read as, and what people read for it.

    `rolls_over`: the value at which a counting register begins again, where the product says so. A point called
    `meter_no` is a meter's own number, one called `meter_clock` its own local date and time (ISO 8601, no zone).
    """

    id: str
    name: Text
    type: ValueType
    source: RegisterSource | JsonSource | FieldSource | RecordSource | ObjectSource | PushedSource
    unit: str = ""
    labels: Mapping[str, Text] = field(default_factory=dict)
    low: float | None = None
    high: float | None = None
    deadband: float = 0.0
    rolls_over: float | None = None
    group: Group = "normal"
    writable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Multiplier:
    """A factor of other values. `values`: what its raw values stand for; empty: the raw value itself.

    `source` None: the point of the same name tells it, and where there is no such point, the site file alone can.
    `assumed`: what holds as long as nobody says it; None: nothing does.
    """

    id: str
    source: RegisterSource | None = None
    values: Mapping[int, float] = field(default_factory=dict)
    assumed: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """Write `plus` + n to `address` with `fc`: n steps of `step_s`, at most `max`, timed by the board.

    `holds`: while it runs, "off" is confirmed and does nothing.
    """

    fc: int
    address: int
    plus: int
    step_s: float
    max: int
    holds: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Readback:
    """What must be read after a write: `expect` at `address`; None: what was written.

    `settle_s`: so long after the write the old state may still be read.
    """

    fc: int
    address: int
    expect: int | None
    settle_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Something to switch; it is also a point where it can be read back."""

    id: str
    name: Text
    fc: int
    address: int
    on: int
    off: int
    pulse: Pulse | None
    read_fc: int | None
    read_on: int
    verify: bool
    settle_s: float = 0.0
    toggle: int | None = None

    @property
    def pulse_s(self) -> tuple[float, float] | None:
        """The shortest and the longest pulse (seconds) that the board times by itself; None: it times none."""
        return None if self.pulse is None else (0.0, self.pulse.max * self.pulse.step_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command that the device takes. `value`: fixed raw value; `enum`: label → raw; otherwise a scaled number.

    `opt_in`: it is there only where the site file allows it for the device.
    """

    id: str
    name: Text
    fc: int
    address: int
    value: int | None
    enum: Mapping[str, int]
    labels: Mapping[str, Text]
    type: PointType
    order: Order
    scale: float
    offset: float
    unit: str
    low: float | None
    high: float | None
    verify: Readback | None
    repeat: bool
    opt_in: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicMessage:
    """What an MQTT device is told. `payload` may hold `{value}` or a time; with a path it stands there in an object."""

    topic: str
    payload: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicPulse:
    """A pulse that an MQTT device ends by itself: from `min_s` to `max_s`, rounded up to whole steps."""

    message: TopicMessage
    step_s: float
    min_s: float
    max_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicOutput:
    """An output of an MQTT device; the point of the same name confirms it.

    `repeats`: the device says its state again after every command, so that a state from before proves nothing.
    """

    id: str
    name: Text
    turn_on: TopicMessage
    turn_off: TopicMessage
    pulse: TopicPulse | None
    repeats: bool

    @property
    def pulse_s(self) -> tuple[float, float] | None:
        """The shortest and the longest pulse (seconds) that the device times by itself; None: it times none."""
        return None if self.pulse is None else (self.pulse.min_s, self.pulse.max_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicCommand:
    """A command that an MQTT device takes. `enum`: label → word; else a number, or nothing if the payload is fixed.

    Done when `point` says one of `expect`, or (where that is empty) what was asked for, within `tolerance`.
    """

    id: str
    name: Text
    message: TopicMessage
    point: str
    expect: tuple[str | bool | float, ...]
    tolerance: float
    repeats: bool
    enum: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, Text] = field(default_factory=dict)
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""
    low: float | None = None
    high: float | None = None

    @property
    def takes_value(self) -> bool:
        """Whether something has to be said with it."""
        return "{value}" in self.message.payload


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterCommand:
    """A command that a DL/T 645 or CJ/T 188 meter takes. `enum`: label → raw.

    `write`: `raw` in `size` bytes to `item`; `control`: trip and close (`raw` is the kind of control); `clock`: the
    time of day to the whole line. `level`: which password it needs; None: none. `opt_in`: as a `Command`'s.
    """

    id: str
    name: Text
    act: Literal["write", "control", "clock"]
    item: int = 0
    size: int = 1
    enum: Mapping[str, int] = field(default_factory=dict)
    labels: Mapping[str, Text] = field(default_factory=dict)
    level: int | None = None
    opt_in: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraOutput:
    """An output of a plate camera, by its number from 0; nobody can read it back."""

    id: str
    name: Text
    number: int

    @property
    def pulse_s(self) -> tuple[float, float] | None:
        """The shortest and the longest pulse (seconds) that the camera times by itself."""
        return 0.05, 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraCommand:
    """A command that a plate camera takes with the next answer that it fetches: `open`, `capture`."""

    id: str
    name: Text
    labels: Mapping[str, Text] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterFormat:
    """How a DL/T 645 or CJ/T 188 meter is asked. `version`: year of the standard.

    `blocks`: items that bring several points in one answer, in their order (a number: so many bytes of no interest);
    `lengths`: bytes of items whose points do not say it. `type_code`, `di_order`: CJ/T 188's.
    """

    version: Literal[1997, 2004, 2007, 2018]
    blocks: Mapping[int, tuple[str | int, ...]] = field(default_factory=dict)
    lengths: Mapping[int, int] = field(default_factory=dict)
    preamble: int = 4
    type_code: int = 0
    di_order: Literal["low-first", "high-first"] = "low-first"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFormat:
    """How a reader's lines end and what they carry."""

    ends: Literal["terminator", "gap"]
    gap_s: float
    max_length: int
    card: CardFormat | None
    qr: QrFormat | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderOutput:
    """An output of an OSDP reader, by its number; the reader times a pulse in steps of 0.1 s."""

    id: str
    name: Text
    number: int

    @property
    def pulse_s(self) -> tuple[float, float] | None:
        """The shortest and the longest pulse (seconds) that the reader times by itself."""
        return 0.1, 25.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderCommand:
    """A command that an OSDP reader takes: a colour for its lamp, so many beeps, a text for its display."""

    id: str
    name: Text
    act: Literal["lamp", "beep", "text"]
    labels: Mapping[str, Text] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderFormat:
    """What an OSDP reader has. `pin_digits`: the longest PIN of its keypad, 0 without one; `pin_s`: the longest pause
    between two keys of a PIN. `inputs`: points → the reader's number of the input.
    """

    card: CardFormat
    pin_digits: int = 0
    pin_s: float = 5.0
    lamp: bool = True
    buzzer: bool = True
    inputs: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a product is. `transformers`: of an electricity meter, None where its file does not say.

    `silent_s`: for products that speak by themselves, the silence after which they are lost.

    `bus_kinds`: the buses that it can hang on. `pictures`: an attached camera's stream is asked for pictures too.
    """

    id: str
    kind: str
    protocol: str
    name: Text
    vendor: str
    confidence: Confidence
    sources: tuple[str, ...]
    notes: tuple[str, ...] = ()
    transformers: Transformers | None = None
    points: Mapping[str, Point] = field(default_factory=dict)
    outputs: Mapping[str, Output | TopicOutput | CameraOutput | ReaderOutput] = field(default_factory=dict)
    commands: Mapping[str, Command | MeterCommand | TopicCommand | CameraCommand | ReaderCommand] = field(
        default_factory=dict
    )
    multipliers: Mapping[str, Multiplier] = field(default_factory=dict)
    serial: Serial | None = None
    limits: Limits = field(default_factory=Limits)
    poll: Poll = field(default_factory=Poll)
    line: LineFormat | None = None
    reader: ReaderFormat | None = None
    meter: MeterFormat | None = None
    availability: tuple[Availability, ...] = ()
    availability_needs: AvailabilityNeeds = "all"
    asks: tuple[TopicMessage, ...] = ()
    dialect: str | None = None
    pictures: bool = False
    silent_s: float | None = None
    bus_kinds: frozenset[str] = frozenset()

    def as_installed(
        self,
        allow_commands: Collection[str] = (),
        verify: bool | None = None,
        deadband: Mapping[str, float] | None = None,
    ) -> Profile:
        """The product as one device of a site has it.

        Commands that need leave are there where they are allowed; `verify`: whether outputs are read back after a
        write, `deadband`: which changes of a point are worth a report, instead of what the product says.
        """
        commands = {
            id: part
            for id, part in self.commands.items()
            if id in allow_commands or not (isinstance(part, Command | MeterCommand) and part.opt_in)
        }
        outputs = {
            id: replace(part, verify=verify)
            if verify is not None and isinstance(part, Output) and part.read_fc is not None
            else part
            for id, part in self.outputs.items()
        }
        if len(commands) == len(self.commands) and verify is None and not deadband:
            return self
        points = {
            id: replace(part, writable=False) if id in self.commands and id not in commands else part
            for id, part in self.points.items()
        }
        for id, change in (deadband or {}).items():
            points[id] = replace(points[id], deadband=change)
        return replace(self, commands=commands, outputs=outputs, points=points)

    @property
    def untold(self) -> list[str]:
        """The multipliers that neither the device tells nor its kind lets assume: the site file must."""
        return [
            id
            for id, part in self.multipliers.items()
            if part.source is None and part.assumed is None and id not in self.points
        ]

    @property
    def needs_topic(self) -> bool:
        """Whether its topics begin only at the site: the site file must say what `{topic}` stands for."""
        sources = [point.source for point in self.points.values() if isinstance(point.source, JsonSource)]
        topics = [place.topic for source in sources for place in source.places]
        topics += [words.topic for words in self.availability]
        return any("{topic}" in topic for topic in topics)

    @property
    def card(self) -> CardFormat | None:
        """How its cards come, if it is a reader of cards; a site file may declare another form for one device."""
        if self.reader is not None:
            return self.reader.card
        return None if self.line is None else self.line.card

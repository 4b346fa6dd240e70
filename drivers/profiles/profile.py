"""A profile as drivers, rules and simulators use it: every point resolved, every default filled in. Pure.

Bits of a register are points of their own here, and outputs and inputs are points too. Addresses are 0-based,
seconds end in `_s`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from contract.texts import Text
from drivers.profiles.words import (
    WIDTHS,
    Availability,
    CardFormat,
    Confidence,
    Group,
    Limits,
    Order,
    PointType,
    Poll,
    QrFormat,
    Serial,
)

Protocol = Literal["modbus", "osdp", "dlt645", "cjt188", "mbus", "dlt698", "line", "mqtt", "http-push", "camera-http"]
ValueType = Literal["number", "flag", "label", "text"]

_METERS = frozenset({"meter-serial", "meter-tcp"})

BUS_KINDS: dict[Protocol, frozenset[str]] = {
    "modbus": frozenset({"modbus-tcp", "modbus-rtu", "modbus-rtu-tcp"}),
    "osdp": frozenset({"osdp-serial", "osdp-tcp"}),
    "dlt645": _METERS,
    "cjt188": _METERS,
    "mbus": _METERS,
    "dlt698": _METERS,
    "line": frozenset({"line-serial", "line-tcp"}),
    "mqtt": frozenset({"mqtt"}),
    "http-push": frozenset({"http-push"}),
    "camera-http": frozenset({"camera-http"}),
}
"""Which buses of a site file a product of each protocol can hang on."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonSource:
    """Where an MQTT value is. `topic` still holds `{topic}`; an empty path is the whole payload."""

    topic: str
    path: tuple[str, ...]
    map: Mapping[str, bool]
    enum: Mapping[str, str]
    scale: float = 1.0
    offset: float = 0.0


FieldForm = Literal["bcd", "binary", "digits", "ascii", "clock"]
"""How a meter writes a value: a decimal number, a binary number, digits as text, text, date and time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSource:
    """Where a DL/T 645 or CJ/T 188 value is: `size` bytes from `at` on of the data of `item`, lowest byte first.

    `decimals`: digits after the point; `signed`: the highest bit is the sign; `unit_code`: the byte after it names the
    unit. `bit`: this bit of a binary number, `on` its level for true. `time_item`: a clock whose time of day is in
    this other item. `address`: the address that the answer comes from, instead of the item or where there is none.
    """

    item: int
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
    address: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A named value. `labels`: what an enumerated point can read as, and what people read for it.

    `rolls_over`: the value at which a counting register begins again, where the product says so. A point called
    `meter_no` is a meter's own number, one called `meter_clock` its own local date and time (ISO 8601, no zone).
    """

    id: str
    name: Text
    type: ValueType
    source: RegisterSource | JsonSource | FieldSource
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
    """A factor that the device holds. `values`: what its raw values stand for; empty: the raw value itself."""

    id: str
    source: RegisterSource
    values: Mapping[int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """Write `plus` + n to `address` with `fc`: n steps of `step_s`, at most `max`, timed by the board."""

    fc: int
    address: int
    plus: int
    step_s: float
    max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Readback:
    """What must be read after a write: `expect` at `address`; None: what was written."""

    fc: int
    address: int
    expect: int | None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A wish that the device takes. `value`: fixed raw value; `enum`: label → raw; otherwise a scaled number."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterCommand:
    """A wish that a DL/T 645 or CJ/T 188 meter takes. `enum`: label → raw.

    `write`: `raw` in `size` bytes to `item`; `control`: trip and close (`raw` is the kind of control); `clock`: the
    time of day to the whole line. `level`: which password it needs; None: none.
    """

    id: str
    name: Text
    act: Literal["write", "control", "clock"]
    item: int = 0
    size: int = 1
    enum: Mapping[str, int] = field(default_factory=dict)
    labels: Mapping[str, Text] = field(default_factory=dict)
    level: int | None = None


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
class Profile:
    """What a product is. `silent_s`: for products that speak by themselves, the silence after which they are lost."""

    id: str
    kind: str
    protocol: Protocol
    name: Text
    vendor: str
    confidence: Confidence
    sources: tuple[str, ...]
    notes: tuple[str, ...] = ()
    points: Mapping[str, Point] = field(default_factory=dict)
    outputs: Mapping[str, Output] = field(default_factory=dict)
    commands: Mapping[str, Command | MeterCommand] = field(default_factory=dict)
    multipliers: Mapping[str, Multiplier] = field(default_factory=dict)
    serial: Serial | None = None
    limits: Limits = field(default_factory=Limits)
    poll: Poll = field(default_factory=Poll)
    line: LineFormat | None = None
    meter: MeterFormat | None = None
    availability: Availability | None = None
    dialect: str | None = None
    silent_s: float | None = None

    @property
    def bus_kinds(self) -> frozenset[str]:
        """Kinds of buses that it can hang on."""
        return BUS_KINDS[self.protocol]

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A named value. `labels`: what an enumerated point can read as, and what people read for it.

    `rolls_over`: the value at which a counting register begins again, where the product says so. A point called
    `meter_no` is a meter's own number, one called `meter_clock` its own local date and time (ISO 8601, no zone).
    """

    id: str
    name: Text
    type: ValueType
    source: RegisterSource | JsonSource
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
    commands: Mapping[str, Command] = field(default_factory=dict)
    multipliers: Mapping[str, Multiplier] = field(default_factory=dict)
    serial: Serial | None = None
    limits: Limits = field(default_factory=Limits)
    poll: Poll = field(default_factory=Poll)
    line: LineFormat | None = None
    availability: Availability | None = None
    dialect: str | None = None
    silent_s: float | None = None

    @property
    def bus_kinds(self) -> frozenset[str]:
        """Kinds of buses that it can hang on."""
        return BUS_KINDS[self.protocol]

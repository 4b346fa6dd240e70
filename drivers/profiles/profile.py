"""A profile as drivers, rules and simulators use it: every point resolved, every default filled in. Pure.

Bits of a register are points of their own here, and outputs and inputs are points too. Addresses are 0-based,
seconds end in `_s`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Self

from contract.texts import Text
from drivers.profiles.words import CardFormat, Confidence, Group, Limits, Poll, Serial, Transformers

ValueType = Literal["number", "flag", "label", "text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a value is, in the words of its protocol (`product` in its folder). `times`: what it is multiplied by."""

    times: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedSource(Source):
    """A value that the device tells by itself when it changes, under this name."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A named value. `labels`: what an enumerated point can read as, and what people read for it.

    `rolls_over`: the value at which a counting register begins again, where the product says so. A point called
    `meter_no` is a meter's own number, one called `meter_clock` its own local date and time (ISO 8601, no zone).
    `detail`: how others are scaled, or a raw word: nothing that a person looks at every day.
    """

    id: str
    name: Text
    type: ValueType
    source: Source
    unit: str = ""
    labels: Mapping[str, Text] = field(default_factory=dict)
    low: float | None = None
    high: float | None = None
    deadband: float = 0.0
    rolls_over: float | None = None
    group: Group = "normal"
    writable: bool = False
    detail: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputPart:
    """Something to switch; it is also a point where it can be read back. How, its protocol says (`product`)."""

    id: str
    name: Text

    @property
    def pulse_s(self) -> tuple[float, float] | None:
        """The shortest and the longest pulse (seconds) that the device times by itself; None: it times none."""
        return None

    def verified(self, verify: bool) -> Self:
        """Read back after a write or not, where it can be read back."""
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandPart:
    """A command that the device takes. `labels`: what can be said with it, and what people read for that.

    `opt_in`: it is there only where the site file allows it for the device.
    """

    id: str
    name: Text
    labels: Mapping[str, Text] = field(default_factory=dict)
    opt_in: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Multiplier:
    """A factor of other values. `values`: what its raw values stand for; empty: the raw value itself, times `scale`.

    `source` None: the point of the same name tells it, and where there is no such point, the site file alone can.
    `assumed`: what holds as long as nobody says it; None: nothing does.
    """

    id: str
    source: Source | None = None
    scale: float = 1.0
    values: Mapping[int, float] = field(default_factory=dict)
    assumed: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a product is. `transformers`: of an electricity meter, None where its file does not say.

    `silent_s`: for products that speak by themselves, the silence after which they are lost.
    `card`: how a reader's cards come; a site file may declare another form for one device. `format`: what its protocol
    says of it besides (`product` in its folder). `bus_kinds`: the buses that it can hang on.
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
    outputs: Mapping[str, OutputPart] = field(default_factory=dict)
    commands: Mapping[str, CommandPart] = field(default_factory=dict)
    multipliers: Mapping[str, Multiplier] = field(default_factory=dict)
    serial: Serial | None = None
    limits: Limits = field(default_factory=Limits)
    poll: Poll = field(default_factory=Poll)
    card: CardFormat | None = None
    format: object | None = None
    dialect: str | None = None
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
        commands = {id: part for id, part in self.commands.items() if id in allow_commands or not part.opt_in}
        outputs = {id: part if verify is None else part.verified(verify) for id, part in self.outputs.items()}
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

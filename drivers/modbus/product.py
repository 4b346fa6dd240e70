"""What a Modbus product is: where its values are, what it takes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from drivers.profiles.profile import CommandPart, OutputPart, Profile, Source
from drivers.profiles.words import WIDTHS, Order, PointType


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterSource(Source):
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

    @property
    def width(self) -> int:
        """Registers (or bits, fc 1 and 2) that it takes."""
        return WIDTHS[self.type]


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
class Output(OutputPart):
    """Something to switch; it is also a point where it can be read back."""

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

    def verified(self, verify: bool) -> Self:
        """Read back after a write or not, where it can be read back."""
        return self if self.read_fc is None else replace(self, verify=verify)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(CommandPart):
    """A command that the device takes. `value`: fixed raw value; `enum`: label → raw; otherwise a scaled number.

    `opt_in`: it is there only where the site file allows it for the device.
    """

    fc: int
    address: int
    value: int | None
    enum: Mapping[str, int]
    type: PointType
    order: Order
    scale: float
    offset: float
    unit: str
    low: float | None
    high: float | None
    verify: Readback | None
    repeat: bool


def told_factors(profile: Profile) -> dict[str, RegisterSource]:
    """The multipliers that the device tells in registers, and where."""
    told = {id: part.source for id, part in profile.multipliers.items()}
    return {id: source for id, source in told.items() if isinstance(source, RegisterSource)}

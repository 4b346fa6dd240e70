"""What a meter is that answers by item (DL/T 645, CJ/T 188): where its values are, what it takes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from drivers.profiles.profile import CommandPart, Profile, Source

FieldForm = Literal["bcd", "binary", "digits", "ascii", "clock"]
"""How a meter writes a value: a decimal number, a binary number, digits as text, text, date and time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSource(Source):
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


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterCommand(CommandPart):
    """A command that a DL/T 645 or CJ/T 188 meter takes. `enum`: label → raw.

    `write`: `raw` in `size` bytes to `item`; `control`: trip and close (`raw` is the kind of control); `clock`: the
    time of day to the whole line. `level`: which password it needs; None: none. `opt_in`: as a `Command`'s.
    """

    act: Literal["write", "control", "clock"]
    item: int = 0
    size: int = 1
    enum: Mapping[str, int] = field(default_factory=dict)
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


def meter_of(profile: Profile) -> MeterFormat | None:
    """How it is asked, if it is such a meter."""
    return profile.format if isinstance(profile.format, MeterFormat) else None

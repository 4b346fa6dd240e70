"""The shape of files of products that speak Modbus, on TCP or on a serial line. Pure.

Addresses are 0-based, as they go on the wire (printed manuals often count from 1 or from 40001). A value is
raw × scale + offset, times the multipliers that `times` names.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from drivers.profiles.words import (
    Address,
    Closed,
    Group,
    Head,
    Label,
    Limits,
    Order,
    PointType,
    Poll,
    Seconds,
    Serial,
    Word,
    Words,
)


class Bit(Words):
    """One bit of a register as a boolean point. `active`: the bit's value that reads as true."""

    point: Word
    active: Literal[0, 1] = 1
    group: Group | None = None


class Register(Closed):
    """A value in coils (fc 1), discrete inputs (2), holding (3) or input registers (4).

    `bits` turns the register into boolean points of their own. `mask`: only these bits, shifted down.
    `invalid`: raw values that mean "no value". `min`, `max`: outside of them the reading is bad. `deadband`: smaller
    changes are not worth a report. `rolls_over`: where a counting register begins again (its value, scaled).
    """

    fc: Literal[1, 2, 3, 4]
    address: Address
    type: PointType = "u16"
    name: Words | None = None
    order: Order | None = None
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""
    mask: Annotated[int, Field(gt=0)] | None = None
    enum: dict[int, Label] = {}
    bits: dict[Annotated[int, Field(ge=0, le=63)], Bit] = {}
    invalid: list[int] | None = None
    times: list[Word] = []
    min: float | None = None
    max: float | None = None
    rolls_over: Annotated[float, Field(gt=0)] | None = None
    deadband: Annotated[float, Field(ge=0)] = 0.0
    group: Group = "normal"
    detail: bool = False


class Multiplier(Closed):
    """A factor that the device itself holds: a transformer's ratio, a decimal place, a unit.

    `values`: what each raw value stands for; a raw value that is not listed makes the points that need it bad. Without
    them it is the raw value × `scale`.
    """

    fc: Literal[3, 4]
    address: Address
    type: PointType = "u16"
    order: Order | None = None
    scale: Annotated[float, Field(gt=0)] = 1.0
    values: dict[int, float] = {}


class TimedPulse(Closed):
    """A pulse that the board ends by itself: write `plus` + n to `address`, n steps of `step_s` seconds.

    `holds`: while it runs, the board takes "off" and does nothing.
    """

    fc: Literal[5, 6] = 5
    address: Address
    plus: Address = 0
    step_s: Seconds = 0.1
    max: Annotated[int, Field(ge=1, le=0xFFFF)]
    holds: bool = False


class Output(Closed):
    """Something to switch. `write_on`, `write_off`: what is written; `read_on`: what reads back as on.

    `write_toggle`: what turns it over, where the board knows that; it is asked for with the word "toggle".

    `pulse`: timed by the board. `verify`: read it back after every write and every pulse, and fail if it is not so;
    `settle_s`: so long after a write the board may still tell the old state.
    """

    name: Words
    address: Address
    read_fc: Literal[1, 3] | None = 1
    write_fc: Literal[5, 6] = 5
    write_on: Address = 0xFF00
    write_off: Address = 0
    write_toggle: Address | None = None
    read_on: Address = 1
    pulse: TimedPulse | None = None
    verify: bool = False
    settle_s: Annotated[float, Field(ge=0, le=1)] = 0.0
    group: Group = "normal"


class Input(Closed):
    """A contact in the discrete inputs (fc 2). `active`: the level that reads as true."""

    name: Words
    address: Address
    active: Literal[0, 1] = 1
    group: Group = "alarm"


class Verify(Closed):
    """Read back after a write: where, and what it must say (default: what was written)."""

    fc: Literal[1, 3, 4]
    address: Address | None = None
    expect: Address | None = None


class Command(Closed):
    """A command that the device takes: one write.

    With `value`: that raw value, always. With `enum`: the raw value of the label asked for. With neither: the number
    asked for, (number − offset) ÷ scale as `type`, within `min` and `max`. `repeat`: a second try after silence does
    no harm (not so for a toggle). `opt_in`: it is not there unless the site file allows it (`allow_commands`).
    """

    name: Words
    fc: Literal[5, 6, 16]
    address: Address
    value: int | None = None
    enum: dict[int, Label] = {}
    type: PointType = "u16"
    order: Order | None = None
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""
    min: float | None = None
    max: float | None = None
    verify: Verify | None = None
    repeat: bool = True
    opt_in: bool = False


class ModbusFile(Head):
    """A product that speaks Modbus, on TCP or on a serial line. `site_multipliers`: as a `Dlt645File`'s."""

    protocol: Literal["modbus"]
    serial: Serial | None = None
    order: Order = "ABCD"
    invalid: list[int] = []
    limits: Limits = Limits()
    poll: Poll = Poll()
    multipliers: dict[Word, Multiplier] = {}
    site_multipliers: list[Word] = []
    points: dict[Word, Register] = {}
    outputs: dict[Word, Output] = {}
    inputs: dict[Word, Input] = {}
    commands: dict[Word, Command] = {}

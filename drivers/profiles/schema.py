"""The shape of a profile file: what a product is, said in a closed set of words.

Addresses are 0-based, as they go on the wire (printed manuals often count from 1 or from 40001). A value is
raw × scale + offset, times the multipliers that `times` names. Seconds end in `_s`. Every name is given in Chinese
and English. No key is called `on`, `off`, `yes` or `no`: YAML reads these as true and false.
What contradicts itself across a file is found in `build`; the files are read in `files`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
"""An id of a point, output, command or label: fit for alarm conditions, hence no dash."""

Said = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Address = Annotated[int, Field(ge=0, le=0xFFFF)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]

PointType = Literal["bit", "u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64"]
WIDTHS: dict[str, int] = {"bit": 1, "u16": 1, "i16": 1, "u32": 2, "i32": 2, "f32": 2, "u64": 4, "i64": 4, "f64": 4}
"""Registers (or bits) that a type takes."""

Order = Literal["ABCD", "CDAB", "BADC", "DCBA"]
"""Bytes of a value on the wire, A the highest: high word first, low word first, and both with swapped bytes."""

Group = Literal["alarm", "normal", "meter"]
"""How urgent a point is: what alarms and doors hang on, what people watch, what is counted."""

Confidence = Literal["vendor-doc", "oss-tested", "oss", "partial", "own"]
"""How well the facts are founded; `own`: a format of this project's own devices."""


class Closed(BaseModel):
    """A part of a file that people write: an unknown word is an error, not a surprise later."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(Closed):
    """What people read, in both languages."""

    zh: Said
    en: Said


class Label(Words):
    """One value of an enumeration: the word that conditions use and what people read."""

    label: Word


class Bit(Words):
    """One bit of a register as a boolean point. `active`: the bit's value that reads as true."""

    point: Word
    active: Literal[0, 1] = 1
    group: Group | None = None


# --- Modbus


class Register(Closed):
    """A value in coils (fc 1), discrete inputs (2), holding (3) or input registers (4).

    `bits` turns the register into boolean points of their own. `mask`: only these bits, shifted down.
    `invalid`: raw values that mean "no value". `min`, `max`: outside of them the reading is bad. `deadband`: smaller
    changes are not worth a report.
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
    deadband: Annotated[float, Field(ge=0)] = 0.0
    group: Group = "normal"


class Multiplier(Closed):
    """A factor that the device itself holds: a transformer's ratio, a decimal place, a unit.

    `values`: what each raw value stands for; a raw value that is not listed makes the points that need it bad.
    """

    fc: Literal[3, 4]
    address: Address
    type: PointType = "u16"
    order: Order | None = None
    values: dict[int, float] = {}


class TimedPulse(Closed):
    """A pulse that the board ends by itself: write `plus` + n to `address`, n steps of `step_s` seconds."""

    fc: Literal[5, 6] = 5
    address: Address
    plus: Address = 0
    step_s: Seconds = 0.1
    max: Annotated[int, Field(ge=1, le=0xFFFF)]


class Output(Closed):
    """Something to switch. `write_on`, `write_off`: what is written; `read_on`: what reads back as on.

    `pulse`: timed by the board. `verify`: read it back after every write and fail if it is not so.
    """

    name: Words
    address: Address
    read_fc: Literal[1, 3] | None = 1
    write_fc: Literal[5, 6] = 5
    write_on: Address = 0xFF00
    write_off: Address = 0
    read_on: Address = 1
    pulse: TimedPulse | None = None
    verify: bool = False
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
    """A wish that the device takes: one write.

    With `value`: that raw value, always. With `enum`: the raw value of the label asked for. With neither: the number
    asked for, (number − offset) ÷ scale as `type`, within `min` and `max`. `repeat`: a second try after silence does
    no harm (not so for a toggle).
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


class Serial(Closed):
    """How the product leaves the factory: for the installer's eyes, the site file decides."""

    baud: int
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1
    unit: Annotated[int, Field(ge=0, le=255)] = 1


class Limits(Closed):
    """What one read may ask for, and the pace the product needs.

    `gap`: how many unneeded registers (or bits) may be read to save a request; 0 where holes answer with an error.
    `guard_s`: silence before each request. `latency_s`: the latest that an answer has been known to come.
    """

    registers: Annotated[int, Field(ge=1, le=125)] = 125
    bits: Annotated[int, Field(ge=1, le=2000)] = 2000
    gap: Annotated[int, Field(ge=0, le=124)] = 0
    guard_s: Annotated[float, Field(ge=0, le=1)] = 0.0
    latency_s: Annotated[float, Field(gt=0, le=10)] = 0.5


class Poll(Closed):
    """How often each group is read."""

    alarm: Seconds = 0.5
    normal: Seconds = 2.0
    meter: Seconds = 30.0


class Head(Closed):
    """What every profile says about its product."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    kind: Word
    name: Words
    vendor: str = ""
    confidence: Confidence
    sources: Annotated[list[Said], Field(min_length=1)]
    notes: list[Said] = []


class ModbusFile(Head):
    """A product that speaks Modbus, on TCP or on a serial line."""

    protocol: Literal["modbus"]
    serial: Serial | None = None
    order: Order = "ABCD"
    invalid: list[int] = []
    limits: Limits = Limits()
    poll: Poll = Poll()
    multipliers: dict[Word, Multiplier] = {}
    points: dict[Word, Register] = {}
    outputs: dict[Word, Output] = {}
    inputs: dict[Word, Input] = {}
    commands: dict[Word, Command] = {}


# --- Readers that send lines of text


class CardFormat(Closed):
    """How a card's number is written. `hex`: its UID, 4, 7 or 10 bytes; `8h`: 4 bytes; `10d`: 4 bytes in decimal.

    `byte_order`: `reversed` where the reader sends the lowest byte first. Never guessed at the door.
    """

    format: Literal["hex", "8h", "10d"] = "hex"
    byte_order: Literal["iso", "reversed"] = "iso"
    prefix: str = ""


class QrFormat(Closed):
    """Which lines are QR texts: those with the prefix (which is cut off), or all that are no card (`prefix: ""`)."""

    prefix: str = "QR:"


class LineFile(Head):
    """A reader that sends one line of text for each credential.

    `ends`: a line ends with CR, LF or both (`terminator`), or with `gap_s` of silence (`gap`).
    """

    protocol: Literal["line"]
    serial: Serial | None = None
    ends: Literal["terminator", "gap"] = "terminator"
    gap_s: Seconds = 0.05
    max_length: Annotated[int, Field(ge=8, le=1024)] = 256
    card: CardFormat | None = None
    qr: QrFormat | None = None


# --- MQTT devices


class MqttPoint(Closed):
    """A value in a JSON payload: `topic` (with `{topic}` for the device's own prefix), `path` with dots ("" = whole).

    `map`: what texts, numbers and booleans stand for (a flag); `enum`: texts to labels; with neither, a number.
    """

    name: Words
    topic: Said
    path: str = ""
    type: Literal["number", "flag", "label"] = "number"
    map: dict[str, bool] = {}
    enum: dict[str, Label] = {}
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""
    min: float | None = None
    max: float | None = None
    deadband: Annotated[float, Field(ge=0)] = 0.0
    group: Group = "normal"


class Availability(Closed):
    """Where the device (or its last will) says whether it is there."""

    topic: Said
    path: str = ""
    online: Said = "online"
    offline: Said = "offline"


class MqttFile(Head):
    """A device that publishes through the site's broker. Silent for `silent_s`, it is lost."""

    protocol: Literal["mqtt"]
    silent_s: Seconds
    availability: Availability | None = None
    points: Annotated[dict[Word, MqttPoint], Field(min_length=1)]


# --- Cameras that push


class CameraFile(Head):
    """A plate camera that pushes its reads to the gateway. Silent for `silent_s`, it is lost."""

    protocol: Literal["http-push"]
    dialect: Literal["zhenshi"]
    silent_s: Seconds


ProfileFile = Annotated[ModbusFile | LineFile | MqttFile | CameraFile, Field(discriminator="protocol")]

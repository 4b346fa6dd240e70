"""The words that every kind of profile shares. Pure.

Seconds end in `_s`. Every name is given in Chinese and English. No key is called `on`, `off`, `yes` or `no`: YAML reads
these as true and false.
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

ELECTRICITY_METER = "electricity_meter"
"""The kind of a product that says how it stands to transformers."""

Transformers = Literal["none", "primary", "ratio", "unknown"]
"""Which side of transformers an electricity meter tells.

`none`: it is connected directly, its values are what flows; `primary`: its own setting holds the ratio, and its values
are multiplied by it already; `ratio`: its values are of the secondary side; `unknown`: it can stand behind
transformers, and which side its values are of was not to be found.
"""


class Closed(BaseModel):
    """A part of a file that people write: an unknown word is an error, not a surprise later."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Words(Closed):
    """What people read, in both languages."""

    zh: Said
    en: Said


class Label(Words):
    """One value of an enumeration: the word that conditions use and what people read."""

    label: Word


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
    transformers: Transformers | None = None
    """Of an electricity meter: which side of transformers it tells."""
    confidence: Confidence
    sources: Annotated[list[Said], Field(min_length=1)]
    notes: list[Said] = []


class CardFormat(Closed):
    """How a reader tells a card's number: the forms of `contract.cards`, or bits of Wiegand (`drivers.cards`).

    `hex`: its UID, 4, 7 or 10 bytes, or `size` of them. `8h`, `10d`: 4 bytes. `3+5`, `5+5`, `h10302`, `h10304`:
    numbers of Wiegand cards in digits. `decimal`: the whole UID, `size` bytes. `w26`, `w34`, `w37`: bits with their
    parity; `wiegand`: whichever of the three came, told by its length. What ends in `-26`: the lowest 3 bytes of it,
    as a 26-bit reader at the same door gives. Never guessed at the door.
    """

    format: Literal[
        "hex", "8h", "10d", "8h-26", "10d-26", "3+5", "5+5", "h10302", "h10304", "decimal",
        "w26", "w34", "w37", "wiegand", "w34-26",
    ] = "hex"  # fmt: skip
    """How the number is written, or which bits come."""
    byte_order: Literal["iso", "reversed"] = "iso"
    """Which byte comes first: `reversed` where the reader sends the lowest first."""
    bits: Literal["plain", "inverted", "mirrored", "inverted-mirrored"] = "plain"
    """Whether ones and zeros are swapped, or the last bit comes first."""
    size: Literal[3, 4, 5, 7, 8, 10] | None = None
    """Bytes of a number in `decimal` (4 if it is not said); of `hex`, the only length that is meant."""
    prefix: str = ""
    """What stands before the number."""


class QrFormat(Closed):
    """Which lines are QR texts: those with the prefix (which is cut off), or all that are no card (`prefix: ""`)."""

    prefix: str = "QR:"


Path = Annotated[str, StringConstraints(max_length=200)]
"""A place in a JSON document: keys and list indexes joined by dots, "" for the whole; `\\.` is a dot within a key."""

AvailabilityNeeds = Literal["all", "any", "latest"]
"""Of several places that tell whether a device is there: all must say so, one is enough, or the last one decides."""


class Availability(Closed):
    """Where the device (or its last will) says whether it is there: a plain text, or at `path` of a JSON document."""

    topic: Said
    path: Path = ""
    online: Said = "online"
    offline: Said = "offline"


def steps_of(path: str) -> tuple[str, ...]:
    """The steps of a path; a backslash takes the dot (or backslash) after it as it stands."""
    if not path:
        return ()
    steps, step = [], ""
    signs = iter(path)
    for sign in signs:
        if sign == ".":
            steps.append(step)
            step = ""
        else:
            step += next(signs, sign) if sign == "\\" else sign
    return (*steps, step)


def path_of(steps: tuple[str, ...]) -> str:
    """The path that reads as these steps."""
    return ".".join(step.replace("\\", "\\\\").replace(".", "\\.") for step in steps)

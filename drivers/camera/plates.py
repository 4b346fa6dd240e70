"""What every make of plate camera says, whatever its words: reads, signs of life, inputs. Pure."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from contract.limits import PICTURE_LIMIT
from drivers.reports import PlateRead

BODY_LIMIT = 8 * 1024 * 1024
"""Bytes of one push at the most."""

DECODED_LIMIT = 3 * 1024 * 1024
"""Bytes of a decoded picture; a larger one is left out, the read itself counts."""

PLATE_LENGTH = 32
KEY_LENGTH = 128

MOMENT_LIMIT_MS = 253_402_128_000_000
"""The end of 9998: what cameras say beyond it is no time, and cannot be written as one."""

SECONDS_LIMIT = 100_000_000_000
"""Seconds since 1970 that are a time (the year 5138); greater numbers are milliseconds."""

_JPEG = b"\xff\xd8\xff"
_NONE = frozenset(
    {
        "", "_无_", "无", "无牌", "无牌车", "无车牌", "未识别", "NOPLATE", "UNKNOWN", "UNKNOW", "UNLICENSED",
        "UNLICENCED", "UNRECOGNISE", "UNRECOGNISED", "UNRECOGNIZED", "NONE", "NULL",
    }
)  # fmt: skip


class Moment(NamedTuple):
    """A time by a camera's own clock. `ms`: Unix ms; `local`: its zone is not said, it is counted as if it were UTC."""

    ms: int
    local: bool = False


@dataclass(frozen=True, slots=True)
class Pushed:
    """What one push says. `heartbeat`: it says that the camera is there, and asks whether there is something to do.

    `number`, `stored`: the read's own number at the camera and whether it was stored, which the answer has to name.
    `clock`: the time at the camera, where a sign of life tells it.
    """

    reads: tuple[PlateRead, ...] = ()
    heartbeat: bool = False
    inputs: Mapping[str, bool] = field(default_factory=dict)
    number: int | None = None
    stored: bool = False
    clock: Moment | None = None


def plate_text(said: str) -> str:
    """A plate in upper case without spaces; "" if the camera says, in whatever words, that it saw none.

    What cannot be printed is no part of a plate: the record, and who reads it, need not bear it.
    """
    plate = _printable("".join(said.split())).upper()
    return "" if plate.strip("<>[]") in _NONE else plate[:PLATE_LENGTH]


def share(percent: float) -> float:
    """0..1 of what a camera says in 0..100; 0 for what is no number."""
    return min(max(percent / 100, 0.0), 1.0) if not math.isnan(percent) else 0.0


def unix_moment(said: float | None, more_ms: int = 0, *, local: bool = False) -> Moment | None:
    """What a number of seconds (or milliseconds, by its size) since 1970 means; None if it cannot be a time."""
    if said is None or math.isnan(said) or not 0 < said < MOMENT_LIMIT_MS:
        return None
    return Moment((round(said * 1000) if said < SECONDS_LIMIT else round(said)) + more_ms, local)


def written_moment(text: object) -> Moment | None:
    """What a written date and time (ISO 8601, with or without its offset) means; None if it is none."""
    if not isinstance(text, str):
        return None
    try:
        at = datetime.fromisoformat(text.strip())
        ms = round((at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
    return Moment(ms, at.tzinfo is None) if 0 < ms < MOMENT_LIMIT_MS else None


def key_of(*parts: object) -> str:
    """What tells one read from all others: the parts that the camera gave."""
    return _printable("-".join(str(part) for part in parts if part not in ("", None))[:KEY_LENGTH])


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(sign for sign in text if sign.isprintable())


def jpeg(data: bytes) -> bytes | None:
    """The bytes, if they are a JPEG of a size that can be taken."""
    return data if data.startswith(_JPEG) and len(data) <= DECODED_LIMIT else None


def jpeg_of_base64(text: str) -> bytes | None:
    """The JPEG in a base64 text; None if there is none, or one too large."""
    if not text or len(text) > DECODED_LIMIT * 4 // 3 + 4:
        return None
    try:
        return jpeg(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return None


def best_picture(*pictures: bytes | None) -> bytes | None:
    """The first picture that is small enough to be kept; if none is, the first, so that its size is told."""
    found = [picture for picture in pictures if picture]
    return next((picture for picture in found if len(picture) <= PICTURE_LIMIT), found[0] if found else None)

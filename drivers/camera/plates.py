"""What every make of plate camera says, whatever its words: reads, signs of life, inputs. Pure."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from contract.pictures import PICTURE_LIMIT
from drivers.reports import PlateRead

BODY_LIMIT = 8 * 1024 * 1024
"""Bytes of one push at the most."""

DECODED_LIMIT = 3 * 1024 * 1024
"""Bytes of a decoded picture; a larger one is left out, the read itself counts."""

PLATE_LENGTH = 32
KEY_LENGTH = 128

_JPEG = b"\xff\xd8\xff"
_NONE = frozenset(
    {
        "", "_无_", "无", "无牌", "无牌车", "无车牌", "未识别", "NOPLATE", "UNKNOWN", "UNKNOW", "UNLICENSED",
        "UNLICENCED", "UNRECOGNISE", "UNRECOGNISED", "UNRECOGNIZED", "NONE", "NULL",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pushed:
    """What one push says. `heartbeat`: it says that the camera is there, and asks whether there is something to do.

    `number`, `stored`: the read's own number at the camera and whether it was stored, which the answer has to name.
    """

    reads: tuple[PlateRead, ...] = ()
    heartbeat: bool = False
    inputs: Mapping[str, bool] = field(default_factory=dict)
    number: int | None = None
    stored: bool = False


def plate_text(said: str) -> str:
    """A plate in upper case without spaces; "" if the camera says, in whatever words, that it saw none.

    What cannot be printed is no part of a plate: the record, and who reads it, need not bear it.
    """
    plate = _printable("".join(said.split())).upper()
    return "" if plate.strip("<>[]") in _NONE else plate[:PLATE_LENGTH]


def share(percent: float) -> float:
    """0..1 of what a camera says in 0..100; 0 for what is no number."""
    return min(max(percent / 100, 0.0), 1.0) if not math.isnan(percent) else 0.0


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

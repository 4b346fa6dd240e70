"""What a reader is that sends lines of text. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from drivers.profiles.profile import Profile
from drivers.profiles.words import CardFormat, QrFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFormat:
    """How a reader's lines end and what they carry."""

    ends: Literal["terminator", "gap"]
    gap_s: float
    max_length: int
    card: CardFormat | None
    qr: QrFormat | None


def line_of(profile: Profile) -> LineFormat | None:
    """How its lines look, if it is such a reader."""
    return profile.format if isinstance(profile.format, LineFormat) else None

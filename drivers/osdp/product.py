"""What an OSDP reader is and takes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from drivers.profiles.profile import CommandPart, OutputPart, Profile
from drivers.profiles.words import CardFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderOutput(OutputPart):
    """An output of an OSDP reader, by its number; the reader times a pulse in steps of 0.1 s."""

    number: int

    @property
    def pulse_s(self) -> tuple[float, float] | None:
        """The shortest and the longest pulse (seconds) that the reader times by itself."""
        return 0.1, 25.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderCommand(CommandPart):
    """A command that an OSDP reader takes: a colour for its lamp, so many beeps, a text for its display."""

    act: Literal["lamp", "beep", "text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderFormat:
    """What an OSDP reader has. `pin_digits`: the longest PIN of its keypad, 0 without one; `pin_s`: the longest pause
    between two keys of a PIN. `inputs`: points → the reader's number of the input.
    """

    card: CardFormat
    pin_digits: int = 0
    pin_s: float = 5.0
    lamp: bool = True
    buzzer: bool = True
    inputs: Mapping[str, int] = field(default_factory=dict)


def reader_of(profile: Profile) -> ReaderFormat | None:
    """What the reader has, if it is one."""
    return profile.format if isinstance(profile.format, ReaderFormat) else None

"""What a plate camera has and takes. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from drivers.profiles.profile import CommandPart, OutputPart, Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraOutput(OutputPart):
    """An output of a plate camera, by its number from 0; nobody can read it back."""

    number: int

    @property
    def pulse_s(self) -> tuple[float, float] | None:
        """The shortest and the longest pulse (seconds) that the camera times by itself."""
        return 0.05, 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraCommand(CommandPart):
    """A command that a plate camera takes with the next answer that it fetches: `open`, `capture`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamFormat:
    """A camera whose stream is fetched. `pictures`: it is asked for pictures too."""

    pictures: bool = False


def pictures_of(profile: Profile) -> bool:
    """Whether its stream is asked for pictures."""
    return isinstance(profile.format, StreamFormat) and profile.format.pictures

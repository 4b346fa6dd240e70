"""What an MQTT product is: where its values are, what it is told. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from drivers.profiles.profile import CommandPart, OutputPart, Profile, Source
from drivers.profiles.words import Availability, AvailabilityNeeds

JsonCoding = Literal["plain", "text", "base64"]
"""How a value stands in JSON: as itself, written as text (`"21.5"`), or as text in base64."""


class JsonPlace(NamedTuple):
    """A place in a device's messages. `topic` still holds `{topic}`; an empty path is the whole payload."""

    topic: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonSource(Source):
    """Where an MQTT value is (see `JsonPlace`), and in `also` where else it may be."""

    topic: str
    path: tuple[str, ...]
    map: Mapping[str, bool]
    enum: Mapping[str, str]
    scale: float = 1.0
    offset: float = 0.0
    coded: JsonCoding = "plain"
    also: tuple[JsonPlace, ...] = ()

    @property
    def places(self) -> tuple[JsonPlace, ...]:
        """Everywhere it may be said."""
        return (JsonPlace(self.topic, self.path), *self.also)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicMessage:
    """What an MQTT device is told. `payload` may hold `{value}` or a time; with a path it stands there in an object."""

    topic: str
    payload: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicPulse:
    """A pulse that an MQTT device ends by itself: from `min_s` to `max_s`, rounded up to whole steps."""

    message: TopicMessage
    step_s: float
    min_s: float
    max_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicOutput(OutputPart):
    """An output of an MQTT device; the point of the same name confirms it.

    `repeats`: the device says its state again after every command, so that a state from before proves nothing.
    """

    turn_on: TopicMessage
    turn_off: TopicMessage
    pulse: TopicPulse | None
    repeats: bool

    @property
    def pulse_s(self) -> tuple[float, float] | None:
        """The shortest and the longest pulse (seconds) that the device times by itself; None: it times none."""
        return None if self.pulse is None else (self.pulse.min_s, self.pulse.max_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicCommand(CommandPart):
    """A command that an MQTT device takes. `enum`: label → word; else a number, or nothing if the payload is fixed.

    Done when `point` says one of `expect`, or (where that is empty) what was asked for, within `tolerance`.
    """

    message: TopicMessage
    point: str
    expect: tuple[str | bool | float, ...]
    tolerance: float
    repeats: bool
    enum: Mapping[str, str] = field(default_factory=dict)
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""
    low: float | None = None
    high: float | None = None

    @property
    def takes_value(self) -> bool:
        """Whether something has to be said with it."""
        return "{value}" in self.message.payload


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicFormat:
    """Where an MQTT device says whether it is there, and the questions that make it say everything.

    `availability_needs`: whether all of several places must say so, one is enough, or the last decides.
    """

    availability: tuple[Availability, ...] = ()
    availability_needs: AvailabilityNeeds = "all"
    asks: tuple[TopicMessage, ...] = ()


def format_of(profile: Profile) -> TopicFormat:
    """What an MQTT product says of itself as a whole."""
    return profile.format if isinstance(profile.format, TopicFormat) else TopicFormat()


def needs_topic(profile: Profile) -> bool:
    """Whether its topics begin only at the site: the site file must say what `{topic}` stands for."""
    sources = [point.source for point in profile.points.values() if isinstance(point.source, JsonSource)]
    topics = [place.topic for source in sources for place in source.places]
    topics += [words.topic for words in format_of(profile).availability]
    return any("{topic}" in topic for topic in topics)

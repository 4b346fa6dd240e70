"""Files of devices that publish through the site's broker. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from drivers.profiles.forms.head import Fault, label_texts, profile_of, text
from drivers.profiles.profile import JsonSource, Point, Profile
from drivers.profiles.words import Availability, Closed, Group, Head, Label, Said, Seconds, Word, Words


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


class MqttFile(Head):
    """A device that publishes through the site's broker. Silent for `silent_s`, it is lost."""

    protocol: Literal["mqtt"]
    silent_s: Seconds
    availability: Availability | None = None
    points: Annotated[dict[Word, MqttPoint], Field(min_length=1)]


def faults(file: MqttFile) -> Iterator[Fault]:
    """Everything that the shape allows and that still cannot be meant."""
    for word, part in file.points.items():
        if (part.type == "flag") != bool(part.map) or (part.type == "label") != bool(part.enum):
            yield Fault(("points", word), "a flag needs `map`, a label needs `enum`, a number neither")
        if not part.topic.startswith("{topic}") and "{" in part.topic:
            yield Fault(("points", word, "topic"), "only {topic}, at the beginning, is replaced")


def build(file: MqttFile) -> Profile:
    """The profile of a file without faults."""
    points = {word: _mqtt_point(word, part) for word, part in file.points.items()}
    return profile_of(file, "mqtt", points=points, availability=file.availability, silent_s=file.silent_s)


def _mqtt_point(word: str, part: MqttPoint) -> Point:
    source = JsonSource(
        topic=part.topic,
        path=tuple(part.path.split(".")) if part.path else (),
        map=part.map,
        enum={said: label.label for said, label in part.enum.items()},
        scale=part.scale,
        offset=part.offset,
    )
    return Point(
        id=word,
        name=text(part.name),
        type=part.type,
        source=source,
        unit=part.unit,
        labels=label_texts(part.enum.values()),
        low=part.min,
        high=part.max,
        deadband=part.deadband,
        group=part.group,
    )

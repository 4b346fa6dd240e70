"""Files of devices that publish through the site's broker, and of what can be asked of them. Pure.

In every topic `{topic}` stands for the device's own part, wherever it is: `tele/{topic}/SENSOR`, `zigbee2mqtt/{topic}`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from contract.texts import Text
from drivers.mqtt.product import (
    JsonCoding,
    JsonPlace,
    JsonSource,
    TopicCommand,
    TopicFormat,
    TopicMessage,
    TopicOutput,
    TopicPulse,
)
from drivers.profiles.form import Form
from drivers.profiles.head import Fault, Place, label_texts, profile_of, text
from drivers.profiles.profile import Point, Profile
from drivers.profiles.words import (
    Availability,
    AvailabilityNeeds,
    Closed,
    Group,
    Head,
    Label,
    Path,
    Said,
    Seconds,
    Word,
    Words,
    steps_of,
)

Payload = Annotated[str, StringConstraints(max_length=500)]
Spoken = Annotated[str, StringConstraints(max_length=200)]

TIMES = ("{seconds}", "{milliseconds}", "{pulse_time}")
"""What a pulse's payload may hold: a time in seconds, in milliseconds, or as Tasmota's PulseTime counts (its manual:
1 to 111 are tenths of a second, from 112 on seconds + 100)."""

STEPS_LIMIT = 16


class MqttPlace(Closed):
    """A place in the device's messages: a topic, and the path in its JSON ("" = the whole payload)."""

    topic: Said
    path: Path = ""


class MqttPoint(Closed):
    """A value in a payload: `topic`, `path` (keys and list indexes joined by dots, `\\.` for a dot within a key).

    `map`: what texts, numbers and booleans stand for (a flag); `enum`: texts to labels; `type: text` as it stands;
    otherwise a number. `coded`: `text` for numbers written as text, `base64` for text in base64. `also`: other places
    that say the same.
    """

    name: Words
    topic: Said
    path: Path = ""
    also: Annotated[list[MqttPlace], Field(max_length=8)] = []
    type: Literal["number", "flag", "label", "text"] = "number"
    coded: JsonCoding = "plain"
    map: dict[Spoken, bool] = {}
    enum: dict[Spoken, Label] = {}
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""
    min: float | None = None
    max: float | None = None
    deadband: Annotated[float, Field(ge=0)] = 0.0
    group: Group = "normal"


class MqttPulse(Closed):
    """A pulse that the device ends by itself. `payload` holds one of {seconds}, {milliseconds}, {pulse_time}.

    Asked for between `min_s` and `max_s`, it is rounded up to whole `step_s`. A payload without a time always takes
    the same: then `min_s` is `max_s`.
    """

    topic: Said
    payload: Payload
    path: Path = ""
    step_s: Seconds = 0.1
    min_s: Seconds
    max_s: Seconds


class MqttOutput(Closed):
    """Something to switch. `state`: where the device says how it stands, in the words of `map`.

    `turn_on` and `turn_off` are sent to `topic` (at `path` of a JSON object, if there is one). `repeats`: the device
    says its state after every command, even if it was so before.
    """

    name: Words
    state: MqttPlace
    also: Annotated[list[MqttPlace], Field(max_length=8)] = []
    map: Annotated[dict[Spoken, bool], Field(min_length=2)] = {"ON": True, "OFF": False}
    topic: Said
    path: Path = ""
    turn_on: Payload = "ON"
    turn_off: Payload = "OFF"
    repeats: bool = False
    pulse: MqttPulse | None = None
    group: Group = "normal"


class MqttConfirmation(Closed):
    """Which point must say that a command was carried out: one of `expect`, or what was asked for, ± `tolerance`."""

    point: Word
    expect: Annotated[list[bool | float | str], Field(max_length=16)] = []
    tolerance: Annotated[float, Field(ge=0)] = 0.0
    repeats: bool = False


class MqttCommand(Closed):
    """A command that the device takes: `payload` to `topic`. `{value}` in it is the number or the word asked for.

    With `enum`: the word of the label asked for. Otherwise a number, (number − offset) ÷ scale, within `min` and `max`.
    """

    name: Words
    topic: Said
    payload: Payload = "{value}"
    path: Path = ""
    enum: dict[Spoken, Label] = {}
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""
    min: float | None = None
    max: float | None = None
    confirm: MqttConfirmation


class MqttQuestion(Closed):
    """A message after which the device says how it stands; sent when the gateway has connected."""

    topic: Said
    payload: Payload = ""


class MqttFile(Head):
    """A device that publishes through the site's broker. Silent for `silent_s`, it is lost.

    One that may rightly be silent for days has no `silent_s`, but an availability that a last will keeps true.
    `availability`: where it (or its last will, or its gateway) says whether it is there; of several,
    `availability_needs` says what counts. `dialect`: it sees plates, and says so in words of its own.
    """

    protocol: Literal["mqtt"]
    dialect: Literal["frigate"] | None = None
    silent_s: Seconds | None = None
    availability: Availability | Annotated[list[Availability], Field(min_length=1, max_length=8)] | None = None
    availability_needs: AvailabilityNeeds = "all"
    ask: Annotated[list[MqttQuestion], Field(max_length=8)] = []
    points: dict[Word, MqttPoint] = {}
    outputs: dict[Word, MqttOutput] = {}
    commands: dict[Word, MqttCommand] = {}


def faults(file: MqttFile) -> Iterator[Fault]:
    """Everything that the shape allows and that still cannot be meant."""
    if not file.points and not file.outputs and file.dialect is None:
        yield Fault((), "a device without points and outputs says nothing")
    if file.silent_s is None and not _availability(file):
        yield Fault(("silent_s",), "without silent_s and availability nobody would see that the device is gone")
    for place, topic in _topics(file):
        yield from _topic(place, topic)
    for place, path in _paths(file):
        yield from _path(place, path)
    for word, part in file.points.items():
        yield from _point_faults(word, part)
    for word, output in file.outputs.items():
        if word in file.points:
            yield Fault(("outputs", word), f"the point {word} is already among the points")
        if set(output.map.values()) != {True, False}:
            yield Fault(("outputs", word, "map"), "some word must mean true and some word false")
        if output.pulse is not None:
            yield from _pulse_faults(("outputs", word, "pulse"), output.pulse)
    for word, command in file.commands.items():
        yield from _command_faults(file, word, command)


def _topics(file: MqttFile) -> Iterator[tuple[Place, str]]:
    for index, words in enumerate(_availability(file)):
        yield ("availability", index), words.topic
    for index, question in enumerate(file.ask):
        yield ("ask", index), question.topic
    for word, part in file.points.items():
        yield ("points", word, "topic"), part.topic
        yield from ((("points", word, "also"), place.topic) for place in part.also)
    for word, output in file.outputs.items():
        yield ("outputs", word, "topic"), output.topic
        yield from ((("outputs", word, "state"), place.topic) for place in (output.state, *output.also))
        if output.pulse is not None:
            yield ("outputs", word, "pulse", "topic"), output.pulse.topic
    for word, command in file.commands.items():
        yield ("commands", word, "topic"), command.topic


def _paths(file: MqttFile) -> Iterator[tuple[Place, str]]:
    for index, words in enumerate(_availability(file)):
        yield ("availability", index, "path"), words.path
    for word, part in file.points.items():
        yield ("points", word, "path"), part.path
        yield from ((("points", word, "also"), place.path) for place in part.also)
    for word, output in file.outputs.items():
        yield ("outputs", word, "path"), output.path
        yield from ((("outputs", word, "state"), place.path) for place in (output.state, *output.also))
    for word, command in file.commands.items():
        yield ("commands", word, "path"), command.path


def _topic(place: Place, topic: str) -> Iterator[Fault]:
    rest = topic.replace("{topic}", "")
    if "{" in rest or "}" in rest:
        yield Fault(place, "only {topic} is replaced")
    if set(rest) & set("+#\0"):
        yield Fault(place, "wildcards are no part of a topic here")


def _path(place: Place, path: str) -> Iterator[Fault]:
    steps = steps_of(path)
    if "" in steps:
        yield Fault(place, "a key is empty; a dot within a key is written \\.")
    if len(steps) > STEPS_LIMIT:
        yield Fault(place, f"a path has {STEPS_LIMIT} steps at the most")


def _point_faults(word: str, part: MqttPoint) -> Iterator[Fault]:
    place: Place = ("points", word)
    if (part.type == "flag") != bool(part.map) or (part.type == "label") != bool(part.enum):
        yield Fault(place, "a flag needs `map`, a label needs `enum`, a number or text neither")
    if part.scale == 0:
        yield Fault(place, "a scale of 0 makes every value 0")
    yield from _label_faults(part.enum, (*place, "enum"))


def _label_faults(enum: Mapping[str, Label], place: Place) -> Iterator[Fault]:
    texts: dict[str, Text] = {}
    for word, label in enum.items():
        if texts.setdefault(label.label, text(label)) != text(label):
            yield Fault((*place, word), f"the label {label.label} has two different texts")


def _pulse_faults(place: Place, pulse: MqttPulse) -> Iterator[Fault]:
    if pulse.min_s > pulse.max_s:
        yield Fault(place, "min_s is above max_s")
    timed = [word for word in TIMES if word in pulse.payload]
    if len(timed) > 1:
        yield Fault((*place, "payload"), f"one of {', '.join(TIMES)} is enough")
    if not timed and pulse.min_s != pulse.max_s:
        yield Fault((*place, "payload"), f"without {', '.join(TIMES)} every pulse takes the same: min_s is max_s")


def _command_faults(file: MqttFile, word: str, command: MqttCommand) -> Iterator[Fault]:
    place: Place = ("commands", word)
    if word in file.outputs:
        yield Fault(place, f"{word} is an output already")
    if command.scale == 0:
        yield Fault(place, "a scale of 0 cannot be undone")
    takes_value = "{value}" in command.payload
    if command.enum and not takes_value:
        yield Fault((*place, "payload"), "a choice needs {value} in the payload")
    if not takes_value and not command.confirm.expect:
        yield Fault((*place, "confirm"), "`expect` is missing: nothing is asked for that the point could repeat")
    if command.confirm.point not in file.points and command.confirm.point not in file.outputs:
        yield Fault((*place, "confirm", "point"), f"there is no point {command.confirm.point}")
    yield from _label_faults(command.enum, (*place, "enum"))
    spoken: dict[str, str] = {}
    for said, label in command.enum.items():
        if spoken.setdefault(label.label, said) != said:
            yield Fault((*place, "enum", said), f"the label {label.label} is already {spoken[label.label]}")


def build(file: MqttFile) -> Profile:
    """The profile of a file without faults."""
    points = {word: _point(word, part, file) for word, part in file.points.items()}
    points |= {word: _output_point(word, part) for word, part in file.outputs.items()}
    return profile_of(
        file,
        "mqtt",
        dialect=file.dialect,
        points=points,
        outputs={word: _output(word, part) for word, part in file.outputs.items()},
        commands={word: _command(word, part) for word, part in file.commands.items()},
        format=TopicFormat(
            availability=tuple(_availability(file)),
            availability_needs=file.availability_needs,
            asks=tuple(TopicMessage(topic=part.topic, payload=part.payload) for part in file.ask),
        ),
        silent_s=file.silent_s,
    )


def _availability(file: MqttFile) -> list[Availability]:
    if file.availability is None:
        return []
    return file.availability if isinstance(file.availability, list) else [file.availability]


def _places(parts: Iterable[MqttPlace]) -> tuple[JsonPlace, ...]:
    return tuple(JsonPlace(part.topic, steps_of(part.path)) for part in parts)


def _point(word: str, part: MqttPoint, file: MqttFile) -> Point:
    source = JsonSource(
        topic=part.topic,
        path=steps_of(part.path),
        map=part.map,
        enum={said: label.label for said, label in part.enum.items()},
        scale=part.scale,
        offset=part.offset,
        coded=part.coded,
        also=_places(part.also),
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
        writable=word in file.commands,
    )


def _output_point(word: str, part: MqttOutput) -> Point:
    state = part.state
    source = JsonSource(topic=state.topic, path=steps_of(state.path), map=part.map, enum={}, also=_places(part.also))
    return Point(id=word, name=text(part.name), type="flag", source=source, group=part.group, writable=True)


def _output(word: str, part: MqttOutput) -> TopicOutput:
    steps = steps_of(part.path)
    return TopicOutput(
        id=word,
        name=text(part.name),
        turn_on=TopicMessage(topic=part.topic, payload=part.turn_on, path=steps),
        turn_off=TopicMessage(topic=part.topic, payload=part.turn_off, path=steps),
        pulse=None if part.pulse is None else _pulse(part.pulse),
        repeats=part.repeats,
    )


def _pulse(part: MqttPulse) -> TopicPulse:
    message = TopicMessage(topic=part.topic, payload=part.payload, path=steps_of(part.path))
    return TopicPulse(message=message, step_s=part.step_s, min_s=part.min_s, max_s=part.max_s)


def _command(word: str, part: MqttCommand) -> TopicCommand:
    return TopicCommand(
        id=word,
        name=text(part.name),
        message=TopicMessage(topic=part.topic, payload=part.payload, path=steps_of(part.path)),
        point=part.confirm.point,
        expect=tuple(part.confirm.expect),
        tolerance=part.confirm.tolerance,
        repeats=part.confirm.repeats,
        enum={label.label: said for said, label in part.enum.items()},
        labels=label_texts(part.enum.values()),
        scale=part.scale,
        offset=part.offset,
        unit=part.unit,
        low=part.min,
        high=part.max,
    )


FORM = Form(MqttFile, faults, build)

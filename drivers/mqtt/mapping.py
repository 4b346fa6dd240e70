"""From MQTT messages to points. Pure.

A payload is what a stranger wrote: it may be huge, broken, of the wrong type, or not text at all. Whatever is not
exactly what the profile says is refused with a sentence, and the point keeps its last value until it is stale.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from contract.readings import Value
from drivers.changes import Worth
from drivers.profiles.profile import JsonSource, Point, Profile
from drivers.profiles.words import Availability

PAYLOAD_LIMIT = 64 * 1024


@dataclass(frozen=True, slots=True)
class Values:
    """Values of one device."""

    device: str
    seen: tuple[Worth, ...]


@dataclass(frozen=True, slots=True)
class Available:
    """The device (or its last will) says whether it is there."""

    device: str
    online: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """A payload, or a part of one, that the profile does not allow."""

    device: str
    why: str


Meaning = Values | Available | Refusal


class Topics:
    """What each topic of one broker means. `devices`: the topic prefix and the profile of each device."""

    def __init__(self, devices: Mapping[str, tuple[str, Profile]]) -> None:
        self._points: dict[str, list[tuple[str, list[Point]]]] = {}
        self._availability: dict[str, list[tuple[str, Availability]]] = {}
        for device, (prefix, profile) in devices.items():
            self._add(device, prefix, profile)

    def _add(self, device: str, prefix: str, profile: Profile) -> None:
        by_topic: dict[str, list[Point]] = {}
        for point in profile.points.values():
            if isinstance(point.source, JsonSource):
                by_topic.setdefault(point.source.topic.replace("{topic}", prefix), []).append(point)
        for topic, points in by_topic.items():
            self._points.setdefault(topic, []).append((device, points))
        if profile.availability is not None:
            topic = profile.availability.topic.replace("{topic}", prefix)
            self._availability.setdefault(topic, []).append((device, profile.availability))

    @property
    def topics(self) -> list[str]:
        """What to subscribe to."""
        return sorted(self._points.keys() | self._availability.keys())

    def read(self, topic: str, payload: bytes) -> list[Meaning]:
        """Everything that a message says."""
        said: list[Meaning] = []
        for device, words in self._availability.get(topic, ()):
            said.append(_availability(device, words, payload))
        for device, points in self._points.get(topic, ()):
            said += _values(device, points, payload)
        return said


def _values(device: str, points: list[Point], payload: bytes) -> list[Meaning]:
    document = _document(payload)
    if isinstance(document, Refused):
        return [Refusal(device, document.why)]
    seen: list[Worth] = []
    refusals: list[Meaning] = []
    for point in points:
        assert isinstance(point.source, JsonSource)
        found = _at(document, point.source.path)
        if found is _MISSING:
            continue
        value = _worth(point, point.source, found)
        if isinstance(value, Refused):
            refusals.append(Refusal(device, value.why))
        else:
            seen.append(value)
    if not seen and not refusals:
        return [Refusal(device, f"none of {', '.join(point.id for point in points)} is in the payload")]
    return [*([Values(device, tuple(seen))] if seen else []), *refusals]


class Refused(NamedTuple):
    """Why something was not taken."""

    why: str


_MISSING = object()


def _document(payload: bytes) -> Any:
    """The payload as JSON; a text that is no JSON is taken as it stands."""
    if len(payload) > PAYLOAD_LIMIT:
        return Refused(f"a payload of {len(payload)} bytes, at most {PAYLOAD_LIMIT} are read")
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError:
        return Refused("the payload is not UTF-8")
    try:
        return msgspec.json.decode(payload)
    except RecursionError:
        return Refused("the payload is nested too deeply")
    except msgspec.DecodeError as wrong:
        if text[:1] in {"{", "["}:
            return Refused(f"the payload is not JSON: {wrong}")
        return text


def _at(document: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        if isinstance(document, dict):
            document = document.get(step, _MISSING)
        elif isinstance(document, list) and step.isdecimal() and int(step) < len(document):
            document = document[int(step)]
        else:
            return _MISSING
    return document


def _worth(point: Point, source: JsonSource, found: Any) -> Worth | Refused:
    if found is None:
        return Worth(point.id, None, "bad")
    if point.type == "number":
        return _number(point, source, found)
    word = _word(found)
    table: Mapping[str, Value] = source.map if point.type == "flag" else source.enum
    if word is None or word not in table:
        return Refused(f"{point.id}: {_shown(found)} is none of {', '.join(table)}")
    return Worth(point.id, table[word], "good")


def _number(point: Point, source: JsonSource, found: Any) -> Worth | Refused:
    if isinstance(found, bool) or not isinstance(found, int | float):
        return Refused(f"{point.id}: a number is expected, not {_shown(found)}")
    try:
        value = float(found)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        return Refused(f"{point.id}: {_shown(found)} is no finite number")
    if source.scale != 1.0 or source.offset != 0.0:
        value = float(f"{value * source.scale + source.offset:.12g}")
    if (point.low is not None and value < point.low) or (point.high is not None and value > point.high):
        return Worth(point.id, None, "bad")
    return Worth(point.id, value, "good")


def _word(found: Any) -> str | None:
    """A text, number or boolean as a profile writes it: 1 and 1.0 are `1`, true is `true`."""
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, str):
        return found.strip()
    if isinstance(found, int | float):
        return str(int(found)) if math.isfinite(found) and found == int(found) else str(found)
    return None


def _shown(found: Any) -> str:
    text = repr(found)
    return text if len(text) <= 40 else f"{text[:40]}…"


def _availability(device: str, words: Availability, payload: bytes) -> Meaning:
    document = _document(payload)
    if isinstance(document, Refused):
        return Refusal(device, document.why)
    word = _word(_at(document, tuple(words.path.split(".")) if words.path else ()))
    if word == words.online:
        return Available(device, True)
    if word == words.offline:
        return Available(device, False)
    return Refusal(device, f"availability is {words.online} or {words.offline}, not {_shown(document)}")

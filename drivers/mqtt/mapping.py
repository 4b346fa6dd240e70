"""From MQTT messages to points. Pure.

A payload is what a stranger wrote: it may be huge, broken, of the wrong type, or not text at all. Whatever is not
exactly what the profile says is refused with a sentence, and the point keeps its last value until it is stale. Times
that a device writes are not read: a reading's time is when it came.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, NoReturn

from contract.readings import Value
from drivers.changes import Worth
from drivers.mqtt.product import JsonSource, format_of
from drivers.profiles.profile import Point, Profile
from drivers.profiles.words import Availability, AvailabilityNeeds, steps_of

PAYLOAD_LIMIT = 64 * 1024
TEXT_LIMIT = 200
"""Characters of a text that is a value."""

DEPTH_LIMIT = 32
"""Lists and objects within each other; no product comes near it."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Values:
    """Values of one device."""

    device: str
    seen: tuple[Worth, ...]


@dataclass(frozen=True, slots=True)
class Available:
    """The device (or its last will) says whether it is there, at the place `which` of its profile's availability."""

    device: str
    online: bool
    which: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """A payload, or a part of one, that the profile does not allow."""

    device: str
    why: str


Meaning = Values | Available | Refusal


class _Wanted(NamedTuple):
    """A point that a topic may tell. `sure`: its own topic, not one that says it now and then."""

    point: Point
    path: tuple[str, ...]
    sure: bool


class Topics:
    """What each topic of one broker means. `devices`: the topic prefix and the profile of each device."""

    def __init__(self, devices: Mapping[str, tuple[str, Profile]]) -> None:
        self._points: dict[str, list[tuple[str, list[_Wanted]]]] = {}
        self._availability: dict[str, list[tuple[str, int, Availability]]] = {}
        for device, (prefix, profile) in devices.items():
            self._add(device, prefix, profile)

    def _add(self, device: str, prefix: str, profile: Profile) -> None:
        by_topic: dict[str, list[_Wanted]] = {}
        for point in profile.points.values():
            if isinstance(point.source, JsonSource):
                for number, place in enumerate(point.source.places):
                    wanted = _Wanted(point, place.path, sure=number == 0)
                    by_topic.setdefault(place.topic.replace("{topic}", prefix), []).append(wanted)
        for topic, points in by_topic.items():
            self._points.setdefault(topic, []).append((device, points))
        for which, words in enumerate(format_of(profile).availability):
            topic = words.topic.replace("{topic}", prefix)
            self._availability.setdefault(topic, []).append((device, which, words))

    @property
    def topics(self) -> list[str]:
        """What to subscribe to."""
        return sorted(self._points.keys() | self._availability.keys())

    def read(self, topic: str, payload: bytes) -> list[Meaning]:
        """Everything that a message says."""
        said: list[Meaning] = []
        for device, which, words in self._availability.get(topic, ()):
            said.append(_available(device, which, words, payload))
        for device, points in self._points.get(topic, ()):
            said += _values(device, points, payload)
        return said


class Attendance:
    """What each place that tells whether a device is there said last."""

    def __init__(self, profiles: Mapping[str, Profile]) -> None:
        self._needs: dict[str, tuple[AvailabilityNeeds, int]] = {
            device: (format_of(profile).availability_needs, len(format_of(profile).availability))
            for device, profile in profiles.items()
        }
        self._said: dict[str, dict[int, bool]] = {}

    def forget(self) -> None:
        """The broker was away: what was said before says nothing."""
        self._said.clear()

    def there(self, said: Available) -> bool | None:
        """Whether the device is there, by all that was said so far; None: that cannot be told yet."""
        needs, places = self._needs[said.device]
        known = self._said.setdefault(said.device, {})
        known[said.which] = said.online
        if needs == "latest":
            return said.online
        decisive = needs == "any"
        if decisive in known.values():
            return decisive
        return None if len(known) < places else not decisive


def _values(device: str, points: list[_Wanted], payload: bytes) -> list[Meaning]:
    document = document_of(payload)
    if isinstance(document, Refused):
        return [Refusal(device, document.why)]
    seen: list[Worth] = []
    refusals: list[Meaning] = []
    for wanted in points:
        point = wanted.point
        assert isinstance(point.source, JsonSource)
        found = at_path(document, wanted.path)
        if found is _MISSING:
            continue
        value = _worth(point, point.source, found)
        if isinstance(value, Refused):
            refusals.append(Refusal(device, value.why))
        else:
            seen.append(value)
    if not seen and not refusals and any(wanted.sure for wanted in points):
        return [Refusal(device, f"none of {', '.join(wanted.point.id for wanted in points)} is in the payload")]
    return [*([Values(device, tuple(seen))] if seen else []), *refusals]


class Refused(NamedTuple):
    """Why something was not taken."""

    why: str


_MISSING = object()


class _Unsound(ValueError):
    """JSON that can be read in more than one way, or not as numbers are."""


def document_of(payload: bytes, limit: int = PAYLOAD_LIMIT) -> object:
    """The payload as JSON; a text that is no JSON is taken as it stands. `Refused` if it is neither.

    A key that comes twice makes a document ambiguous (RFC 8259, section 4), and NaN or Infinity are no JSON.
    """
    if len(payload) > limit:
        return Refused(f"a payload of {len(payload)} bytes, at most {limit} are read")
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError:
        return Refused("the payload is not UTF-8")
    structured = text.lstrip(" \t\r\n")[:1] in {"{", "["}
    try:
        if structured and _too_deep(text):
            return Refused("the payload is nested too deeply")
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except _Unsound as wrong:
        return Refused(f"the payload is not JSON: {wrong}")
    except ValueError as wrong:
        if structured:
            return Refused(f"the payload is not JSON: {wrong}")
        return text


def _too_deep(text: str) -> bool:
    """Brackets alone cannot be counted: those within texts say nothing. Few brackets cannot be deep, though."""
    if text.count("{") + text.count("[") <= DEPTH_LIMIT:
        return False
    depth = 0
    for sign in _TEXTS.sub("", text):
        if sign in "{[":
            depth += 1
            if depth > DEPTH_LIMIT:
                return True
        elif sign in "}]":
            depth -= 1
    return False


_TEXTS = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _Unsound(f"the key {_shown(twice)} comes twice")
    return found


def _no_constant(word: str) -> NoReturn:
    raise _Unsound(f"{word} is no number")


def at_path(document: object, path: tuple[str, ...]) -> object:
    """What stands at a path of a document; something that is no JSON if nothing does."""
    for step in path:
        if isinstance(document, dict):
            document = document.get(step, _MISSING)
        elif isinstance(document, list) and _is_index(step) and int(step) < len(document):
            document = document[int(step)]
        else:
            return _MISSING
    return document


def _is_index(step: str) -> bool:
    return step.isascii() and step.isdigit() and len(step) <= 6


def _worth(point: Point, source: JsonSource, found: object) -> Worth | Refused:
    if found is None:
        return Worth(point.id, None, "bad")
    if source.coded == "base64":
        found = _from_base64(point, found)
        if isinstance(found, Refused):
            return found
    match point.type:
        case "number":
            return _number(point, source, found)
        case "text":
            return _text(point, found)
    word = word_of(found)
    table: Mapping[str, Value] = source.map if point.type == "flag" else source.enum
    if word is None or word not in table:
        return Refused(f"{point.id}: {_shown(found)} is none of {', '.join(table)}")
    return Worth(point.id, table[word], "good")


def _from_base64(point: Point, found: object) -> object:
    if isinstance(found, str):
        with contextlib.suppress(binascii.Error, ValueError):
            return base64.b64decode(found, validate=True).decode("utf-8")
    return Refused(f"{point.id}: {_shown(found)} is no text in base64")


def _number(point: Point, source: JsonSource, found: object) -> Worth | Refused:
    if source.coded != "plain" and isinstance(found, str) and _NUMBER.fullmatch(found.strip()):
        found = float(found)
    if isinstance(found, str) and found.strip().lower() == "nan":
        return Worth(point.id, None, "bad")  # ESPHome's word for a sensor that has no value (its API reference)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return Refused(f"{point.id}: a number is expected, not {_shown(found)}")
    try:
        value = float(found)
    except OverflowError:
        value = math.inf
    if math.isfinite(value) and (source.scale != 1.0 or source.offset != 0.0):
        value = float(f"{value * source.scale + source.offset:.12g}")
    if not math.isfinite(value):
        return Refused(f"{point.id}: {_shown(found)} is no finite number")
    if (point.low is not None and value < point.low) or (point.high is not None and value > point.high):
        return Worth(point.id, None, "bad")
    return Worth(point.id, value, "good")


def _text(point: Point, found: object) -> Worth | Refused:
    word = word_of(found)
    if word is None or len(word) > TEXT_LIMIT or not word.isprintable():
        return Refused(f"{point.id}: a text of up to {TEXT_LIMIT} characters is expected, not {_shown(found)}")
    return Worth(point.id, word, "good")


def word_of(found: object) -> str | None:
    """A text, number or boolean as a profile writes it: 1 and 1.0 are `1`, true is `true`."""
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, str):
        return found.strip()
    if isinstance(found, int | float) and abs(found) < 1e15:
        return str(int(found)) if found == int(found) else str(found)
    return None


def _shown(found: object) -> str:
    text = str(found) if isinstance(found, float) else repr(found) if not isinstance(found, int) else _digits(found)
    return text if len(text) <= 40 else f"{text[:40]}…"


def _digits(found: int) -> str:
    return str(found) if -(10**40) < found < 10**40 else "a number of very many digits"


def _available(device: str, which: int, words: Availability, payload: bytes) -> Meaning:
    document = document_of(payload)
    if isinstance(document, Refused):
        return Refusal(device, document.why)
    # Products changed from the plain word to JSON between versions: the word alone is understood in both.
    plain = isinstance(document, str)
    word = word_of(document if plain or not words.path else at_path(document, steps_of(words.path)))
    if word == words.online:
        return Available(device, True, which)
    if word == words.offline:
        return Available(device, False, which)
    return Refusal(device, f"availability is {words.online} or {words.offline}, not {_shown(document)}")

"""What a sensor publishes for the values of its points: topics and JSON, as its profile maps them. Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from contract.readings import Value
from drivers.mqtt.product import JsonSource, format_of
from drivers.profiles.profile import Profile
from drivers.profiles.words import steps_of

Payloads = dict[str, bytes]
"""Topic → payload."""


def payloads(profile: Profile, prefix: str, value: Callable[[str], Value], *, wrong_type: bool = False) -> Payloads:
    """One payload for each topic of the profile; `wrong_type`: every value as a list, which no reader expects."""
    documents: dict[str, Any] = {}
    for name, point in profile.points.items():
        source = point.source
        if not isinstance(source, JsonSource):
            continue
        said = [value(name)] if wrong_type else _said(value(name), source)
        for place in source.places:
            topic = place.topic.replace("{topic}", prefix)
            documents[topic] = _placed(documents.get(topic), place.path, said)
    return {topic: _written(document) for topic, document in documents.items()}


def _written(document: Any) -> bytes:
    """A payload that is nothing but a text stands without quotes."""
    return (document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)).encode()


def availability(profile: Profile, prefix: str, online: bool) -> Payloads:
    """Topics and payloads that say whether the device is there; none if the product says nothing of the kind."""
    said: Payloads = {}
    for words in format_of(profile).availability:
        word = words.online if online else words.offline
        said[words.topic.replace("{topic}", prefix)] = _written(_placed(None, steps_of(words.path), word))
    return said


def _said(value: Value, source: JsonSource) -> Any:
    said = _plain(value, source)
    if source.coded == "plain" or said is None:
        return said
    text = said if isinstance(said, str) else json.dumps(said)
    return base64.b64encode(text.encode()).decode() if source.coded == "base64" else text


def _plain(value: Value, source: JsonSource) -> Any:
    if source.map:
        return _scalar(next((word for word, means in source.map.items() if means == bool(value)), str(value)))
    if source.enum:
        return next((word for word, label in source.enum.items() if label == value), value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return round((value - source.offset) / source.scale, 3)
    return value


def _scalar(word: str) -> Any:
    """`true`, `0` and the like are JSON of their own; other words are texts."""
    try:
        read = json.loads(word)
    except ValueError:
        return word
    return read if isinstance(read, (bool, int, float)) else word


def _placed(document: Any, path: tuple[str, ...], said: Any) -> Any:
    """The document with `said` at its place: a step that is a number is a place in a list."""
    if not path:
        return said
    step, *rest = path
    if step.isdigit():
        places = document if isinstance(document, list) else []
        places += [None] * (int(step) + 1 - len(places))
        places[int(step)] = _placed(places[int(step)], tuple(rest), said)
        return places
    keys = document if isinstance(document, dict) else {}
    keys[step] = _placed(keys.get(step), tuple(rest), said)
    return keys

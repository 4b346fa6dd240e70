"""What a sensor publishes for the values of its points: topics and JSON, as its profile maps them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from contract.readings import Value
from drivers.profiles.profile import JsonSource, Profile

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
        topic = source.topic.replace("{topic}", prefix)
        documents[topic] = _placed(documents.get(topic), source.path, said)
    return {topic: json.dumps(document, ensure_ascii=False).encode() for topic, document in documents.items()}


def availability(profile: Profile, prefix: str, online: bool) -> tuple[str, bytes] | None:
    """Topic and payload that say whether the device is there; None if the product says nothing of the kind."""
    words = profile.availability
    if words is None:
        return None
    word = words.online if online else words.offline
    document = _placed(None, tuple(words.path.split(".")), word) if words.path else None
    body = json.dumps(document, ensure_ascii=False) if document is not None else word
    return words.topic.replace("{topic}", prefix), body.encode()


def _said(value: Value, source: JsonSource) -> Any:
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
    if not path:
        return said
    document = document if isinstance(document, dict) else {}
    step = document
    for key in path[:-1]:
        step = step.setdefault(key, {})
    step[path[-1]] = said
    return document

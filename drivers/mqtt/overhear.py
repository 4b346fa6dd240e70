"""A broker's messages in words: topic and payload, without what a lock, a keypad or a camera must not tell. Pure."""

from __future__ import annotations

import json
import re

from contract.speech import Speech
from drivers.listening import HIDDEN, Eyes, OnWire, Seen, last_four
from drivers.overhearing import Overhear, Overhearer
from drivers.tap import Chunk

SHOWN = 400
"""Characters of a payload."""

_SECRETS = frozenset({"pass", "password", "passwd", "pin", "pins", "psk", "secret", "token", "code", "codes", "key"})
_NUMBERS = frozenset({"plate", "plates", "card", "tag", "uid", "credential", "label"})
"""Words in names of what locks, keypads and cameras say (Zigbee2MQTT's `pin_code`, Frigate's `sub_label`)."""


class Messages:
    """One broker."""

    def __init__(self, prefixes: dict[str, str], say: Speech, eyes: Eyes) -> None:
        self._prefixes = prefixes
        self._say = say
        self._eyes = eyes

    def hear(self, chunk: Chunk) -> list[Seen]:
        """One message."""
        topic, text = chunk.about, chunk.data.decode(errors="replace")
        told = self._told(topic, text)
        whole = told if len(told) <= SHOWN else f"{told[:SHOWN]} …"
        device = next((id for id, prefix in self._prefixes.items() if prefix and f"/{prefix}/" in f"/{topic}/"), "")
        fields: dict[str, object] = {"kind": "ask" if chunk.way == "out" else "answer", "topic": topic}
        if device:
            fields["device"] = device
        raw = chunk.data[:SHOWN] if told == text else b""
        return [Seen(chunk.at, "ask" if chunk.way == "out" else "answer", "", f"{topic} {whole}", None, raw, fields)]

    def quiet(self) -> list[Seen]:
        """A message is whole."""
        return []

    def _told(self, topic: str, text: str) -> str:
        """The payload as far as it may be told; one in which nothing is hidden as it was sent."""
        try:
            said = json.loads(text)
        except ValueError:
            said = text
        veiled = self._veiled(said, topic.rpartition("/")[2])
        if veiled == said:
            return text
        return veiled if isinstance(veiled, str) else json.dumps(veiled, ensure_ascii=False)

    def _veiled(self, said: object, name: str) -> object:
        if isinstance(said, dict):
            return {key: self._veiled(value, key) for key, value in said.items()}
        words = {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}
        if not self._eyes.secrets and words & _SECRETS:
            return None if said is None else HIDDEN
        if not self._eyes.numbers and words & _NUMBERS:
            return last_four(said) if isinstance(said, str) else None if said is None else HIDDEN
        if isinstance(said, list):
            return [self._veiled(each, name) for each in said]
        return said


def _overhearer(kind: str, wire: OnWire, say: Speech) -> Overhearer | None:
    return Messages({id: each.topic or "" for id, (each, _) in wire.of("mqtt").items()}, say, wire.eyes)


OVERHEAR = Overhear(_overhearer)

"""A broker's messages in words: topic and payload, without what a lock, a keypad or a camera must not tell. Pure."""

from __future__ import annotations

from contract.speech import Speech
from drivers.listening import Eyes, OnWire, Seen
from drivers.mqtt.veil import told
from drivers.overhearing import Overhear, Overhearer
from drivers.tap import Chunk

SHOWN = 400
"""Characters of a payload."""


class Messages:
    """One broker."""

    def __init__(self, prefixes: dict[str, str], say: Speech, eyes: Eyes) -> None:
        self._prefixes = prefixes
        self._say = say
        self._eyes = eyes

    def hear(self, chunk: Chunk) -> list[Seen]:
        """One message."""
        topic, text = chunk.about, chunk.data.decode(errors="replace")
        shown, payload, whole = told(topic, text, self._eyes)
        words = payload if len(payload) <= SHOWN else f"{payload[:SHOWN]} …"
        device = next((id for id, prefix in self._prefixes.items() if prefix and f"/{prefix}/" in f"/{topic}/"), "")
        fields: dict[str, object] = {"kind": "ask" if chunk.way == "out" else "answer", "topic": shown}
        if device:
            fields["device"] = device
        raw = chunk.data[:SHOWN] if whole else b""
        return [Seen(chunk.at, "ask" if chunk.way == "out" else "answer", "", f"{shown} {words}", None, raw, fields)]

    def quiet(self) -> list[Seen]:
        """A message is whole."""
        return []


def _overhearer(kind: str, wire: OnWire, say: Speech) -> Overhearer | None:
    return Messages({id: each.topic or "" for id, (each, _) in wire.of("mqtt").items()}, say, wire.eyes)


OVERHEAR = Overhear(_overhearer, numbers=True)

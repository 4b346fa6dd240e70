"""What a watched wire shows, whatever its protocol: one line a frame, and what was counted. Pure."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, Protocol

from gateway.installer.watch.counts import Tallies

Way = Literal["ask", "answer", "odd"]
"""Somebody is asked, somebody answers, or bytes that are neither."""

ARROWS: dict[Way, str] = {"ask": "→", "answer": "←", "odd": "!"}


class Seen(NamedTuple):
    """One line. `at`: seconds; `unit`: as the protocol writes it; `words`: for a person; `fields`: for machines."""

    at: float
    way: Way
    unit: str
    words: str
    latency_s: float | None
    raw: bytes
    fields: dict[str, Any]


class Dissector(Protocol):
    """Understands one protocol by listening."""

    tallies: Tallies

    def feed(self, data: bytes, at: float) -> list[Seen]:
        """What these bytes complete. `at`: when they came, in seconds."""

    def quiet(self) -> list[Seen]:
        """The wire has been silent for longer than a frame allows."""

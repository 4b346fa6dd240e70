"""Understanding a wire by listening: one line a frame, and what was counted. What each `listen` fills in. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Literal, NamedTuple, Protocol

from contract.speech import Speech
from drivers.profiles.profile import Profile
from drivers.protocols import having
from drivers.tallies import Tallies
from drivers.wiring import Installed

Way = Literal["ask", "answer", "odd"]
"""Somebody is asked, somebody answers, or bytes that are neither."""


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


class Eyes(NamedTuple):
    """What of it may be told: `secrets` (keys, PINs, passwords), `numbers` (of cards, codes), `plates` (of cars)."""

    secrets: bool = True
    numbers: bool = True
    plates: bool = True


CABLE = Eyes()
"""Whoever has the cable in hand has all that goes along it."""

HIDDEN = "••••"
"""Stands where something is that may not be told."""


def last_four(number: str) -> str:
    """A number that may not be told, as one knows it again; nothing of a short one."""
    return HIDDEN + (number[-4:] if len(number) > 4 else "")


class OnWire(NamedTuple):
    """What is known: the wire's devices by id (from the site file), and every product; and what may be told."""

    devices: Mapping[str, tuple[Installed, Profile]]
    profiles: Sequence[Profile]
    eyes: Eyes = CABLE

    def of(self, protocol: str) -> dict[str, tuple[Installed, Profile]]:
        """The devices that speak it."""
        return {id: each for id, each in self.devices.items() if each[1].protocol == protocol}


class Listen(NamedTuple):
    """How a protocol is understood. `dissector`: of one wire; `numbers`: of cards and codes are said there."""

    dissector: Callable[[OnWire, Speech], Dissector]
    numbers: bool = False


@cache
def listeners() -> Mapping[str, Listen]:
    """The protocols that can be understood by listening, by the word for `--protocol`."""
    return {name: each.part("listen", Listen) for name, each in having("listen").items()}

"""Understanding what the owner of a wire tells its tap: which way bytes go is known, and with whom. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from contract.speech import Speech
from drivers.listening import Dissector, OnWire, Seen, listeners
from drivers.protocols import PROTOCOLS
from drivers.tap import Chunk


class Overhearer(Protocol):
    """Understands one protocol by what its owner tells."""

    def hear(self, chunk: Chunk) -> list[Seen]:
        """What these bytes complete."""

    def quiet(self) -> list[Seen]:
        """The wire has been silent for longer than a frame allows."""


class Overhear(NamedTuple):
    """How a protocol is understood where listening to a line is not enough. `by`: of a bus of that kind, if it can.

    `numbers`: what is said there may be numbers of cards and codes.
    """

    by: Callable[[str, OnWire, Speech], Overhearer | None]
    numbers: bool = False


class WireOverheard:
    """One wire, whose devices may speak several protocols: the owner says with whom it speaks."""

    def __init__(self, kind: str, wire: OnWire, say: Speech) -> None:
        spoken = {device: profile.protocol for device, (_, profile) in wire.devices.items()}
        self._spoken = spoken
        self._by: dict[str, Overhearer] = {}
        for protocol in dict.fromkeys(spoken.values()):
            found = _overhearer(protocol, kind, wire, say)
            if found is not None:
                self._by[protocol] = found

    @property
    def understood(self) -> bool:
        """Whether anything that is said there can be told."""
        return bool(self._by)

    @property
    def numbers(self) -> bool:
        """Whether numbers of cards and codes may be said there: who sees those reads of people."""
        return any(_tells_numbers(protocol) for protocol in self._by)

    def hear(self, chunk: Chunk) -> list[Seen]:
        """What these bytes complete, or what went wrong: its `why` in `fields`."""
        if chunk.way == "fault":
            fields = {"kind": "fault", "device": chunk.about, "why": chunk.why}
            return [Seen(chunk.at, "odd", "", chunk.why, None, b"", fields)]
        one = self._by.get(self._spoken.get(chunk.about, "")) or next(iter(self._by.values()), None)
        return [] if one is None else one.hear(chunk)

    def quiet(self) -> list[Seen]:
        """The wire has been silent for longer than a frame allows."""
        return [seen for each in self._by.values() for seen in each.quiet()]


class _ByEar:
    """A line on which direction tells nothing that its frames do not."""

    def __init__(self, dissector: Dissector) -> None:
        self._dissector = dissector

    def hear(self, chunk: Chunk) -> list[Seen]:
        return self._dissector.feed(chunk.data, chunk.at)

    def quiet(self) -> list[Seen]:
        return self._dissector.quiet()


def _tells_numbers(protocol: str) -> bool:
    known = PROTOCOLS[protocol]
    if known.has("overhear") and known.part("overhear", Overhear).numbers:
        return True
    return protocol in listeners() and listeners()[protocol].numbers


def _overhearer(protocol: str, kind: str, wire: OnWire, say: Speech) -> Overhearer | None:
    known = PROTOCOLS[protocol]
    own = known.part("overhear", Overhear).by(kind, wire, say) if known.has("overhear") else None
    if own is None and protocol in listeners():
        own = _ByEar(listeners()[protocol].dissector(wire, say))
    return own

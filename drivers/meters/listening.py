"""Understanding a line of meters by listening: what their protocols have in common. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from contract.readings import Value
from contract.speech import Speech
from contract.texts import Text
from drivers.errors import FrameError
from drivers.listening import CABLE, Eyes, OnWire, Seen, Way
from drivers.meters import items
from drivers.meters.framing import Frames
from drivers.meters.search import suits
from drivers.profiles.profile import Profile
from drivers.profiles.wording import value_of
from drivers.tallies import Tallies

SHOWN = 6

HEAD = 10
"""Bytes of a frame up to its data (DL/T 645-2007, section 5.2)."""


class Message(NamedTuple):
    """A frame of a meter's protocol. `item`: what it is about, None if nothing; `data`: what follows the item.

    `told`: how a product's points are read in an answer that has no item; `plain`: what it says without a product.
    `due`: whether a request is answered. `secret`: there is a password behind its first `HEAD` bytes.
    """

    address: str
    answer: bool
    refuses: Text | None
    words: Text
    item: int | None
    data: bytes
    traits: Mapping[str, object] = {}
    told: Callable[[Profile], dict[str, Value]] | None = None
    plain: str = ""
    due: bool = True
    secret: bool = False


class MeterDissector:
    """`parse`: a sound frame's message; `profiles`: products by which values are told, by `address` where known."""

    def __init__(
        self,
        frames: Frames,
        parse: Callable[[bytes], Message],
        devices: Mapping[str, tuple[str, Profile]],
        profiles: Sequence[Profile],
        say: Speech,
        *,
        eyes: Eyes = CABLE,
    ) -> None:
        self.tallies = Tallies()
        self._eyes = eyes
        self._hides = False
        self._frames = frames
        self._parse = parse
        self._devices = devices
        self._profiles = profiles
        self._say = say
        self._began: float | None = None
        self._asked: tuple[str, float] | None = None

    def feed(self, data: bytes, at: float) -> list[Seen]:
        """What these bytes complete. `at`: when they came, in seconds."""
        self.tallies.bytes += len(data)
        began = self._began if self._began is not None else at
        found = self._frames.feed(data)
        seen = [self._seen(raw, began, at) for raw in found]
        self._began = None if found else began
        return seen + self._wrong(at)

    def quiet(self) -> list[Seen]:
        """The wire has been silent for longer than a frame allows."""
        began, self._began = self._began, None
        found = self._frames.quiet()
        at = began or 0.0
        return [self._seen(raw, at, at) for raw in found] + self._wrong(at)

    def _wrong(self, at: float) -> list[Seen]:
        wrong: FrameError | None = self._frames.wrong
        self._frames.wrong = None
        if wrong is None:
            return []
        asked = None if self._asked is None else self._asked[0]
        self.tallies.damaged(asked)
        # What was asked with a password may come back damaged.
        raw = b"" if self._hides else wrong.raw
        words = self._say("校验错的帧", "a frame with a wrong check") + (f" [{raw[:16].hex(' ')}]" if raw else "")
        return [Seen(at, "odd", asked or "", words, None, raw, {"kind": "noise"})]

    def _seen(self, raw: bytes, began: float, ended: float) -> Seen:
        self.tallies.frames += 1
        message = self._parse(raw)
        way: Way = "answer" if message.answer else "ask"
        latency = None
        if message.answer:
            if self._asked is not None:
                latency = max(0.0, began - self._asked[1])
            self.tallies.answer(message.address, latency, refused=message.refuses is not None)
            self._asked = None
        else:
            self.tallies.request(message.address, answered=message.due)
            self._asked = (message.address, ended)
        words, values = self._words(message)
        fields: dict[str, object] = {"kind": way, "item": message.item}
        if values:
            fields["values"] = values
        self._hides = message.secret and not self._eyes.secrets
        return Seen(began, way, message.address, words, latency, raw[:HEAD] if self._hides else raw, fields)

    def _words(self, message: Message) -> tuple[str, dict[str, Value]]:
        say = self._say
        words = say.of(message.words)
        if message.refuses is not None:
            return f"{words} {say('拒绝', 'refuses')}: {say.of(message.refuses)}", {}
        if message.item is not None:
            words += f" {message.item:X}"
        elif message.told is None:
            return f"{words} {message.plain}".rstrip(), {}
        if not message.answer:
            return words, {}
        device = self._devices.get(message.address)
        for profile in [device[1]] if device is not None else self._suiting(message):
            values = _values(profile, message) if message.told is None else message.told(profile)
            if values:
                parts = [f"{name} {value_of(profile.points[name], value, say)}" for name, value in values.items()]
                return f"{words} {', '.join(parts[:SHOWN])}", values
        plain = message.plain or f"[{message.data[:16].hex(' ')}]"
        return f"{words} {plain}", {}

    def _suiting(self, message: Message) -> list[Profile]:
        return [profile for profile in self._profiles if suits(message.traits, profile)]


def _values(profile: Profile, message: Message) -> dict[str, Value]:
    for item in items.plan(profile):
        for each in (item, *item.parts):
            if each.item == message.item and each.size == len(message.data):
                try:
                    return {worth.point: worth.value for worth in items.worths(each, message.data)}
                except FrameError:
                    return {}
    return {}


def numbered(wire: OnWire, protocol: str, digits: int) -> dict[str, tuple[str, Profile]]:
    """The meters that a site file names, by their address of so many digits."""
    return {
        str(installed.address).zfill(digits): (id, profile)
        for id, (installed, profile) in wire.of(protocol).items()
        if installed.address is not None
    }


def products(wire: OnWire, protocol: str) -> list[Profile]:
    """Every product that speaks it."""
    return [profile for profile in wire.profiles if profile.protocol == protocol]

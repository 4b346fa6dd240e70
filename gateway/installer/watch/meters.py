"""Understanding a line of DL/T 645 or CJ/T 188 meters by listening. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from contract.readings import Value
from contract.texts import Text
from drivers.cjt188 import codec as cjt188
from drivers.dlt645 import codec as dlt645
from drivers.errors import FrameError
from drivers.meters import items
from drivers.meters.framing import Frames
from drivers.profiles.profile import Profile
from gateway.installer.terminal.language import Speech
from gateway.installer.terminal.wording import value_of
from gateway.installer.watch.counts import Tallies
from gateway.installer.watch.seen import Seen, Way

SHOWN = 6


class Message(NamedTuple):
    """A frame of a meter's protocol. `item`: what it is about, None if nothing; `data`: what follows the item.

    `told`: how a product's points are read in an answer that has no item; `plain`: what it says without a product.
    `due`: whether a request is answered.
    """

    address: str
    answer: bool
    refuses: Text | None
    words: Text
    item: int | None
    data: bytes
    traits: Mapping[str, Any] = {}
    told: Callable[[Profile], dict[str, Value]] | None = None
    plain: str = ""
    due: bool = True


class MeterDissector:
    """`parse`: a sound frame's message; `profiles`: products by which values are told, by `address` where known."""

    def __init__(
        self,
        frames: Frames,
        parse: Callable[[bytes], Message],
        devices: Mapping[str, tuple[str, Profile]],
        profiles: Sequence[Profile],
        say: Speech,
    ) -> None:
        self.tallies = Tallies()
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
        words = self._say("校验错的帧", "a frame with a wrong check") + f" [{wrong.raw[:16].hex(' ')}]"
        return [Seen(at, "odd", asked or "", words, None, wrong.raw, {"kind": "noise"})]

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
        fields: dict[str, Any] = {"kind": way, "item": message.item}
        if values:
            fields["values"] = values
        return Seen(began, way, message.address, words, latency, raw, fields)

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
        return [
            profile
            for profile in self._profiles
            if (profile.meter is not None or not message.traits)
            and all(getattr(profile.meter, trait) == value for trait, value in message.traits.items())
        ]


def _values(profile: Profile, message: Message) -> dict[str, Value]:
    for item in items.plan(profile):
        for each in (item, *item.parts):
            if each.item == message.item and each.size == len(message.data):
                try:
                    return {worth.point: worth.value for worth in items.worths(each, message.data)}
                except FrameError:
                    return {}
    return {}


def dlt645_message(raw: bytes) -> Message:
    """A DL/T 645 frame of either version."""
    frame = dlt645.parse(raw)
    function, answer = frame.control & 0x1F, bool(frame.control & dlt645.ANSWER)
    version: dlt645.Version = 1997 if function in {dlt645.READ[1997], dlt645.FOLLOW[1997], dlt645.WRITE[1997]} else 2007
    size = dlt645.ITEM_SIZE[version]
    carries = function in {dlt645.READ[version], dlt645.FOLLOW[version], dlt645.WRITE[version]}
    refuses = dlt645.error_text(frame.data, version) if frame.control & dlt645.ERROR else None
    item = (
        int.from_bytes(frame.data[:size], "little") if carries and refuses is None and len(frame.data) >= size else None
    )
    words = _DLT645.get(function, Text(f"功能 {function:02X}", f"function {function:02X}"))
    return Message(frame.address, answer, refuses, words, item, frame.data[size:], {"version": version})


_DLT645 = {
    0x01: Text("读数据", "read"),
    0x02: Text("读后续", "read on"),
    0x04: Text("写数据", "write"),
    0x08: Text("广播校时", "time for all"),
    0x11: Text("读数据", "read"),
    0x12: Text("读后续", "read on"),
    0x13: Text("读地址", "read address"),
    0x14: Text("写数据", "write"),
    0x1C: Text("跳合闸", "trip or close"),
}


def cjt188_message(raw: bytes) -> Message:
    """A CJ/T 188 frame."""
    frame = cjt188.parse(raw)
    function, answer = frame.control & 0x3F, bool(frame.control & cjt188.ANSWER)
    low = frame.data[:2] in {b"\x1f\x90", b"\x0a\x81", b"\x17\xa0"}
    item = int.from_bytes(frame.data[:2], "little" if low else "big") if len(frame.data) >= 2 else None
    refuses = cjt188.REFUSED if frame.control & cjt188.ERROR else None
    words = _CJT188.get(function, Text(f"功能 {function:02X}", f"function {function:02X}"))
    traits = {"type_code": frame.kind, "di_order": "low-first" if low else "high-first"}
    return Message(frame.address, answer, refuses, words, item, frame.data[3:], traits)


_CJT188 = {
    0x01: Text("读数据", "read"),
    0x03: Text("读地址", "read address"),
    0x04: Text("写数据", "write"),
    0x15: Text("写地址", "set address"),
}

"""Understanding a line of OSDP readers by listening. Pure.

What is said inside a secure channel stays secret; who speaks, how often and how fast does not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from contract.speech import Speech
from drivers.listening import CABLE, HIDDEN, Eyes, Listen, Seen, Way, last_four
from drivers.osdp import codec
from drivers.tallies import Tallies

_OPEN: Final = {
    False: {codec.POLL, codec.ID, codec.CAP, codec.LSTAT, codec.ISTAT, codec.OSTAT, codec.OUT, codec.LED, codec.BUZ},
    True: {codec.ACK, codec.NAK, codec.PDID, codec.PDCAP, codec.LSTATR, codec.ISTATR, codec.OSTATR, codec.BUSY},
}
"""Replies or not → what anybody may read: no key, no PIN and no card is in it."""

_NUMBERS: Final = {False: {codec.TEXT}, True: {codec.RAW}}
"""What is read by whoever may read numbers of cards: those, and what the display says to people."""


class OsdpDissector:
    """Understands a line by listening."""

    def __init__(self, devices: dict[int, str], say: Speech, eyes: Eyes = CABLE) -> None:
        self.tallies = Tallies()
        self._eyes = eyes
        self._devices = devices
        self._say = say
        self._frames = codec.Frames()
        self._asked: tuple[int, float] | None = None
        self._began: float | None = None

    def feed(self, data: bytes, at: float) -> list[Seen]:
        """What these bytes complete. `at`: when they came, in seconds."""
        self.tallies.bytes += len(data)
        began = at if self._began is None else self._began
        found = list(self._frames.feed(data, at))
        self._began = None if found else began
        return [
            self._frame(each, began, at) if isinstance(each, codec.Frame) else self._damaged(each.raw, at)
            for each in found
        ]

    def quiet(self) -> list[Seen]:
        """The wire has been silent for longer than a frame allows."""
        self._began = None
        return []

    def _frame(self, frame: codec.Frame, began: float, ended: float) -> Seen:
        self.tallies.frames += 1
        unit = str(frame.address)
        latency = None
        way: Way = "answer" if frame.reply else "ask"
        if frame.reply:
            if self._asked is not None and self._asked[0] == frame.address:
                latency = max(0.0, began - self._asked[1])
            self._asked = None
            self.tallies.answer(unit, latency, refused=frame.code == codec.NAK)
        else:
            self._asked = (frame.address, ended)
            self.tallies.request(unit)
        name = self._devices.get(frame.address, "")
        words, raw = self._told(frame)
        fields = {"kind": way, "name": frame.name, "secure": bool(frame.block)}
        return Seen(began, way, unit, f"{name} {words}".strip(), latency, raw, fields)

    def _told(self, frame: codec.Frame) -> tuple[str, bytes]:
        """Words and bytes, as far as they may be told. A channel that was opened with the default key can be read."""
        hides, mask = False, ""
        if not self._eyes.secrets and not (frame.code in _OPEN[frame.reply] and not frame.encrypted):
            numbers = frame.code in _NUMBERS[frame.reply] and not frame.encrypted
            hides = not (numbers and self._eyes.numbers)
            if hides and frame.data and not frame.encrypted:
                mask = " · " + (last_four(frame.data.hex()) if numbers else HIDDEN)
        words = (replace(frame, data=b"") if hides else frame).words().partition(" ")[2].partition(" ")[2]
        return words + mask, codec.head(frame.raw) if hides else frame.raw

    def _damaged(self, raw: bytes, at: float) -> Seen:
        asked = None if self._asked is None else str(self._asked[0])
        self.tallies.damaged(asked)
        raw = raw if self._eyes.secrets else codec.head(raw)
        words = self._say("无法识别的数据", "bytes that are no frame") + f" [{raw[:16].hex(' ')}]"
        return Seen(at, "odd", asked or "", words, None, raw, {"kind": "noise"})


LISTEN = Listen(
    lambda wire, say: OsdpDissector(
        {installed.unit: id for id, (installed, _) in wire.of("osdp").items()}, say, wire.eyes
    ),
    numbers=True,
)

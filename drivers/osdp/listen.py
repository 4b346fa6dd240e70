"""Understanding a line of OSDP readers by listening. Pure.

What is said inside a secure channel stays secret; who speaks, how often and how fast does not.
"""

from __future__ import annotations

from contract.speech import Speech
from drivers.listening import Listen, Seen, Way
from drivers.osdp import codec
from drivers.tallies import Tallies


class OsdpDissector:
    """Understands a line by listening."""

    def __init__(self, devices: dict[int, str], say: Speech) -> None:
        self.tallies = Tallies()
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
        words = frame.words().partition(" ")[2].partition(" ")[2]
        fields = {"kind": way, "name": frame.name, "secure": bool(frame.block)}
        return Seen(began, way, unit, f"{name} {words}".strip(), latency, frame.raw, fields)

    def _damaged(self, raw: bytes, at: float) -> Seen:
        asked = None if self._asked is None else str(self._asked[0])
        self.tallies.damaged(asked)
        words = self._say("无法识别的数据", "bytes that are no frame") + f" [{raw[:16].hex(' ')}]"
        return Seen(at, "odd", asked or "", words, None, raw, {"kind": "noise"})


LISTEN = Listen(
    lambda wire, say: OsdpDissector({installed.unit: id for id, (installed, _) in wire.of("osdp").items()}, say)
)

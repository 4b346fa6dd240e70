"""Modbus TCP as its two ends say it: questions by their transaction number, answers to them. Pure."""

from __future__ import annotations

from contract.speech import Speech
from drivers.errors import FrameError
from drivers.listening import OnWire, Seen
from drivers.modbus.ear import Heard, Kind
from drivers.modbus.frames import TcpFrame, TcpFrames, rtu
from drivers.modbus.listen import ModbusDissector, units
from drivers.modbus.wires import ModbusTcpBus
from drivers.overhearing import Overhear, Overhearer
from drivers.tap import Chunk

OPEN_LIMIT = 256
"""Questions whose answers are awaited."""


class TcpTalk:
    """One connection. `at`: Unix seconds."""

    def __init__(self, dissector: ModbusDissector) -> None:
        self._dissector = dissector
        self._questions = TcpFrames()
        self._answers = TcpFrames()
        self._open: dict[int, Heard] = {}

    def asked(self, data: bytes, at: float) -> list[Seen]:
        """What the master says."""
        frames, odd = self._cut(self._questions, data, at)
        seen = []
        for frame in frames:
            heard = _heard("request", frame, at)
            if len(self._open) >= OPEN_LIMIT:
                self._open.pop(next(iter(self._open)))
            self._open[frame.transaction] = heard
            seen.append(self._told(heard))
        return seen + odd

    def answered(self, data: bytes, at: float) -> list[Seen]:
        """What the device says."""
        frames, odd = self._cut(self._answers, data, at)
        seen = []
        for frame in frames:
            asked = self._open.pop(frame.transaction, None)
            kind: Kind = "exception" if frame.pdu[0] & 0x80 else "answer"
            seen.append(self._told(_heard(kind, frame, at)._replace(asked=asked)))
        return seen + odd

    def hear(self, chunk: Chunk) -> list[Seen]:
        """As the owner of the connection tells it."""
        return (self.asked if chunk.way == "out" else self.answered)(chunk.data, chunk.at)

    def quiet(self) -> list[Seen]:
        """A network has no silence between frames."""
        return []

    def _told(self, heard: Heard) -> Seen:
        self._dissector.tallies.bytes += len(heard.raw)
        return self._dissector.seen(heard)

    def _cut(self, frames: TcpFrames, data: bytes, at: float) -> tuple[list[TcpFrame], list[Seen]]:
        try:
            return frames.feed(data), []
        except FrameError:
            return [], [self._dissector.odd(self._dissector.no_frame(data), data, at)]


def _heard(kind: Kind, frame: TcpFrame, at: float) -> Heard:
    """As if it had been heard on a line: what follows needs to know one shape only."""
    return Heard(kind, at, at, frame.unit, frame.pdu[0] & 0x7F, rtu(frame.unit, frame.pdu))


def _overhearer(kind: str, wire: OnWire, say: Speech) -> Overhearer | None:
    return TcpTalk(ModbusDissector(units(wire), say)) if kind == ModbusTcpBus.named() else None


OVERHEAR = Overhear(_overhearer)

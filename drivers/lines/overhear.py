"""Lines of a reader in words: what its cards and QR texts are. Pure."""

from __future__ import annotations

from contract.speech import Speech
from drivers.errors import FrameError
from drivers.lines.codec import Lines, as_installed, credential
from drivers.lines.product import LineFormat, line_of
from drivers.listening import Eyes, OnWire, Seen, last_four
from drivers.overhearing import Overhear, Overhearer
from drivers.tap import Chunk


class LineOverheard:
    """One reader."""

    def __init__(self, reader: str, form: LineFormat, say: Speech, eyes: Eyes) -> None:
        self._reader = reader
        self._form = form
        self._say = say
        self._eyes = eyes
        self._lines = Lines(form)
        self._heard_at = 0.0

    def hear(self, chunk: Chunk) -> list[Seen]:
        """What these bytes complete."""
        self._heard_at = chunk.at
        return [self._seen(line, chunk.at) for line in self._lines.feed(chunk.data, chunk.at)]

    def quiet(self) -> list[Seen]:
        """A silence ends a line where nothing else does."""
        if self._form.ends != "gap":
            return []
        at = self._heard_at
        return [self._seen(line, at) for line in self._lines.idle(at + self._form.gap_s)]

    def _seen(self, line: bytes | FrameError, at: float) -> Seen:
        say, all_of_it = self._say, self._eyes.numbers
        try:
            if isinstance(line, FrameError):
                raise line
            read = credential(line, self._form)
        except FrameError as wrong:
            words = say("看不懂的一行", "a line that cannot be read")
            shown = f": {wrong.raw[:64]!r}" if all_of_it else ""
            return Seen(at, "odd", "", words + shown, None, wrong.raw if all_of_it else b"", {"kind": "noise"})
        what = say("卡", "card") if read.kind == "card" else say("二维码", "QR code")
        value = read.value if all_of_it else last_four(read.value)
        fields = {"kind": "answer", "device": self._reader, "credential": read.kind, "value": value}
        return Seen(at, "answer", "", f"{self._reader} {what} {value}", None, line if all_of_it else b"", fields)


def _overhearer(kind: str, wire: OnWire, say: Speech) -> Overhearer | None:
    for reader, (installed, profile) in wire.of("line").items():
        form = line_of(profile)
        if form is not None:
            return LineOverheard(reader, as_installed(form, installed.card), say, wire.eyes)
    return None


OVERHEAR = Overhear(_overhearer, numbers=True)

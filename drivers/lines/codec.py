"""Lines of text to credentials. Pure: the shell gives bytes and the moment (monotonic seconds) at which they came.

A line ends with CR, LF or both, or, with readers that send neither, with a silence. What has no end in time is never
taken for a line: half a card number is another card's number.
Which forms a card's number can have: `drivers.cards`.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import NamedTuple

from contract.desired import CredentialKind
from drivers.cards import from_text
from drivers.errors import FrameError
from drivers.lines.product import LineFormat
from drivers.profiles.words import CardFormat

UNFINISHED_S = 1.0
"""A line that has not ended after this long a silence is thrown away."""


class Credential(NamedTuple):
    """What a line said: a card as upper-case hex in ISO byte order, or a QR code's text."""

    kind: CredentialKind
    value: str


class Lines:
    """Cuts a reader's bytes into lines. Holds at most one unfinished line of `max_length` bytes."""

    def __init__(self, form: LineFormat) -> None:
        self._form = form
        self._buffer = bytearray()
        self._last_at = 0.0
        self._overlong = False

    def feed(self, data: bytes, at: float) -> Iterator[bytes | FrameError]:
        """The lines that `data` ends, in order; a line that is too long, or was broken off, comes as its error."""
        yield from self.idle(at)
        self._last_at = at
        if self._form.ends == "gap":
            yield from self._take(data)
            return
        # CR LF is a line and an empty line, and empty lines mean nothing: nobody waits for the LF.
        *ended, rest = data.replace(b"\r", b"\n").split(b"\n")
        for piece in ended:
            yield from self._take(piece)
            yield from self._end()
        yield from self._take(rest)

    def idle(self, at: float) -> Iterator[bytes | FrameError]:
        """What the silence until `at` ends: in gap mode a line, otherwise the hope for one."""
        deadline = self.deadline()
        if deadline is None or at < deadline:
            return
        if self._form.ends == "gap":
            yield from self._end()
        else:
            broken, overlong = bytes(self._buffer), self._overlong
            self.clear()
            if broken and not overlong:
                yield FrameError("a line without an end", broken)

    def deadline(self) -> float | None:
        """When `idle` has something to say; None while nothing is unfinished."""
        if not self._buffer and not self._overlong:
            return None
        return self._last_at + (self._form.gap_s if self._form.ends == "gap" else UNFINISHED_S)

    def clear(self) -> None:
        """Forgets what is unfinished: the connection is a new one."""
        self._buffer.clear()
        self._overlong = False

    def _take(self, data: bytes) -> Iterator[FrameError]:
        if self._overlong or not data:
            return
        self._buffer += data
        if len(self._buffer) > self._form.max_length:
            self._overlong = True
            yield FrameError(f"a line of more than {self._form.max_length} bytes", bytes(self._buffer[:64]))
            self._buffer.clear()

    def _end(self) -> Iterator[bytes]:
        line, overlong = bytes(self._buffer), self._overlong
        self.clear()
        if line and not overlong:
            yield line


def as_installed(form: LineFormat, card: CardFormat | None) -> LineFormat:
    """The format of one reader: its product's, with the form of cards that the site file declares for it."""
    return form if card is None else dataclasses.replace(form, card=card)


def credential(line: bytes, form: LineFormat) -> Credential:
    """What a line says. Raises `FrameError` for what is neither a card of the declared form nor a QR text."""
    text = _text(line)
    if form.card is not None and text.startswith(form.card.prefix):
        with contextlib.suppress(FrameError):
            return Credential("card", from_text(text[len(form.card.prefix) :], form.card))
    if form.qr is not None and text.startswith(form.qr.prefix) and len(text) > len(form.qr.prefix):
        return Credential("qr", text[len(form.qr.prefix) :])
    raise FrameError("neither a card number of the declared form nor a QR text", line)


def _text(line: bytes) -> str:
    for encoding in ("utf-8", "gb18030"):
        try:
            text = line.decode(encoding).strip()
        except UnicodeDecodeError:
            continue
        if text and text.isprintable():
            return text
        break
    raise FrameError("not a line of text", line)

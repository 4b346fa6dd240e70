"""The line of text that a reader sends for a credential, as its profile says. Pure."""

from __future__ import annotations

import re

from drivers.cards import WrongForm, to_text
from drivers.lines.product import LineFormat

_HEX = re.compile(r"^(?:[0-9A-Fa-f]{2}){3,10}$")


class CannotRead(ValueError):
    """This reader cannot read such a credential; says what it reads."""


def card_line(card: str, form: LineFormat) -> bytes:
    """The bytes for a card's UID (hex, ISO byte order) or, where the reader reads them, a QR text."""
    text = card.strip()
    if form.card is not None and _HEX.match(text):
        try:
            number = to_text(text.upper(), form.card)
        except WrongForm as wrong:
            raise CannotRead(f"this reader cannot read it: {wrong}") from wrong
        return _ended(form.card.prefix + number, form)
    if form.qr is not None and text and text.isprintable():
        prefix = form.qr.prefix
        return _ended(text if prefix and text.startswith(prefix) else prefix + text, form)
    raise CannotRead(f"{card!r:.60} is no card number: 3 to 10 bytes in hex are expected, for example 04A1B2C3D4E5F6")


def _ended(text: str, form: LineFormat) -> bytes:
    line = text.encode()
    if len(line) > form.max_length:
        raise CannotRead(f"{len(line)} bytes are more than this reader sends ({form.max_length})")
    return line + b"\r\n" if form.ends == "terminator" else line


def garbled(line: bytes) -> bytes:
    """The same line as a broken cable lets it through: a byte lost, a byte changed, no text any more."""
    body = bytearray(line)
    if len(body) > 6:
        body[3] = 0xFE
        del body[1]
    return bytes(body)

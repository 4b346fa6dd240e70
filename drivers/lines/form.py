"""Files of readers that send one line of text for each credential. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from drivers.lines.product import LineFormat
from drivers.profiles.cardforms import fault_of
from drivers.profiles.form import Form
from drivers.profiles.head import Fault, profile_of
from drivers.profiles.profile import Profile
from drivers.profiles.words import CardFormat, Head, QrFormat, Seconds, Serial


class LineFile(Head):
    """A reader that sends one line of text for each credential.

    `ends`: a line ends with CR, LF or both (`terminator`), or with `gap_s` of silence (`gap`).
    """

    protocol: Literal["line"]
    serial: Serial | None = None
    ends: Literal["terminator", "gap"] = "terminator"
    gap_s: Seconds = 0.05
    max_length: Annotated[int, Field(ge=8, le=1024)] = 256
    card: CardFormat | None = None
    qr: QrFormat | None = None


def faults(file: LineFile) -> Iterator[Fault]:
    """A reader that reads nothing, or cards in a form that is no text."""
    if file.card is None and file.qr is None:
        yield Fault((), "a line reader reads cards or QR texts: `card` or `qr` is missing")
    if file.card is not None and (wrong := fault_of(file.card, "text")):
        yield Fault(("card",), wrong.en)


def build(file: LineFile) -> Profile:
    """The profile of a file without faults."""
    line = LineFormat(ends=file.ends, gap_s=file.gap_s, max_length=file.max_length, card=file.card, qr=file.qr)
    return profile_of(file, "line", serial=file.serial, card=file.card, format=line)


FORM = Form(LineFile, faults, build)

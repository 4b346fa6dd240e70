"""M-Bus (wired): frames of the link layer and what addresses meters. Pure.

`E5`: acknowledged · `10 C A CS 16`: short · `68 L L 68 C A CI … CS 16`: long (or, without data, control); CS: sum from
C on, modulo 256; L counts from C to the last byte before CS. Primary addresses are 0 to 250; 253 is whoever was
selected by its secondary address: eight digits of identification, maker, version and medium, where F fits any digit.
FCB, a bit of C, changes with every new request and stays when one is repeated.
Source: EN 13757-2:2018, sections 5 to 7 (link), EN 13757-3:2013, sections 5 (control information) and 11 (selection).
"""

from __future__ import annotations

from typing import NamedTuple

from drivers.errors import FrameError
from drivers.meters.framing import Frames

START_LONG, START_SHORT, END, ACK = 0x68, 0x10, 0x16, 0xE5
OVERHEAD = 6
"""Bytes of a long frame besides those that L counts."""

LONGEST = OVERHEAD + 255
HEAD = 3
"""C, A and CI."""

SND_NKE, REQ_UD2, SND_UD, RSP_UD = 0x40, 0x5B, 0x53, 0x08
FCB = 0x20
RSP_BITS = 0x30
"""Bits of an answer's C that tell about alarms and overflow (ACD, DFC), not what it is."""

SELECTED = 253
PRIMARY_LIMIT = 250

SELECT, ERROR, LONG_HEADER, SHORT_HEADER, NO_HEADER = 0x52, 0x70, 0x72, 0x7A, 0x78
"""Control information: a selection; an answer that reports an error, or begins with 12, 4 or 0 bytes of header."""

HEADERS = {LONG_HEADER: 12, SHORT_HEADER: 4, NO_HEADER: 0}
"""Bytes between CI and the first record."""

ANY = "F" * 16
"""The secondary address that every meter has: for a line with one meter only."""


class Frame(NamedTuple):
    """A long or short frame. `data`: from CI on, empty in a short one."""

    control: int
    address: int
    data: bytes


ACKNOWLEDGED = bytes((ACK,))


def short(control: int, address: int) -> bytes:
    """The bytes of a short frame."""
    return bytes((START_SHORT, control, address, (control + address) & 0xFF, END))


def long(control: int, address: int, data: bytes) -> bytes:
    """The bytes of a long frame; `data` begins with CI and has at most 253 bytes."""
    body = bytes((control, address)) + data
    return bytes((START_LONG, len(body), len(body), START_LONG)) + body + bytes((sum(body) & 0xFF, END))


def reset(address: int) -> bytes:
    """SND_NKE: the link begins anew; to 253, whoever was selected is so no more."""
    return short(SND_NKE, address)


def request(address: int, fcb: bool) -> bytes:
    """REQ_UD2: asks for the meter's data."""
    return short(REQ_UD2 | (FCB if fcb else 0), address)


def select(address: str) -> bytes:
    """Selects the meters whose secondary address fits. Raises `ValueError` if it is none."""
    return long(SND_UD | FCB, SELECTED, bytes((SELECT,)) + secondary_bytes(address))


def secondary(address: str) -> str:
    """The 16 digits of a secondary address: identification as printed, then maker, version and medium as on the wire.

    Eight digits are the identification alone. Raises `ValueError`.
    """
    text = address.upper()
    if len(text) == 8:
        text += "F" * 8
    if len(text) != 16 or not all(digit.isdecimal() or digit == "F" for digit in text[:8]):
        raise ValueError(f"{address!r:.40} is no secondary address: 8 digits, or 16 with maker, version and medium")
    bytes.fromhex(text)
    return text


def secondary_bytes(address: str) -> bytes:
    """A secondary address as on the wire: identification lowest byte first. Raises `ValueError`."""
    text = secondary(address)
    return bytes.fromhex(text[:8])[::-1] + bytes.fromhex(text[8:])


def identity(frame: Frame) -> str | None:
    """The secondary address (16 digits) that an answer names; None if it names none."""
    if frame.data[:1] != bytes((LONG_HEADER,)) or len(frame.data) < 1 + HEADERS[LONG_HEADER]:
        return None
    return (frame.data[4:0:-1] + frame.data[5:9]).hex().upper()


def fits(mask: str, found: str) -> bool:
    """Whether a secondary address is one of those that `mask` means; F in the mask fits anything."""
    return all(wanted in ("F", digit) for wanted, digit in zip(mask, found, strict=True))


def cut(held: bytes, at: int) -> int | None:
    """`drivers.meters.framing.Cut` of this protocol."""
    if held[at] == ACK:
        return 1
    if held[at] == START_SHORT:
        return _cut_short(held, at)
    if len(held) < at + 4:
        return None if held[at + 2 : at + 3] in (b"", held[at + 1 : at + 2]) else 0
    size = held[at + 1]
    if size != held[at + 2] or held[at + 3] != START_LONG or size < HEAD:
        return 0
    end = at + OVERHEAD + size
    if len(held) < end:
        return None
    if held[end - 1] != END or held[end - 2] != sum(held[at + 4 : end - 2]) & 0xFF:
        raise FrameError("an M-Bus frame with a wrong sum or end", held[at:end])
    return OVERHEAD + size


def _cut_short(held: bytes, at: int) -> int | None:
    if len(held) < at + 5:
        return None
    sound = held[at + 4] == END and held[at + 3] == (held[at + 1] + held[at + 2]) & 0xFF
    return 5 if sound else 0


def frames() -> Frames:
    """A finder of these frames."""
    return Frames(cut, bytes((START_LONG, START_SHORT, ACK)))


def parse(raw: bytes) -> Frame:
    """One whole long or short frame. Raises `FrameError`."""
    if len(raw) < 5 or raw[0] == ACK or cut(raw, 0) != len(raw):
        raise FrameError("no M-Bus frame", raw)
    if raw[0] == START_SHORT:
        return Frame(raw[1], raw[2], b"")
    return Frame(raw[4], raw[5], raw[6:-2])

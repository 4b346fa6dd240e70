"""DL/T 645-2007 and -1997: frames and what is in them. Pure.

`[FE …] 68 A0…A5 68 C L DATA CS 16`: address of 12 digits, lowest byte first; every byte of DATA plus 33; CS: sum from
the first 68 on, modulo 256. C: highest bit set in answers, then error, then more frames to come.
Source: DL/T 645-2007, sections 5.2 (frame), 6 and 7 (codes), annex B and C; DL/T 645-1997, sections 5 and 6.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

from contract.texts import Text
from drivers.errors import FrameError
from drivers.meters import bcd
from drivers.meters.framing import Frames

Version = Literal[1997, 2007]

START, END, WAKE = 0x68, 0x16, 0xFE
OFFSET = 0x33
DATA_LIMIT = 200
"""Bytes of data in one frame (DL/T 645-2007, section 5.2.5)."""

OVERHEAD = 12
"""Bytes of a frame without data."""

ANSWER, ERROR, MORE = 0x80, 0x40, 0x20

READ_ADDRESS, BROADCAST_TIME, CONTROL, WRITE_2007 = 0x13, 0x08, 0x1C, 0x14
READ: dict[Version, int] = {2007: 0x11, 1997: 0x01}
FOLLOW: dict[Version, int] = {2007: 0x12, 1997: 0x02}
WRITE: dict[Version, int] = {2007: WRITE_2007, 1997: 0x04}
ITEM_SIZE: dict[Version, int] = {2007: 4, 1997: 2}

ANYBODY = "A" * 12
"""The address to which every meter answers: for a line with one meter only."""

EVERYBODY = "9" * 12
"""The address that every meter obeys and none answers."""

_PLUS = bytes((byte + OFFSET) & 0xFF for byte in range(256))
_MINUS = bytes((byte - OFFSET) & 0xFF for byte in range(256))

OTHER_ERROR = Text("其他错误", "another error")
ERRORS: dict[Version, dict[int, Text]] = {
    2007: {
        0: OTHER_ERROR,
        1: Text("无请求数据", "it does not have this item"),
        2: Text("密码错或未授权", "wrong password or not authorised"),
        3: Text("通信速率不能更改", "the baud rate cannot be changed"),
        4: Text("年时区数超", "too many seasons in a year"),
        5: Text("日时段数超", "too many periods in a day"),
        6: Text("费率数超", "too many tariffs"),
    },
    1997: {
        0: Text("非法数据", "unlawful data"),
        1: Text("数据标识错", "it does not have this item"),
        2: Text("密码错", "wrong password"),
        4: Text("年时区数超", "too many seasons in a year"),
        5: Text("日时段数超", "too many periods in a day"),
        6: Text("费率数超", "too many tariffs"),
    },
}
"""What the bits of an error answer say (DL/T 645-2007, annex C.4; -1997, section 6)."""


class Frame(NamedTuple):
    """A frame. `address`: 12 digits as printed on the meter (or AA…, 99…); `data`: without the offset."""

    address: str
    control: int
    data: bytes


def address_bytes(address: str) -> bytes:
    """An address as on the wire: lowest byte first, zeros in front of a short one. Raises `ValueError`."""
    if address in (ANYBODY, EVERYBODY):
        return bytes.fromhex(address)
    return bcd.from_digits(address, 6)


def frame(address: str, control: int, data: bytes = b"", wake: int = 4) -> bytes:
    """The bytes of a frame, after `wake` wake-up bytes."""
    body = bytes((START,)) + address_bytes(address) + bytes((START, control, len(data))) + data.translate(_PLUS)
    return bytes((WAKE,)) * wake + body + bytes((sum(body) & 0xFF, END))


def cut(held: bytes, at: int) -> int | None:
    """`drivers.meters.framing.Cut` of this protocol."""
    if len(held) < at + 10:
        return 0 if len(held) > at + 7 and held[at + 7] != START else None
    size = held[at + 9]
    if held[at + 7] != START or size > DATA_LIMIT:
        return 0
    if len(held) < at + OVERHEAD + size:
        return None
    body = held[at : at + 10 + size]
    if held[at + 11 + size] != END or held[at + 10 + size] != sum(body) & 0xFF:
        raise FrameError("a DL/T 645 frame with a wrong sum or end", held[at : at + OVERHEAD + size])
    return OVERHEAD + size


def frames() -> Frames:
    """A finder of these frames."""
    return Frames(cut)


def parse(raw: bytes) -> Frame:
    """One whole frame without wake-up bytes. Raises `FrameError`."""
    if raw[:1] != bytes((START,)) or cut(raw, 0) != len(raw):
        raise FrameError("no DL/T 645 frame", raw)
    return Frame(raw[6:0:-1].hex().upper(), raw[8], raw[10:-2].translate(_MINUS))


# --- What the master asks


def item_bytes(item: int, version: Version) -> bytes:
    """A data identifier, lowest byte first."""
    return item.to_bytes(ITEM_SIZE[version], "little")


def read(address: str, item: int, version: Version, wake: int = 4) -> bytes:
    """Asks for an item."""
    return frame(address, READ[version], item_bytes(item, version), wake)


def read_on(address: str, item: int, number: int, wake: int = 4) -> bytes:
    """Asks for frame `number` (1, 2, …) of an item's answer (2007)."""
    return frame(address, FOLLOW[2007], item_bytes(item, 2007) + bytes((number,)), wake)


def read_address(wake: int = 4) -> bytes:
    """Asks the only meter on the line for its address (2007)."""
    return frame(ANYBODY, READ_ADDRESS, b"", wake)


def broadcast_time(local: datetime, wake: int = 4) -> bytes:
    """Tells every meter the time; nobody answers. Meters take a correction of at most five minutes, once a day."""
    return frame(EVERYBODY, BROADCAST_TIME, bcd.from_digits(bcd.from_moment(local, "YYMMDDhhmmss"), 6), wake)


class Rights(NamedTuple):
    """What a write needs: the password's level and its six digits, and the operator's eight."""

    level: int
    password: str
    operator: str = "00000000"

    def encoded(self) -> bytes:
        """As on the wire: PA P0 P1 P2 C0 C1 C2 C3."""
        return bytes((self.level,)) + bcd.from_digits(self.password, 3) + bcd.from_digits(self.operator, 4)


def write(address: str, item: int, data: bytes, rights: Rights, wake: int = 4) -> bytes:
    """Sets an item (2007). `data`: lowest byte first."""
    return frame(address, WRITE[2007], item_bytes(item, 2007) + rights.encoded() + data, wake)


def control(address: str, kind: int, until: datetime, rights: Rights, wake: int = 4) -> bytes:
    """Trips or closes the meter's switch (2007). `kind`: 1A trip, 1B allow to close, 1C close; void after `until`."""
    void = bcd.from_digits(bcd.from_moment(until, "YYMMDDhhmmss"), 6)
    return frame(address, CONTROL, rights.encoded() + bytes((kind, 0)) + void, wake)


# --- What a meter answers


def error_text(data: bytes, version: Version) -> Text:
    """What an error answer says, in words."""
    if len(data) != 1:
        return OTHER_ERROR
    said = [text for bit, text in ERRORS[version].items() if data[0] >> bit & 1] or [OTHER_ERROR]
    return Text("、".join(text.zh for text in said), ", ".join(text.en for text in said))

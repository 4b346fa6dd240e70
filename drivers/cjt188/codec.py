"""CJ/T 188-2004 and -2018 (water, heat, gas meters): frames and what is in them. Pure.

`[FE …] 68 T A0…A6 C L DI0 DI1 SER DATA CS 16`: T kind of meter; address of 14 digits, lowest byte first, the last four
the maker's; no offset; CS: sum from 68 on, modulo 256. SER counts requests and comes back in the answer. Which byte of
an identifier comes first, makers disagree about: the profile says it.
Source: CJ/T 188-2004, sections 5 and 6, annex A (units), tables 7 to 13; EN 1434-3:1997, table of unit codes.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from contract.texts import Text
from drivers.errors import FrameError
from drivers.meters import bcd
from drivers.meters.framing import Frames

Order = Literal["low-first", "high-first"]
"""`low-first`: 901F goes out as 1F 90."""

START, END, WAKE = 0x68, 0x16, 0xFE
OVERHEAD = 13
"""Bytes of a frame without data."""

DATA_LIMIT = 0x64
"""Bytes of data in one frame (CJ/T 188-2004, section 5.2: up to 64H when read)."""

ANSWER, ERROR = 0x80, 0x40
READ, READ_ADDRESS, WRITE = 0x01, 0x03, 0x04

ADDRESS_ITEM, VALVE_ITEM = 0x810A, 0xA017
VALVE_OPEN, VALVE_CLOSE = 0x55, 0x99

ANYBODY = "A" * 14
"""The address to which every meter answers: for a line with one meter only."""

REFUSED = Text("表计拒绝了请求", "the meter refuses")


class Frame(NamedTuple):
    """A frame. `address`: 14 digits as printed on the meter (or AA…); `data`: identifier and SER included."""

    kind: int
    address: str
    control: int
    data: bytes


def address_bytes(address: str) -> bytes:
    """An address as on the wire: lowest byte first, zeros in front of a short one. Raises `ValueError`."""
    return bytes.fromhex(address) if address == ANYBODY else bcd.from_digits(address, 7)


def item_bytes(item: int, order: Order) -> bytes:
    """A data identifier in the order of bytes that the meter wants."""
    return item.to_bytes(2, "little" if order == "low-first" else "big")


class Manner(NamedTuple):
    """How a maker's meters are spoken to: their kind, the order of an item's bytes, wake-up bytes before a frame."""

    kind: int
    order: Order = "low-first"
    wake: int = 4


def frame(kind: int, address: str, control: int, data: bytes, wake: int = 4) -> bytes:
    """The bytes of a frame, after `wake` wake-up bytes."""
    body = bytes((START, kind)) + address_bytes(address) + bytes((control, len(data))) + data
    return bytes((WAKE,)) * wake + body + bytes((sum(body) & 0xFF, END))


def cut(held: bytes, at: int) -> int | None:
    """`drivers.meters.framing.Cut` of this protocol."""
    if len(held) < at + 11:
        return None
    size = held[at + 10]
    if size > DATA_LIMIT:
        return 0
    if len(held) < at + OVERHEAD + size:
        return None
    if held[at + 12 + size] != END or held[at + 11 + size] != sum(held[at : at + 11 + size]) & 0xFF:
        raise FrameError("a CJ/T 188 frame with a wrong sum or end", held[at : at + OVERHEAD + size])
    return OVERHEAD + size


def frames() -> Frames:
    """A finder of these frames."""
    return Frames(cut)


def parse(raw: bytes) -> Frame:
    """One whole frame without wake-up bytes. Raises `FrameError`."""
    if raw[:1] != bytes((START,)) or cut(raw, 0) != len(raw):
        raise FrameError("no CJ/T 188 frame", raw)
    return Frame(raw[1], raw[8:1:-1].hex().upper(), raw[9], raw[11:-2])


def read(manner: Manner, address: str, item: int, serial: int) -> bytes:
    """Asks for an item. `serial`: 0 to 255, comes back in the answer."""
    data = item_bytes(item, manner.order) + bytes((serial,))
    return frame(manner.kind, address, READ, data, manner.wake)


def read_address(manner: Manner, serial: int) -> bytes:
    """Asks the only meter on the line for its address."""
    data = item_bytes(ADDRESS_ITEM, manner.order) + bytes((serial,))
    return frame(manner.kind, ANYBODY, READ_ADDRESS, data, manner.wake)


def write(manner: Manner, address: str, item: int, serial: int, data: bytes) -> bytes:
    """Sets an item; A017 with 55 opens the valve, with 99 closes it."""
    head = item_bytes(item, manner.order) + bytes((serial,))
    return frame(manner.kind, address, WRITE, head + data, manner.wake)

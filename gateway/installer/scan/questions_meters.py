"""Searching for meters: wildcards of DL/T 645 and CJ/T 188, and who answers them. Pure.

With several meters on a line a wildcard is answered by all at once; DL/T 645 then lets the low digits be named and the
rest be anything (shortened addressing).
Source: DL/T 645-2007, sections 5.2.1 (wildcards), 5.3 (a meter answers within 500 ms), 7.2 (read address); DL/T
645-1997, section 5; CJ/T 188-2004, section 6.
"""

from __future__ import annotations

from typing import Literal

from contract.texts import Text
from drivers.cjt188 import codec as cjt188
from drivers.dlt645 import codec as dlt645
from drivers.errors import FrameError
from gateway.installer.scan.questions import Ask, Hit

THINKS_S = 0.55
"""How long a meter may think, with what an adapter adds."""

ENERGY_1997, ENERGY_2007, FLOW = 0x9010, 0x00010000, 0x901F
DIGITS = 12
DEEPEST = 4
"""Low digits that are named at most."""

ANY_KIND = 0xAA


def dlt645_asks(_: list[int]) -> list[Ask]:
    """The questions that any DL/T 645 meter of either version answers."""
    return [
        Ask("dlt645", "", dlt645.read_address(), dlt645_hits, THINKS_S, lambda: shortened("")),
        Ask("dlt645", "", dlt645.read(dlt645.ANYBODY, ENERGY_2007, 2007), dlt645_hits, THINKS_S, lambda: shortened("")),
        Ask("dlt645", "", dlt645.read(dlt645.ANYBODY, ENERGY_1997, 1997), dlt645_hits, THINKS_S),
    ]


def shortened(low: str) -> list[Ask]:
    """A hundred questions that name two more digits than `low`; [] where enough are named."""
    if len(low) >= DEEPEST:
        return []
    return [_shortened(f"{pair:02d}{low}") for pair in range(100)]


def _shortened(low: str) -> Ask:
    named = bytes.fromhex(low)[::-1]
    address = named + b"\xaa" * (DIGITS // 2 - len(named))
    item = dlt645.item_bytes(ENERGY_2007, 2007)
    body = bytes((dlt645.START,)) + address + bytes((dlt645.START, dlt645.READ[2007], len(item)))
    body += bytes((byte + dlt645.OFFSET) & 0xFF for byte in item)
    frame = bytes((dlt645.WAKE,)) * 4 + body + bytes((sum(body) & 0xFF, dlt645.END))
    return Ask("dlt645", "", frame, dlt645_hits, THINKS_S, lambda: shortened(low), low)


def dlt645_hits(data: bytes) -> list[Hit]:
    """Meters whose sound answers are in the bytes."""
    found = []
    for raw in _sound(dlt645.frames(), data):
        frame = dlt645.parse(raw)
        function = frame.control & 0x1F
        if not frame.control & dlt645.ANSWER or not frame.address.isdecimal():
            continue
        version: Literal[1997, 2007] = 1997 if function == dlt645.READ[1997] else 2007
        says = Text(f"DL/T 645-{version} 电表", f"DL/T 645-{version} meter")
        found.append(Hit("dlt645", frame.address, says, raw, {"version": version}))
    return found


def cjt188_asks(_: list[int]) -> list[Ask]:
    """The questions that any CJ/T 188 meter answers: each kind of meter, the bytes of an item both ways round."""
    asks = []
    orders: tuple[cjt188.Order, ...] = ("low-first", "high-first")
    for order in orders:
        for kind in (ANY_KIND, *KINDS):
            asks.append(_cjt188(cjt188.read_address(cjt188.Manner(kind, order), 0)))
        # Some meters do not tell their address; its answer tells who it is.
        asks.append(_cjt188(cjt188.read(cjt188.Manner(0x10, order), cjt188.ANYBODY, FLOW, 0)))
    return asks


def _cjt188(frame: bytes) -> Ask:
    return Ask("cjt188", "", frame, cjt188_hits, THINKS_S)


def cjt188_hits(data: bytes) -> list[Hit]:
    """Meters whose sound answers are in the bytes."""
    found = []
    for raw in _sound(cjt188.frames(), data):
        frame = cjt188.parse(raw)
        if not frame.control & cjt188.ANSWER or not frame.address.isdecimal():
            continue
        order = "high-first" if frame.data[:2] in {b"\x90\x1f", b"\x81\x0a"} else "low-first"
        kind = KINDS.get(frame.kind & 0xF0, Text("仪表", "meter"))
        says = Text(f"CJ/T 188 {kind.zh}（类型 {frame.kind:02X}）", f"CJ/T 188 {kind.en} (kind {frame.kind:02X})")
        found.append(Hit("cjt188", frame.address, says, raw, {"type_code": frame.kind, "di_order": order}))
    return found


KINDS = {
    0x10: Text("水表", "water meter"),
    0x20: Text("热量表", "heat meter"),
    0x30: Text("燃气表", "gas meter"),
    0x40: Text("电表", "electricity meter"),
}
"""The first digit of a meter's kind (CJ/T 188-2004, table 2)."""


def _sound(frames: object, data: bytes) -> list[bytes]:
    try:
        return [*frames.feed(data), *frames.quiet()]  # type: ignore[attr-defined]
    except FrameError:
        return []

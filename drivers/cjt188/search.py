"""Searching for CJ/T 188 meters: the address of everybody, for each kind of meter, and who answers it. Pure.

Source: CJ/T 188-2004, section 6.
"""

from __future__ import annotations

from contract.texts import Text
from drivers.cjt188 import codec as cjt188
from drivers.meters.search import SERIAL, TCP, THINKS_S, sound, suits, usual
from drivers.searching import Ask, Hit, Search

FLOW = 0x901F
ANY_KIND = 0xAA


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
    for raw in sound(cjt188.frames(), data):
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


SEARCH = Search(
    title=Text("CJ/T 188 水气热表", "CJ/T 188 meters"),
    asks=cjt188_asks,
    usual=usual,
    serial=SERIAL,
    tcp=TCP,
    suits=lambda hit, profile: suits(hit.traits, profile),
)

"""Searching for OSDP readers: who they are, asked in the clear. Pure.

A reader that wants a secure channel refuses, and is found by that.
Source: SIA OSDP 2.2 (IEC 60839-11-5), sections 5.9, 6.2 (ID), 7.4 (PDID).
"""

from __future__ import annotations

from collections.abc import Callable

from contract.texts import Text
from drivers.osdp import codec
from drivers.searching import Ask, Hit, Search, by_unit

THINKS_S = 0.2
"""A reader answers within 200 ms (section 5.7)."""

QUICK_S = 0.06
"""How long each address is waited for where somebody is known to be there."""

FIRST = range(8)
"""Addresses that are asked one by one besides the address of everybody."""


def osdp_asks(units: list[int]) -> list[Ask]:
    """Everybody first, then each address: those that were named if they are few."""
    named = [unit for unit in units if unit < codec.EVERYBODY]
    addresses = named if len(named) <= 16 else list(FIRST)
    return [_ask(codec.EVERYBODY, "", THINKS_S, one_by_one), *(_ask(at, str(at), THINKS_S) for at in addresses)]


def one_by_one() -> list[Ask]:
    """Somebody is there: every address."""
    return [_ask(address, str(address), QUICK_S) for address in range(codec.EVERYBODY)]


def _ask(address: int, name: str, thinks_s: float, narrower: Callable[[], list[Ask]] | None = None) -> Ask:
    frame = codec.write(codec.Frame(address=address, reply=False, sequence=0, code=codec.ID, data=b"\0"))
    return Ask("osdp", name, bytes((codec.MARK,)) + frame, osdp_hits, thinks_s, narrower)


def osdp_hits(data: bytes) -> list[Hit]:
    """Readers whose sound replies are in the bytes."""
    found = []
    for frame in codec.Frames().feed(data, 0.0):
        # A reply from the address of everybody does not say whose it is.
        if isinstance(frame, codec.Frame) and frame.reply and frame.address != codec.EVERYBODY:
            found.append(Hit("osdp", str(frame.address), _says(frame), frame.raw, {"reader": True}))
    return found


def _says(frame: codec.Frame) -> Text:
    if frame.code == codec.PDID and len(frame.data) >= 12 and not frame.encrypted:
        vendor, model, version = frame.data[:3].hex().upper(), frame.data[3], frame.data[4]
        serial = int.from_bytes(frame.data[5:9], "little")
        return Text(
            f"OSDP 读头（厂商 {vendor}，型号 {model}.{version}，序列号 {serial:08X}）",
            f"OSDP reader (vendor {vendor}, model {model}.{version}, serial {serial:08X})",
        )
    if frame.code == codec.NAK:
        return Text("OSDP 读头（要求安全通道）", "OSDP reader (wants a secure channel)")
    return Text("OSDP 读头", "OSDP reader")


SEARCH = Search(
    title=Text("OSDP 读头", "OSDP readers"),
    asks=osdp_asks,
    usual=lambda setting: setting.parity == "N" and setting.baud >= 9600,
    serial="osdp-serial",
    tcp="osdp-tcp",
    addressed=by_unit,
)

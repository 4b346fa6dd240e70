"""Searching for DL/T 698.45 meters: the address that every meter has, and who answers it. Pure.

Source: DL/T 698.45-2017, sections 5 (link) and 6.3 (services).
"""

from __future__ import annotations

from contract.texts import Text
from drivers.dlt698 import codec as dlt698
from drivers.errors import FrameError
from drivers.meters.search import SERIAL, TCP, THINKS_S, usual
from drivers.searching import Ask, Hit, Search


def dlt698_asks(_: list[int]) -> list[Ask]:
    """Asks whoever is there for its address."""
    asked = dlt698.frame(dlt698.ANYBODY, dlt698.REQUEST, dlt698.read([dlt698.ADDRESS_OAD], 0))
    return [Ask("dlt698", "", asked, dlt698_hits, THINKS_S)]


def dlt698_hits(data: bytes) -> list[Hit]:
    """Meters whose sound answers are in the bytes; one that refuses (it wants security) is there, too."""
    frames = dlt698.frames()
    found = []
    for raw in [*frames.feed(data), *frames.quiet()]:
        try:
            frame = dlt698.parse(raw)
        except FrameError:
            continue
        if frame.control & dlt698.FROM_METER and frame.address.isdecimal():
            found.append(Hit("dlt698", frame.address, Text("DL/T 698.45 电表", "DL/T 698.45 meter"), raw))
    return found


SEARCH = Search(
    title=Text("DL/T 698.45 电表", "DL/T 698.45 meters"), asks=dlt698_asks, usual=usual, serial=SERIAL, tcp=TCP
)

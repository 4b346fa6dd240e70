"""Searching for DL/T 645 meters: the address of everybody, and who answers it. Pure.

With several meters on a line a wildcard is answered by all at once; then the low digits are named and the rest may be
anything (shortened addressing).
Source: DL/T 645-2007, sections 5.2.1 (wildcards), 5.3 (a meter answers within 500 ms), 7.2 (read address); DL/T
645-1997, section 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from contract.texts import Text
from drivers.dlt645 import codec as dlt645
from drivers.dlt645.wires import DIGITS
from drivers.meters.search import SERIAL, TCP, THINKS_S, sound, suits, usual
from drivers.profiles.profile import Profile
from drivers.searching import Apart, Ask, Hit, Search

ENERGY_1997, ENERGY_2007 = 0x9010, 0x00010000
VOLTAGE_L2 = 0x02010200
"""Annex A: voltage of phase B."""

DEEPEST = 4
"""Low digits that are named at most."""


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
    for raw in sound(dlt645.frames(), data):
        frame = dlt645.parse(raw)
        function = frame.control & 0x1F
        if not frame.control & dlt645.ANSWER or not frame.address.isdecimal():
            continue
        version: Literal[1997, 2007] = 1997 if function == dlt645.READ[1997] else 2007
        says = Text(f"DL/T 645-{version} 电表", f"DL/T 645-{version} meter")
        found.append(Hit("dlt645", frame.address, says, raw, {"version": version}))
    return found


def _apart(hit: Hit, products: Sequence[Profile]) -> Apart | None:
    """Whether a meter has a second phase: one that has none refuses its voltage."""
    if len(products) < 2:
        return None
    several = [profile for profile in products if "voltage_l2" in profile.points]
    single = [profile for profile in products if "voltage_l2" not in profile.points]

    def choose(data: bytes) -> list[Profile] | None:
        for raw in dlt645.frames().feed(data):
            answer = dlt645.parse(raw)
            if answer.control & dlt645.ANSWER and answer.address == hit.address:
                return single if answer.control & dlt645.ERROR else several
        return None

    return Apart(dlt645.read(hit.address, VOLTAGE_L2, 2007), THINKS_S, 20, choose, single)


SEARCH = Search(
    title=Text("DL/T 645 电表", "DL/T 645 meters"),
    asks=dlt645_asks,
    usual=usual,
    serial=SERIAL,
    tcp=TCP,
    suits=lambda hit, profile: suits(hit.traits, profile),
    apart=_apart,
)

"""Searching for M-Bus meters: by primary address, and digit by digit where several answer at once. Pure.

Every meter answers address 254. Where several do, each primary address is asked; where several share one (all that
come new from the factory have 0), they are selected by the digits of their identification, one more at a time.
Each question begins with what only an E5 answers (SND_NKE, a selection), so that silent addresses cost little.
Source: EN 13757-2:2018, section 5 (a meter answers within 330 bits and 50 ms); EN 13757-3:2013, section 11.
"""

from __future__ import annotations

from contract.texts import Text
from drivers.errors import FrameError
from drivers.mbus import codec as mbus
from drivers.meters.search import SERIAL, TCP
from drivers.searching import Ask, Hit, Search, by_address, by_unit

THINKS_S = 0.2
"""How long a meter may think at 2400 baud, with what an adapter adds."""

EVERYBODY = 254
FIRST = range(6)
"""Addresses that are asked one by one besides the address of everybody."""

DEEPEST = 8
"""Digits of an identification."""

FEW = 16

MEDIA = {
    "02": ("electricity_meter", Text("电表", "electricity meter")),
    "03": ("gas_meter", Text("燃气表", "gas meter")),
    "04": ("heat_meter", Text("热量表", "heat meter")),
    "06": ("water_meter", Text("热水表", "warm water meter")),
    "07": ("water_meter", Text("水表", "water meter")),
    "0C": ("heat_meter", Text("热量表", "heat meter")),
    "0D": ("heat_meter", Text("冷热量表", "heat and cooling meter")),
    "15": ("water_meter", Text("热水表", "hot water meter")),
    "16": ("water_meter", Text("冷水表", "cold water meter")),
}
"""Kind of device by the last two digits of a secondary address (EN 13757-3:2013, table 8)."""


def mbus_asks(units: list[int]) -> list[Ask]:
    """Everybody first, then each address: those that were named if they are few."""
    named = [unit for unit in units if unit <= mbus.PRIMARY_LIMIT]
    everybody = _primary(EVERYBODY)._replace(narrower=one_by_one, named="")
    return [everybody, *map(_primary, named if len(named) <= FEW else FIRST)]


def one_by_one() -> list[Ask]:
    """Several are there: every primary address."""
    return [_primary(address) for address in range(mbus.PRIMARY_LIMIT + 1)]


def selected(digits: str) -> list[Ask]:
    """Ten questions that name one more digit of the identification; [] where all are named."""
    return [_selected(f"{digits}{digit}") for digit in range(10)] if len(digits) < DEEPEST else []


def _primary(address: int) -> Ask:
    # No address: several may have this one, and then they are asked apart.
    ask = mbus.request(address, fcb=True)
    # All who share an address are found by one search digit by digit.
    return Ask("mbus", "", ask, mbus_hits, THINKS_S, lambda: selected(""), "shared", mbus.reset(address))


def _selected(digits: str) -> Ask:
    ask = mbus.request(mbus.SELECTED, fcb=True)
    before = mbus.select(digits.ljust(len(mbus.ANY), "F"))
    return Ask("mbus", "", ask, selected_hits, THINKS_S, lambda: selected(digits), digits, before)


def mbus_hits(data: bytes) -> list[Hit]:
    """Meters with a primary address whose sound answers are in the bytes."""
    return [
        Hit("mbus", str(frame.address), _says(frame), raw, _traits(frame))
        for raw, frame in _answers(data)
        if frame.address <= mbus.PRIMARY_LIMIT
    ]


def selected_hits(data: bytes) -> list[Hit]:
    """Meters that were selected, by their secondary address."""
    found = []
    for raw, frame in _answers(data):
        identity = mbus.identity(frame)
        if identity is not None and identity[:DEEPEST].isdecimal():
            found.append(Hit("mbus", identity, _says(frame), raw, _traits(frame)))
    return found


def _answers(data: bytes) -> list[tuple[bytes, mbus.Frame]]:
    frames = mbus.frames()
    found = []
    for raw in [*frames.feed(data), *frames.quiet()]:
        try:
            frame = mbus.parse(raw)
        except FrameError:
            continue  # an acknowledgement
        if frame.data and frame.control & ~mbus.RSP_BITS == mbus.RSP_UD:
            found.append((raw, frame))
    return found


def _says(frame: mbus.Frame) -> Text:
    identity = mbus.identity(frame)
    if identity is None:
        return Text("M-Bus 仪表", "M-Bus meter")
    _, medium = MEDIA.get(identity[14:], ("", Text("仪表", "meter")))
    number, maker = identity[:8], maker_of(identity)
    return Text(f"M-Bus {medium.zh}（厂商 {maker}，表号 {number}）", f"M-Bus {medium.en} ({maker}, number {number})")


def maker_of(identity: str) -> str:
    """The three letters of the maker in a secondary address (EN 13757-3:2013, section 5.6)."""
    code = int.from_bytes(bytes.fromhex(identity[8:12]), "little")
    return "".join(chr(64 + (code >> shift & 0x1F)) for shift in (10, 5, 0))


def _traits(frame: mbus.Frame) -> dict[str, object]:
    identity = mbus.identity(frame)
    if identity is None:
        return {}
    known = MEDIA.get(identity[14:])
    return {"identity": identity} if known is None else {"identity": identity, "kind": known[0]}


PRIMARY_DIGITS = 3
"""Digits of a primary address at most; a secondary one has 16."""


def _addressed(hit: Hit) -> dict[str, object]:
    return by_unit(hit) if len(hit.address) <= PRIMARY_DIGITS else by_address(hit)


def _distinct(hits: list[Hit]) -> list[Hit]:
    """One that was selected needs no primary address, which others may share."""
    chosen = {hit.address for hit in hits if hit.protocol == "mbus" and len(hit.address) > PRIMARY_DIGITS}
    return [hit for hit in hits if hit.address in chosen or hit.traits.get("identity") not in chosen]


SEARCH = Search(
    title=Text("M-Bus 仪表", "M-Bus meters"),
    asks=mbus_asks,
    usual=lambda setting: setting.parity == "E" and setting.baud <= 9600,
    serial=SERIAL,
    tcp=TCP,
    addressed=_addressed,
    distinct=_distinct,
    suits=lambda hit, profile: hit.traits.get("kind", profile.kind) == profile.kind,
)

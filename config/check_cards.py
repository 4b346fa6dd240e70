"""How readers write their cards: whether each declared form can be, and whether the readers of a door agree.

One card has one value (`contract.cards`) only where readers give the same bytes of it. A reader that gives 3 bytes
(26 bits) and one that gives 4 (34 bits) never do: whoever was let in could not go out again. At one door that is a
mistake; between doors of a zone it may be meant (a tag for the garage, a card for the stairs) and is a remark.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

from config.document import Place
from config.draft import Draft
from contract.texts import Text
from drivers.profiles.cardforms import fault_of, sizes_of
from drivers.profiles.words import CardFormat
from drivers.protocols import PROTOCOLS


class _Reader(NamedTuple):
    place: Place
    id: str
    sizes: frozenset[int]

    def say(self) -> str:
        return "/".join(str(size) for size in sorted(self.sizes))


def check_cards(draft: Draft) -> None:
    """Adds every mistake, and every remark."""
    for id_, device in draft.devices.items():
        profile = draft.profile_of(id_)
        if device.card is None or profile is None:
            continue
        place: Place = ("devices", id_, "card")
        way = PROTOCOLS[profile.protocol].wires.cards
        wrong = fault_of(device.card, way)
        if way is None:
            draft.wrong(place, Text("只有读头才有卡号写法", "only readers tell cards, this is none"), device.profile)
        elif wrong is not None:
            draft.wrong(place, wrong, device.card.format)
    for id_ in draft.doors:
        _door(draft, id_)
    for id_ in draft.zones:
        _zone(draft, id_)


def _door(draft: Draft, door: str) -> None:
    for one, other in combinations(_readers(draft, door), 2):
        if not one.sizes & other.sizes:
            draft.wrong(other.place, _differ(one, other), other.id)


def _zone(draft: Draft, zone: str) -> None:
    """One remark for a zone, at the first pair: the rest follows from it."""
    doors = [id_ for id_, door in draft.doors.items() if zone in door.zones]
    for first, second in combinations(doors, 2):
        for one in _readers(draft, first):
            for other in _readers(draft, second):
                if not one.sizes & other.sizes:
                    differ = _differ(one, other)
                    words = Text(
                        f"区域 {zone} 的读头卡号长度不一致：{differ.zh}",
                        f"readers of the zone {zone} differ: {differ.en}",
                    )
                    draft.remark(other.place, words, other.id)
                    return


def _differ(one: _Reader, other: _Reader) -> Text:
    return Text(
        f"{one.id} 给出 {one.say()} 字节卡号，{other.id} 给出 {other.say()} 字节，同一张卡不能通用；"
        "请统一写法（如 10d-26、8h-26、w34-26）或分别登记",
        f"{one.id} gives {one.say()} bytes of a card and {other.id} {other.say()}, so that no card is known to both; "
        "declare forms that agree (10d-26, 8h-26, w34-26 cut to 26 bits)",
    )


def _readers(draft: Draft, door: str) -> Iterator[_Reader]:
    part = draft.doors[door]
    for word, reader in (("reader_in", part.reader_in), ("reader_out", part.reader_out)):
        form = None if reader is None else form_of(draft, reader)
        if reader is not None and form is not None and fault_of(form) is None:
            yield _Reader(("doors", door, word), reader, sizes_of(form))


def form_of(draft: Draft, reader: str) -> CardFormat | None:
    """The form that a reader's cards have: the device's own, or its product's; None if it is no reader of cards."""
    device, profile = draft.devices.get(reader), draft.profile_of(reader)
    if device is None or profile is None or PROTOCOLS[profile.protocol].wires.cards is None:
        return None
    return device.card or profile.card

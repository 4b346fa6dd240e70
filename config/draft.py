"""A site file while it is being checked: what could be read of it, and every mistake so far.

Checks go on over what is whole: a device whose own lines are wrong is still a device that others may name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from config.document import Document, Place
from config.mistakes import Mistake, one_of
from config.shape import mended, validated
from config.site import AnyBus, Device, Door, Lane, Meter, Site, Zone
from contract.texts import Text
from drivers.profiles.profile import Point, Profile

SECTIONS: dict[str, Any] = {
    "buses": AnyBus,
    "devices": Device,
    "doors": Door,
    "lanes": Lane,
    "zones": Zone,
    "meters": Meter,
}


@dataclass(slots=True)
class Draft:
    """`ids`: every id written in a section, usable or not; the parts are those of which enough has its shape.

    `remarks`: what may be meant and is told all the same.

    `doubtful`: places where a stand-in is because what is written has not its shape.
    """

    document: Document
    ids: Mapping[str, tuple[str, ...]]
    buses: Mapping[str, AnyBus]
    devices: Mapping[str, Device]
    doors: Mapping[str, Door]
    lanes: Mapping[str, Lane]
    zones: Mapping[str, Zone]
    meters: Mapping[str, Meter]
    doubtful: frozenset[Place] = frozenset()
    profiles: dict[str, Profile] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    remarks: list[Mistake] = field(default_factory=list)

    @classmethod
    def of(cls, document: Document) -> Draft:
        """Reads every part of `document` for itself. The shapes' own mistakes are told by the whole site's model."""
        parts: dict[str, dict[str, Any]] = {}
        ids: dict[str, tuple[str, ...]] = {}
        doubtful: set[Place] = set()
        for section, kind in SECTIONS.items():
            written = document.at((section,))
            ids[section] = tuple(written) if isinstance(written, dict) else ()
            parts[section] = {}
            for id_ in ids[section]:
                part, stand_ins = mended(kind, document, (section, id_))
                doubtful |= stand_ins
                if part is not None:
                    parts[section][id_] = part
        return cls(
            document,
            ids,
            buses=parts["buses"],
            devices=parts["devices"],
            doors=parts["doors"],
            lanes=parts["lanes"],
            zones=parts["zones"],
            meters=parts["meters"],
            doubtful=frozenset(doubtful),
        )

    def profile_of(self, device: str) -> Profile | None:
        """The profile of a device, if both could be read."""
        part = self.devices.get(device)
        found = None if part is None else self.profiles.get(part.profile)
        if part is None or found is None:
            return None
        deadband = {point: change for point, change in part.deadband.items() if point in found.points}
        return found.as_installed(part.allow_commands, part.verify, deadband)

    def wrong(self, place: Place, expected: Text, found: str | None = None) -> None:
        """Adds a mistake, unless the place has one of shape already."""
        if not self.stands_in(place):
            self.mistakes.append(self.document.mistake(place, expected, found))

    def remark(self, place: Place, words: Text, found: str | None = None) -> None:
        """Adds what may be meant and should still be looked at."""
        if not self.stands_in(place):
            self.remarks.append(self.document.mistake(place, words, found))

    def stands_in(self, place: Place) -> bool:
        """Whether what stands at `place` is only a stand-in for something that has not its shape."""
        return any(place[: len(doubted)] == doubted for doubted in self.doubtful)

    def known(self, place: Place, word: str, known: Iterable[str], what: Text) -> bool:
        """Whether `word`, written at `place`, is one of `known`; adds the mistake if not."""
        choices = list(known)
        if word in choices:
            return True
        self.wrong(place, one_of(what, choices, word), word)
        return False

    def device_known(self, place: Place, device: str) -> bool:
        """Whether the device named at `place` is in the file."""
        return self.known(place, device, self.ids["devices"], Text("一个设备", "a device"))

    def flag_point(self, place: Place, device: str, point: str) -> bool:
        """Whether `device.point`, named at `place`, is a boolean point; adds the mistake if not."""
        found = self.point(place, device, point, only="flag")
        if found is not None and found.type != "flag":
            self.wrong(
                place, Text("应为开关量（是/否）", f"expected a yes-or-no point, {point} is a {found.type}"), point
            )
        return found is not None and found.type == "flag"

    def point(self, place: Place, device: str, point: str, only: str | None = None) -> Point | None:
        """The point named at `place`, or None with the mistake added; None too if its profile is not known."""
        profile = self.profile_of(device)
        if profile is None:
            return None
        fitting = [each.id for each in profile.points.values() if only is None or each.type == only]
        what = Text(f"{device} 的一个点位", f"a point of {device}")
        if point not in profile.points:
            self.wrong(place, one_of(what, fitting, point), point)
            return None
        return profile.points[point]


def site_of(document: Document, mistakes: list[Mistake]) -> Site | None:
    """The whole site, or None with every mistake of shape added."""
    found = validated(Site, document, (), mistakes)
    assert found is None or isinstance(found, Site)
    return found

"""The rhythm: who comes, how often, and that it is the same for the same seed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from config import load_site
from simulators.people import Carrier, People, people_of, read_people
from simulators.rhythm import INSIDE_LIMIT, WAIT_FROM_S, WAIT_UNTIL_S, Rhythm, Visit
from tests.simulators.stage import DEMO

PEOPLE = people_of(
    yaml.safe_load(
        """
holders: [{id: li, name: 李}, {id: wang, name: 王}, {id: zhao, name: 赵}]
credentials:
  - {id: c1, kind: card, value: 04A1B2C3D4E5F6, holder: li}
  - {id: c2, kind: card, value: 04DEADBEEF0001, holder: wang, state: revoked}
  - {id: c3, kind: plate, value: 沪A12345, holder: li}
  - {id: c4, kind: plate, value: 粤B88888, holder: wang}
  - {id: c5, kind: card, value: 04C1EA2E000001, holder: zhao}
grants:
  - {id: g1, holder: li, places: [lobby-a, block-b]}
  - {id: g2, holder: li, places: [parking]}
  - {id: g3, holder: zhao, places: [lobby-a], schedule: cleaning-hours}
blocks: [{id: b1, kind: plate, value: 粤B88888, reason: {zh: 欠费, en: unpaid}}]
"""
    )
)


def visits(count: int, people: People = PEOPLE, seed: int = 3) -> list[Visit]:
    rhythm = Rhythm(load_site(DEMO).site, people, seed)
    return [visit for _ in range(count) if (visit := rhythm.visit()) is not None]


def test_people_are_read_with_their_places() -> None:
    places = frozenset({"lobby-a", "block-b", "parking"})
    cleaner = Carrier("04C1EA2E000001", frozenset(), frozenset({"lobby-a"}))
    assert PEOPLE.cards == (Carrier("04A1B2C3D4E5F6", places), cleaner)
    assert PEOPLE.plates == (Carrier("沪A12345", places),)
    assert PEOPLE.refused_cards == ("04DEADBEEF0001",)
    assert PEOPLE.blocked_plates == ("粤B88888",)
    assert read_people(Path("nowhere.yaml")) == People()


@pytest.mark.parametrize("hour", [0.0, 3.0, 8.0, 12.5, 18.5, 23.9])
def test_a_watcher_never_waits_long(hour: float) -> None:
    rhythm = Rhythm(load_site(DEMO).site, PEOPLE, 1)
    waits = [rhythm.wait_s(hour) for _ in range(500)]
    assert min(waits) >= WAIT_FROM_S
    assert max(waits) <= WAIT_UNTIL_S


def test_mornings_are_busier_than_nights() -> None:
    rhythm = Rhythm(load_site(DEMO).site, PEOPLE, 1)
    morning, night = (sum(rhythm.wait_s(hour) for _ in range(300)) for hour in (8.0, 3.0))
    assert morning < night


def test_every_kind_of_visit_comes_and_every_place_is_one_of_the_site() -> None:
    site = load_site(DEMO).site
    seen = visits(2000)
    readers = {device for door in site.doors.values() for device in (door.reader_in, door.reader_out) if device}
    for visit in seen:
        known = {"card": readers, "plate": set(site.lanes), "exit": set(site.doors)}[visit.by]
        assert visit.place in known
    cards = [visit.value for visit in seen if visit.by == "card"]
    plates = [visit.value for visit in seen if visit.by == "plate"]
    assert "04A1B2C3D4E5F6" in cards
    assert "04DEADBEEF0001" in cards
    cleaned = sum(card == "04C1EA2E000001" for card in cards)
    assert 0 < cleaned < len(cards) / 10
    assert "沪A12345" in plates
    assert "粤B88888" in plates
    assert len(set(plates)) > 100, "visitors come"
    granted = sum(visit.value == "04A1B2C3D4E5F6" for visit in seen if visit.place in ("lobby-b-in", "garage-in"))
    refused = sum(visit.value != "04A1B2C3D4E5F6" for visit in seen if visit.place in ("lobby-b-in", "garage-in"))
    assert 0 < refused < granted / 5


def test_who_drives_out_was_inside() -> None:
    inside: list[str | None] = []
    for visit in visits(1000):
        if visit.place == "gate-in" and visit.value != "粤B88888":
            inside.append(visit.value)
        elif visit.place == "gate-out" and inside:
            assert visit.value in inside
            inside.remove(visit.value)
        assert len(inside) <= INSIDE_LIMIT


def test_the_same_seed_makes_the_same_day() -> None:
    assert visits(50) == visits(50)
    assert visits(50) != visits(50, seed=4)


def test_a_site_without_people_has_strangers_and_visitors() -> None:
    assert all(visit.value != "04A1B2C3D4E5F6" for visit in visits(200, People()))

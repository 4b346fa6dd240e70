"""The people file: what it becomes, and what can be wrong in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.mistakes import Mistake, SiteErrors
from config.people import PeopleItem, load_people
from contract.desired import Block, Credential, DayRule, Grant, Holder, Schedule, Window
from contract.texts import Text
from tests.config.sites import instead, loaded

PEOPLE = """\
schedules:
  - id: office
    name: {zh: 办公时间, en: Office hours}
    windows:
      - {days: [1, 2, 3], since: "07:00", until: "22:00"}
    days:
      - {day: 2026-10-01}
      - {day: 2026-10-10, hours: [["08:00", "12:00"]]}
holders:
  - {id: h-1, name: 周明远, unit: A-0301}
  - {id: h-2, name: 阮青, kind: visitor, valid_from: 2026-03-01, valid_to: 2026-03-31}
credentials:
  - {id: c-1, kind: card, value: "04:a1:b2:c3:d4:e5:f6", holder: h-1}
  - {id: c-2, kind: plate, value: 沪A·12345, holder: h-1, valid_to: 2026-03-31 18:00}
  - {id: c-3, kind: qr, value: SC-7F3K, holder: h-2, state: lost}
grants:
  - {id: g-1, holder: h-1, places: [lobby, block-a]}
  - {id: g-2, holder: h-2, places: [lobby], schedule: office}
blocks:
  - {id: b-1, kind: plate, value: 粤B88888, reason: {zh: 冲闸, en: broke the barrier}}
"""


def items(folder: Path, text: str = PEOPLE) -> dict[str, PeopleItem]:
    path = folder / "people.yaml"
    path.write_text(text, encoding="utf-8")
    return {item.id: item for item in load_people(path, places=loaded(folder).site)}


def broken(folder: Path, text: str) -> list[Mistake]:
    with pytest.raises(SiteErrors) as caught:
        items(folder, text)
    return caught.value.mistakes


def test_what_it_becomes(tmp_path: Path) -> None:
    found = items(tmp_path)
    assert found["h-1"] == Holder(id="h-1", name="周明远", unit="A-0301")
    assert found["h-2"] == Holder(
        id="h-2",
        name="阮青",
        kind="visitor",
        valid_from="2026-02-28T16:00:00.000Z",
        # A date counts to its end.
        valid_to="2026-03-31T16:00:00.000Z",
    )
    assert found["c-1"] == Credential(id="c-1", kind="card", value="04A1B2C3D4E5F6", holder="h-1")
    assert found["c-2"] == Credential(
        id="c-2", kind="plate", value="沪A12345", holder="h-1", valid_to="2026-03-31T10:00:00.000Z"
    )
    assert found["g-1"] == Grant(id="g-1", holder="h-1", places=["lobby", "block-a"])
    assert found["b-1"] == Block(id="b-1", kind="plate", value="粤B88888", reason=Text("冲闸", "broke the barrier"))
    assert found["office"] == Schedule(
        id="office",
        name=Text("办公时间", "Office hours"),
        windows=[Window(days=[1, 2, 3], since="07:00", until="22:00")],
        days=[DayRule(day="2026-10-01"), DayRule(day="2026-10-10", hours=[("08:00", "12:00")])],
    )


def test_each_item_follows_what_it_names(tmp_path: Path) -> None:
    order = list(items(tmp_path))
    assert order.index("office") < order.index("g-2")
    assert order.index("h-1") < order.index("c-1") < order.index("g-1")


ONE_THING: dict[str, tuple[str, str, str, str]] = {
    "a holder that is not there": (
        "value: SC-7F3K, holder: h-2",
        "value: SC-7F3K, holder: h-3",
        "credentials.2.holder",
        "a holder: h-1, h-2",
    ),
    "a schedule that is not there": (
        "schedule: office",
        "schedule: offices",
        "grants.1.schedule",
        "did you mean office",
    ),
    "a place that is not there": ("places: [lobby],", "places: [loby],", "grants.1.places.0", "did you mean lobby"),
    "a card that is too short": ("04:a1:b2:c3:d4:e5:f6", "04:a1", "credentials.0.value", "14 or 20 hex digits"),
    "a card that is no hex": ("04:a1:b2:c3:d4:e5:f6", "0G:a1:b2:c3:d4:e5:f6", "credentials.0.value", "hex digits"),
    "ten digits that may be two things": (
        "04:a1:b2:c3:d4:e5:f6",
        "0013961168",
        "credentials.0.value",
        "write form: 10d or form: hex",
    ),
    "a number that is not in its form": (
        'value: "04:a1:b2:c3:d4:e5:f6"',
        'value: "256,02000", form: 3+5',
        "credentials.0.value",
        "no card number in the form 3+5",
    ),
    "a form of something else": ("kind: qr,", "kind: qr, form: 10d,", "credentials.2.form", "only cards have a form"),
    "a card without quotes": ('"04:a1:b2:c3:d4:e5:f6"', "12345678", "credentials.0.value", "put it in quotes"),
    "a plate that says nothing": ("value: 沪A·12345", 'value: "·"', "credentials.1.value", "must not be empty"),
    "an id twice": ("id: h-2,", "id: h-1,", "holders.1.id", "stands in line 10 already"),
    "a value twice": (
        "kind: qr, value: SC-7F3K, holder: h-2, state: lost",
        'kind: card, value: "04A1B2C3D4E5F6", holder: h-2',
        "credentials.2.value",
        "stands in line 13 already",
    ),
    "a day of no calendar": (
        "valid_to: 2026-03-31}\ncredentials",
        "valid_to: 2026-02-31}\ncredentials",
        "holders.1.valid_to",
        "no such moment",
    ),
    "an end before the beginning": (
        "valid_to: 2026-03-31}\ncredentials",
        "valid_to: 2026-02-27}\ncredentials",
        "holders.1.valid_to",
        "before valid_from",
    ),
    "hours that never hold": ('until: "22:00"', 'until: "07:00"', "schedules.0.windows.0.until", "never holds"),
    "an hour of no clock": ('until: "22:00"', 'until: "25:00"', "schedules.0.windows.0.until", ""),
    "an exceptional day of no calendar": (
        "day: 2026-10-01",
        "day: 2026-13-01",
        "schedules.0.days.0.day",
        "no such day",
    ),
    "the schedule that exists already": ("id: office\n", "id: always\n", "schedules.0.id", "exists already"),
    "a kind that does not exist": (
        "kind: visitor",
        "kind: guest",
        "holders.1.kind",
        "resident, staff, visitor, contractor",
    ),
    "a misspelt list": ("blocks:", "block:", "block", "did you mean blocks"),
}


@pytest.mark.parametrize("name", ONE_THING)
def test_one_mistake(name: str, tmp_path: Path) -> None:
    old, new, where, words = ONE_THING[name]
    mistakes = broken(tmp_path, instead(old, new, PEOPLE))
    found = [mistake for mistake in mistakes if mistake.where == where]
    assert found, "\n".join(map(str, mistakes))
    assert words in str(found[0])
    assert abs(found[0].line - (PEOPLE[: PEOPLE.index(old)].count("\n") + 1)) <= 1


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ('value: "0013961168", form: 10d', "00D507D0"),
        ('value: "0013961168", form: 10d-26', "D507D0"),
        ('value: "213,02000", form: 3+5', "D507D0"),
        ('value: "0000D507D0", form: hex', "0000D507D0"),
        ('value: "0013961168", form: hex', "0013961168"),
        ('value: "13,13067", form: 3+5', "0D330B"),
    ],
)
def test_a_card_as_it_is_printed(written: str, value: str, tmp_path: Path) -> None:
    found = items(tmp_path, instead('value: "04:a1:b2:c3:d4:e5:f6"', written, PEOPLE))["c-1"]
    assert isinstance(found, Credential)
    assert found.value == value


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    text = PEOPLE
    for name in (
        "a schedule that is not there",
        "a card that is too short",
        "a kind that does not exist",
        "a place that is not there",
    ):
        text = instead(*ONE_THING[name][:2], text)
    assert len(broken(tmp_path, text)) == 4


def test_a_revoked_card_may_be_issued_again(tmp_path: Path) -> None:
    text = instead("id: c-3, kind: qr, value: SC-7F3K", 'id: c-3, kind: card, value: "04A1B2C3D4E5F6"', PEOPLE)
    assert len(items(tmp_path, text)) == 9


def test_without_a_site_places_are_not_asked(tmp_path: Path) -> None:
    path = tmp_path / "people.yaml"
    path.write_text(instead("places: [lobby],", "places: [elsewhere],", PEOPLE), encoding="utf-8")
    assert load_people(path)
    holder = next(item for item in load_people(path, timezone="UTC") if item.id == "h-2")
    assert isinstance(holder, Holder)
    assert holder.valid_from == "2026-03-01T00:00:00.000Z"

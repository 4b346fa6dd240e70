"""Profile files of meters: contradictions are told with their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivers.factors import Factors, times_of
from drivers.meters.items import Item, plan
from drivers.profiles.files import ProfileErrors, load, load_all, parse
from drivers.profiles.profile import Profile
from drivers.profiles.words import ELECTRICITY_METER
from tests.drivers.meters import HEAD, meter_product

NAME = "name: {zh: 甲, en: A}"
WATER = HEAD.replace("dlt645", "cjt188").replace("preamble: 0", "type_code: 0x10")


def mistakes(body: str, head: str = HEAD) -> list[str]:
    with pytest.raises(ProfileErrors) as wrong:
        parse((head + body).encode(), Path("probe.yaml"))
    return [str(mistake) for mistake in wrong.value.mistakes]


FAULTS = {
    "no item": (f"points:\n  a: {{length: 4, {NAME}}}\n", "points.a: `di` (its item) is missing"),
    "no length": (f"points:\n  a: {{di: 0x10000, {NAME}}}\n", "points.a.length: its length in bytes is missing"),
    "no name": ("points:\n  a: {di: 0x10000, length: 4}\n", "points.a: a name in zh and en is missing"),
    "decimals of a word": (
        f"points:\n  a: {{di: 0x10000, length: 4, form: binary, decimals: 2, {NAME}}}\n",
        "points.a: decimals and a sign belong to bcd, not to binary",
    ),
    "bits of a number": (
        "points:\n  a: {di: 0x10000, length: 4, bits: {0: {point: x, zh: 甲, en: X}}}\n",
        "points.a: enum, mask and bits need a binary number, not bcd",
    ),
    "a bit that is not there": (
        "points:\n  a: {di: 0x10000, length: 1, form: binary, bits: {8: {point: x, zh: 甲, en: X}}}\n",
        "points.a.bits.8: bit 8 does not exist in 1 bytes",
    ),
    "a clock without layout": (
        f"points:\n  a: {{di: 0x10000, length: 7, form: clock, {NAME}}}\n",
        "points.a.layout: a clock of 7 bytes is written as YYMMDDWWhhmmss, YYYYMMDDhhmmss",
    ),
    "a clock of another length": (
        f"points:\n  a: {{di: 0x10000, length: 4, form: clock, layout: YYMMDDWWhhmmss, {NAME}}}\n",
        "points.a.layout: a clock of 4 bytes is written as another length",
    ),
    "an item of four bytes in 1997": (
        f"version: 1997\npoints:\n  a: {{di: 0x10000, length: 4, {NAME}}}\n",
        "points.a.di: an item of 1997 has two bytes",
    ),
    "a block of what is not there": (
        f"blocks: {{0x1FF00: [b]}}\npoints:\n  a: {{di: 0x10000, length: 4, {NAME}}}\n",
        "blocks.130816.0: b is no point with an item of its own",
    ),
    "a point in two blocks": (
        f"blocks: {{0x1FF00: [a], 0x1FF01: [a]}}\npoints:\n  a: {{di: 0x10000, length: 4, {NAME}}}\n",
        "blocks.130817.0: a is already in the block 0001FF00",
    ),
    "two points of one name": (
        f"points:\n  x: {{di: 0x10000, length: 4, {NAME}}}\n"
        "  a: {di: 0x10001, length: 1, form: binary, bits: {0: {point: x, zh: 甲, en: X}}}\n",
        "points.a.bits.0: the point x is already at points.x",
    ),
    "a write without a level": (
        f"points:\n  a: {{di: 0x10000, length: 4, {NAME}}}\n"
        "commands:\n  w: {act: write, di: 0x4001101, name: {zh: 写, en: W}, enum: {1: {label: x, zh: 甲, en: X}}}\n",
        "commands.w: the password's level is missing",
    ),
    "a write of what does not fit": (
        f"points:\n  a: {{di: 0x10000, length: 4, {NAME}}}\ncommands:\n"
        "  w: {act: write, di: 0x4001101, level: 4, name: {zh: 写, en: W}, enum: {100: {label: x, zh: 甲, en: X}}}\n",
        "commands.w.enum: a value does not fit into 1 bytes of digits",
    ),
    "a control of 1997": (
        f"version: 1997\npoints:\n  a: {{di: 0x9010, length: 4, {NAME}}}\ncommands:\n"
        "  w: {act: control, level: 2, name: {zh: 拉闸, en: W}, enum: {0x1A: {label: x, zh: 甲, en: X}}}\n",
        "commands.w.act: only the clock of a meter of 1997 can be set",
    ),
}


@pytest.mark.parametrize(("body", "told"), FAULTS.values(), ids=FAULTS.keys())
def test_faults_of_a_dlt645_file(body: str, told: str) -> None:
    assert any(told in mistake for mistake in mistakes(body)), mistakes(body)


WATER_FAULTS = {
    "a code after no unit": (
        f"points:\n  a: {{length: 4, coded: true, unit: kg, {NAME}}}\n",
        "points.a.coded: a code follows only numbers in GJ",
    ),
    "no length": (f"points:\n  a: {{at: 3, {NAME}}}\n", "points.a.length: its length in bytes is missing"),
    "a command that does not fit": (
        f"points:\n  a: {{length: 4, {NAME}}}\ncommands:\n"
        "  v: {di: 0xA017, name: {zh: 阀, en: V}, enum: {256: {label: x, zh: 甲, en: X}}}\n",
        "commands.v.enum.256: 256 does not fit into 1 bytes",
    ),
    "another order": (f'di_order: "F1 09"\npoints:\n  a: {{length: 4, {NAME}}}\n', "di_order"),
}


@pytest.mark.parametrize(("body", "told"), WATER_FAULTS.values(), ids=WATER_FAULTS.keys())
def test_faults_of_a_cjt188_file(body: str, told: str) -> None:
    assert any(told in mistake for mistake in mistakes(body, WATER)), mistakes(body, WATER)


def test_points_are_planned_into_as_few_items_as_can_be() -> None:
    items = plan(load("dlt645_2007_three_phase"))
    by_item = {item.item: item for item in items}
    power = by_item[0x0203FF00]
    assert [(field.point.id, field.at) for field in power.fields] == [
        ("power", 0),
        ("power_l1", 3),
        ("power_l2", 6),
        ("power_l3", 9),
    ]
    assert [part.item for part in power.parts] == [0x02030000, 0x02030100, 0x02030200, 0x02030300]
    assert (power.size, power.group) == (12, "normal")
    assert len(by_item) == len(items)
    told = [field.point.id for item in items for field in item.fields]
    assert len(told) == len(set(told)) == len(load("dlt645_2007_three_phase").points)


def test_bytes_of_no_interest_are_skipped() -> None:
    profile = meter_product(
        "blocks: {0x1FF00: [4, a]}\nlengths: {0x10001: 9}\npoints:\n"
        f"  a: {{di: 0x10000, length: 4, {NAME}}}\n  b: {{di: 0x10001, at: 2, length: 3, {NAME}}}\n"
    )
    block, single = plan(profile)
    assert isinstance(block, Item)
    assert (block.size, block.fields[0].at) == (8, 4)
    assert (single.size, single.fields[0].at) == (9, 2)


def test_tripping_needs_leave() -> None:
    profile = load("dlt645_2007_single")
    assert set(profile.as_installed().commands) == {"set_clock"}
    assert set(profile.as_installed(["supply"]).commands) == {"set_clock", "supply"}
    assert not load("cjt188_water").as_installed().commands


ELECTRICITY = [profile for profile in load_all().values() if profile.kind == ELECTRICITY_METER]


@pytest.mark.parametrize("profile", ELECTRICITY, ids=lambda profile: profile.id)
def test_an_electricity_meter_says_how_it_stands_to_transformers(profile: Profile) -> None:
    """Without that nobody knows whether its values are what flows; and what it says is what is done with them."""
    assert profile.transformers is not None
    counted = [point for point in profile.points.values() if point.unit == "kWh"]
    assert counted
    for point in counted:
        known = Factors(profile.multipliers, {}).product(times_of(point))
        assert known == (1.0 if profile.transformers in {"none", "primary"} else None)
    if profile.transformers == "unknown":
        assert profile.confidence == "partial"
        assert profile.notes
        assert profile.untold


def test_every_side_of_transformers_is_among_the_meters() -> None:
    assert len(ELECTRICITY) >= 17
    assert {profile.transformers for profile in ELECTRICITY} == {"none", "primary", "ratio", "unknown"}


METER_HEAD = HEAD.replace("kind: test", "kind: electricity_meter")
COUNTS = (
    f"points:\n  a: {{di: 0x10000, length: 4, unit: kWh, TIMES, {NAME}}}\n  ct: {{di: 0x10001, length: 4, {NAME}}}\n"
)
CONTRADICTIONS = {
    "another word": ("transformers: both\n", "", "transformers:"),
    "read twice": ("transformers: primary\n", "times: [ct]", "no ratio is read from the meter"),
    "direct and told": ("transformers: none\n", "times: [ct]", "no ratio is read from the meter"),
    "not multiplied": ("transformers: ratio\n", "times: []", "with transformers: ratio energy is multiplied by ct"),
    "not known": ("transformers: unknown\n", "times: []", "with transformers: unknown energy is multiplied by ct"),
}


@pytest.mark.parametrize(("said", "times", "told"), CONTRADICTIONS.values(), ids=CONTRADICTIONS.keys())
def test_what_contradicts_the_side_of_transformers(said: str, times: str, told: str) -> None:
    body = COUNTS.replace("TIMES", times or "times: []")
    assert any(told in mistake for mistake in mistakes(said + body, METER_HEAD)), mistakes(said + body, METER_HEAD)


def test_only_electricity_meters_stand_behind_transformers() -> None:
    assert any(
        "stands behind" in mistake for mistake in mistakes("transformers: none\n" + COUNTS.replace("TIMES, ", ""))
    )

"""What can be wrong with the addresses of meters on shared lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import SiteErrors, load_site

SITE = """\
site: yard
name: {zh: 院, en: Yard}
gateway: yard-gw
buses:
  line: {kind: meter-serial, port: /dev/ttyS3}
  net: {kind: meter-tcp, host: 10.0.0.1, port: 4001}
devices:
  flat: {profile: dlt645_2007_single, bus: line, address: "161"}
  main: {profile: dlt645_2007_three_phase, bus: line, address: "398192000337"}
  cold: {profile: cjt188_water, bus: line, address: "161"}
  heat: {profile: cjt188_heat, bus: net}
"""


def loaded(folder: Path, old: str = "", new: str = "") -> None:
    assert not old or SITE.count(old) == 1
    path = folder / "site.yaml"
    path.write_text(SITE.replace(old, new) if old else SITE, encoding="utf-8")
    load_site(path)


def test_meters_of_two_protocols_may_share_a_line_and_digits(tmp_path: Path) -> None:
    loaded(tmp_path)


MISTAKES = {
    "the same address, written with zeros": (
        'address: "398192000337"',
        'address: "000161"',
        "flat already has this address on line",
    ),
    "no digits": (
        'address: "398192000337"',
        'address: "39819200033A"',
        "expected the printed address, up to 12 digits",
    ),
    "too long": (
        'address: "398192000337"',
        'address: "1398192000337"',
        "expected the printed address, up to 12 digits",
    ),
    "none beside others": (', address: "398192000337"', "", "devices.main.address: is missing: flat is on line too"),
    "another beside the only one": (
        "bus: net}",
        'bus: net}\n  cool: {profile: cjt188_heat, bus: net, address: "7"}',
        "devices.heat.address: is missing: cool is on net too",
    ),
}


@pytest.mark.parametrize(("old", "new", "told"), MISTAKES.values(), ids=MISTAKES.keys())
def test_mistakes_of_addresses(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(SiteErrors) as wrong:
        loaded(tmp_path, old, new)
    assert any(told in str(mistake) for mistake in wrong.value.mistakes), wrong.value.mistakes


MBUS = """\
site: yard
name: {zh: 院, en: Yard}
gateway: yard-gw
buses:
  net: {kind: meter-tcp, host: 10.0.0.1, port: 4001}
devices:
  heat: {profile: mbus_heat, bus: net, unit: 8}
  water: {profile: mbus_water, bus: net, address: "61803398"}
  main: {profile: dlt698_three_phase, bus: net, address: "314159"}
"""

MBUS_MISTAKES = {
    "no primary address": ("unit: 8", "unit: 251", "a primary M-Bus address is 0 to 250"),
    "no secondary address": ('"61803398"', '"618033989"', "expected the 8 digits printed on the meter"),
    "no digits": ('"61803398"', '"6180339A"', "expected the 8 digits printed on the meter"),
    "the same primary address": ('address: "61803398"', "unit: 8", "heat already has this address on net"),
    "the same secondary address": ("unit: 8", 'address: "61803398"', "heat already has this address on net"),
    "too long for 698": ('"314159"', '"1234567890123"', "expected the printed address, up to 12 digits"),
    "698 without address": (', address: "314159"', "", "devices.main.address: is missing: heat is on net too"),
}


def mbus_loaded(folder: Path, old: str, new: str) -> None:
    assert MBUS.count(old) == 1
    path = folder / "site.yaml"
    path.write_text(MBUS.replace(old, new), encoding="utf-8")
    load_site(path)


def test_mbus_meters_by_either_address(tmp_path: Path) -> None:
    mbus_loaded(tmp_path, "unit: 8", "unit: 0")
    mbus_loaded(tmp_path, '"61803398"', '"6180FFFF2d4d0107"')


@pytest.mark.parametrize(("old", "new", "told"), MBUS_MISTAKES.values(), ids=MBUS_MISTAKES.keys())
def test_mistakes_of_mbus_addresses(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(SiteErrors) as wrong:
        mbus_loaded(tmp_path, old, new)
    assert any(told in str(mistake) for mistake in wrong.value.mistakes), wrong.value.mistakes


def test_one_digit_less_than_meters_bear_is_asked_about(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(SITE.replace('"398192000337"', '"39819200033"'), encoding="utf-8")
    (remark,) = load_site(path).remarks
    assert (remark.line, remark.where) == (9, "devices.main.address")
    assert "is one missing? 039819200033 will be used" in remark.say("en")
    assert "是否漏了一位" in remark.say("zh")

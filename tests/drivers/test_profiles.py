"""Profiles: every file loads and reads back; contradictions are told with file, line and place."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from drivers.lines.product import line_of
from drivers.modbus.product import Output, RegisterSource
from drivers.mqtt.product import JsonSource
from drivers.profiles.files import ProfileErrors, UnknownProfile, load, load_all, parse
from tests.drivers.products import HEAD, product

ROOT = Path(__file__).parent.parent.parent
PROFILES = load_all()


def mistakes(body: str, head: str = HEAD) -> list[str]:
    with pytest.raises(ProfileErrors) as wrong:
        product(body, head)
    return [str(mistake) for mistake in wrong.value.mistakes]


def test_the_demo_sites_profiles_exist() -> None:
    site = yaml.safe_load((ROOT / "config/sites/demo.yaml").read_text())
    named = {device["profile"] for device in site["devices"].values()}
    assert named <= PROFILES.keys()
    for door in site["doors"].values():
        profile = PROFILES[site["devices"][door["lock"]["device"]]["profile"]]
        lock = profile.outputs[door["lock"]["output"]]
        assert isinstance(lock, Output)
        assert lock.pulse is not None


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.id)
def test_every_text_for_people_is_in_both_languages(profile) -> None:  # type: ignore[no-untyped-def]
    texts = [profile.name, *(part.name for part in profile.outputs.values())]
    for point in profile.points.values():
        texts += [point.name, *point.labels.values()]
        assert (point.type == "label") == bool(point.labels)
    for command in profile.commands.values():
        texts += [command.name, *command.labels.values()]
    assert all(text.zh.strip() and text.en.strip() for text in texts)


def test_bits_outputs_and_inputs_are_points() -> None:
    pump = load("grundfos_cim200")
    source = pump.points["rotating"].source
    assert isinstance(source, RegisterSource)
    assert (source.fc, source.address, source.bit) == (4, 200, 6)
    assert pump.points["rotating"].type == "flag"
    assert "status" not in pump.points
    board = load("waveshare_eth_relay8_di8")
    assert set(board.points) == {f"relay_{n}" for n in range(1, 9)} | {f"input_{n}" for n in range(1, 9)}
    assert board.points["relay_1"].writable
    assert not board.points["input_1"].writable


def test_a_profile_knows_its_buses() -> None:
    assert load("eastron_sdm630").bus_kinds == {"modbus-tcp", "modbus-rtu", "modbus-rtu-tcp"}
    assert load("line_reader").bus_kinds == {"line-serial", "line-tcp"}
    source = load("mqtt_co_sensor").points["co"].source
    assert isinstance(source, JsonSource)
    assert source.path == ("co",)


def test_an_unknown_profile_names_the_known() -> None:
    with pytest.raises(UnknownProfile, match="grundfos_cim200"):
        load("acme_9000")


OVERLAPS = {
    "the second half of a 32-bit value": (
        "points:\n"
        "  a: {fc: 3, address: 10, type: u32, name: {zh: 甲, en: A}}\n"
        "  b: {fc: 3, address: 11, type: u16, name: {zh: 乙, en: B}}\n",
        "probe.yaml:10: points.b: overlaps points.a",
    ),
    "another type": (
        "points:\n"
        "  a: {fc: 4, address: 10, type: u16, name: {zh: 甲, en: A}}\n"
        "  b: {fc: 4, address: 10, type: i16, name: {zh: 乙, en: B}}\n",
        "probe.yaml:10: points.b: overlaps points.a",
    ),
    "another order": (
        "points:\n"
        "  a: {fc: 4, address: 10, type: f32, name: {zh: 甲, en: A}}\n"
        "  b: {fc: 4, address: 10, type: f32, order: CDAB, name: {zh: 乙, en: B}}\n",
        "probe.yaml:10: points.b: overlaps points.a",
    ),
    "the same again": (
        "points:\n  a: {fc: 4, address: 10, name: {zh: 甲, en: A}}\n  b: {fc: 4, address: 10, name: {zh: 乙, en: B}}\n",
        "probe.yaml:10: points.b: says again what points.a says",
    ),
    "a bit twice": (
        "points:\n"
        "  a: {fc: 4, address: 10, bits: {0: {point: x, zh: 甲, en: X}}}\n"
        "  b: {fc: 4, address: 10, mask: 0x00FF, name: {zh: 乙, en: B}}\n",
        "probe.yaml:10: points.b: says again what points.a says",
    ),
    "an input among points": (
        "points:\n"
        "  a: {fc: 2, address: 3, type: bit, name: {zh: 甲, en: A}}\n"
        "inputs:\n"
        "  b: {address: 3, name: {zh: 乙, en: B}}\n",
        "probe.yaml:11: inputs.b: says again what points.a says",
    ),
}


@pytest.mark.parametrize(("body", "told"), OVERLAPS.values(), ids=OVERLAPS.keys())
def test_overlapping_points(body: str, told: str) -> None:
    (mistake,) = mistakes(body)
    assert mistake.startswith(told)


def test_a_value_and_its_flags_may_share_a_register() -> None:
    profile = product(
        "points:\n"
        "  a: {fc: 3, address: 10, mask: 0xFF00, name: {zh: 甲, en: A}}\n"
        "  b: {fc: 3, address: 10, bits: {0: {point: x, zh: 甲, en: X}}}\n"
        "  c: {fc: 4, address: 10, type: u32, name: {zh: 丙, en: C}}\n"
    )
    assert set(profile.points) == {"a", "x", "c"}


FAULTS = {
    "an unknown word": ("pionts: {}\n", "probe.yaml:8: pionts: Extra inputs are not permitted"),
    "an address that does not exist": (
        "points:\n  a: {fc: 3, address: 70000, name: {zh: 甲, en: A}}\n",
        "probe.yaml:9: points.a.address: Input should be less than or equal to 65535 (found 70000)",
    ),
    "a value across the end": (
        "points:\n  a: {fc: 3, address: 65535, type: u32, name: {zh: 甲, en: A}}\n",
        "probe.yaml:9: points.a: reaches address 65536; the last one is 65535",
    ),
    "a missing language": (
        "points:\n  a: {fc: 3, address: 1, name: {zh: 甲}}\n",
        "probe.yaml:9: points.a.name.en: Field required",
    ),
    "no name at all": ("points:\n  a: {fc: 3, address: 1}\n", "probe.yaml:9: points.a: a name in zh and en is missing"),
    "a bit in registers": (
        "points:\n  a: {fc: 3, address: 1, type: bit, name: {zh: 甲, en: A}}\n",
        "probe.yaml:9: points.a: type bit does not exist in fc 3",
    ),
    "a bit that is not there": (
        "points:\n  a: {fc: 3, address: 1, bits: {16: {point: x, zh: 甲, en: X}}}\n",
        "probe.yaml:9: points.a.bits.16: bit 16 does not exist in u16",
    ),
    "a multiplier that is not there": (
        "points:\n  a: {fc: 3, address: 1, times: [ct], name: {zh: 甲, en: A}}\n",
        "probe.yaml:9: points.a.times: there is no multiplier ct",
    ),
    "two points of one name": (
        "points:\n  a: {fc: 3, address: 1, name: {zh: 甲, en: A}}\ninputs:\n  a: {address: 1, name: {zh: 甲, en: A}}\n",
        "probe.yaml:11: inputs.a: the point a is already at points.a",
    ),
    "a key twice": (
        "points:\n  a: {fc: 3, address: 1, name: {zh: 甲, en: A}}\n  a: {fc: 3, address: 2, name: {zh: 甲, en: A}}\n",
        "probe.yaml:10: points.a: a is already in line 9",
    ),
    "a wide value in one write": (
        "commands:\n  a: {fc: 6, address: 1, type: f32, name: {zh: 甲, en: A}}\n",
        "probe.yaml:9: commands.a: f32 takes 2 registers: fc 16",
    ),
    "no YAML": ("points: {\n", "probe.yaml:9: not YAML"),
}


@pytest.mark.parametrize(("body", "told"), FAULTS.values(), ids=FAULTS.keys())
def test_faults_name_line_and_place(body: str, told: str) -> None:
    assert any(mistake.startswith(told) for mistake in mistakes(body)), mistakes(body)


def test_all_mistakes_of_a_file_come_at_once() -> None:
    found = mistakes(
        "points:\n"
        "  a: {fc: 9, address: 1, name: {zh: 甲, en: A}}\n"
        "  b: {fc: 3, address: -1, name: {zh: 乙, en: B}}\n"
        "  c: {fc: 3, address: 1, colour: red, name: {zh: 丙, en: C}}\n"
    )
    assert [mistake.split(" ")[0] for mistake in found] == ["probe.yaml:9:", "probe.yaml:10:", "probe.yaml:11:"]


def test_all_mistakes_of_a_folder_come_at_once(tmp_path: Path) -> None:
    (tmp_path / "pump").mkdir()
    (tmp_path / "pump" / "probe.yaml").write_text(HEAD + "points: 3\n")
    (tmp_path / "other.yaml").write_text(HEAD)
    (tmp_path / "empty.yaml").write_text("")
    with pytest.raises(ProfileErrors) as wrong:
        load_all(tmp_path)
    assert {mistake.file.name for mistake in wrong.value.mistakes} == {"probe.yaml", "other.yaml", "empty.yaml"}


def test_a_mqtt_flag_says_what_is_true() -> None:
    head = HEAD.replace("modbus", "mqtt") + "silent_s: 60\n"
    body = "points:\n  leak: {topic: '{topic}/state', path: leak, type: flag, name: {zh: 水, en: Water}}\n"
    assert "a flag needs `map`" in mistakes(body, head)[0]


def test_a_reader_reads_something() -> None:
    head = HEAD.replace("modbus", "line")
    assert "`card` or `qr` is missing" in mistakes("ends: gap\n", head)[0]
    assert line_of(parse((head + "qr: {prefix: ''}\n").encode(), Path("probe.yaml"))) is not None

"""What can be wrong in a site file: each mistake alone, at its line, in plain words; then ten at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.sites import RULES, SITE, TEN, broken, instead, line_of, loaded

# old text, new text, where, words that must stand in the sentence; the line is that of the new text
ONE_THING: dict[str, tuple[str, str, str, list[str]]] = {
    "a misspelt word": (
        "reader_in: lobby-in",
        "raeder_in: lobby-in",
        "doors.lobby.raeder_in",
        ["did you mean reader_in"],
    ),
    "a word that does not exist": (
        "    reader_in: lobby-in",
        "    colour: lobby-in",
        "doors.lobby.colour",
        ["there is no such word", "reader_out"],
    ),
    "a misspelt kind of bus": (
        "kind: modbus-rtu",
        "kind: modbus-rut",
        "buses.plant-line.kind",
        ["did you mean modbus-rtu"],
    ),
    "no kind": (
        "{kind: mqtt, host: 127.0.0.1}",
        "{host: 127.0.0.1}",
        "buses.site-broker.kind",
        ["modbus-tcp", "line-tcp"],
    ),
    "a misspelt kind of barrier": (
        "{kind: device, device: barrier}",
        "{kind: devise, device: barrier}",
        "lanes.gate.barrier.kind",
        ["did you mean device"],
    ),
    "a direction that does not exist": ("direction: in", "direction: inwards", "lanes.gate.direction", ["in, out"]),
    "a port that is no number": ("port: 4001", "port: four", "buses.lobby-line.port", ["found four", "whole number"]),
    "a port out of range": ("port: 4001", "port: 70000", "buses.lobby-line.port", ["65535 or less"]),
    "a missing word": ("name: {zh: 大堂, en: Lobby}", "name: {zh: 大堂}", "doors.lobby.name.en", ["is missing"]),
    "nothing where something belongs": ("reader_in: lobby-in", "lock_:", "doors.lobby.lock_", ["did you mean lock"]),
    "a number without quotes": (
        'meter_no: "0007"',
        "meter_no: 20260001",
        "devices.meter.meter_no",
        ["found 20260001", "quotes"],
    ),
    "an id in capitals": ("  pump-2: {", "  Pump-2: {", "devices.Pump-2", ["lower-case"]),
    "a bus that is not there": (
        "bus: doors-net",
        "bus: door-net",
        "devices.relay.bus",
        ["found door-net", "did you mean doors-net"],
    ),
    "a profile that is not there": (
        "profile: came_gard_ptx",
        "profile: came_gard",
        "devices.barrier.profile",
        ["did you mean came_gard_ptx"],
    ),
    "a profile on the wrong wire": (
        "profile: line_reader, bus: lobby-line",
        "profile: line_reader, bus: plant-line",
        "devices.lobby-in.bus",
        ["plant-line (modbus-rtu)", "line-serial/line-tcp", "lobby-line"],
    ),
    "two units alike on a line": (
        "bus: plant-line, unit: 2",
        "bus: plant-line, unit: 1",
        "devices.pump-2.unit",
        ["pump-1 already has this unit on plant-line"],
    ),
    "a unit that a line does not have": (
        "bus: plant-line, unit: 2",
        "bus: plant-line, unit: 250",
        "devices.pump-2.unit",
        ["1 to 247"],
    ),
    "two buses on one wire": (
        "host: 10.0.0.2}",
        "host: 10.0.0.1}",
        "buses.lane-net.port",
        ["doors-net already owns this line"],
    ),
    "a topic left out": (", topic: garage/leak}", "}", "devices.leak.topic", ["is missing"]),
    "a multiplier that the profile lacks": (
        "bus: lane-net, unit: 2",
        "bus: lane-net, scale_by: {pt: 40}, unit: 2",
        "devices.meter.scale_by.pt",
        ["a multiplier"],
    ),
    "a dead-band for what is no number": (
        "bus: lane-net, unit: 2",
        "bus: lane-net, deadband: {powr: 5}, unit: 2",
        "devices.meter.deadband.powr",
        ["a number", "did you mean power"],
    ),
    "a dead-band below nothing": (
        "bus: lane-net, unit: 2",
        "bus: lane-net, deadband: {power: -1}, unit: 2",
        "devices.meter.deadband.power",
        ["0 or more"],
    ),
    "no address range": ("[10.0.0.0/24]", "[10.0.0.0/33]", "buses.cameras.allow.0", ["192.168.10.0/24"]),
    "a reader that is not there": (
        "reader_in: lobby-in",
        "reader_in: loby-in",
        "doors.lobby.reader_in",
        ["did you mean lobby-in"],
    ),
    "a reader that is none": (
        "reader_in: lobby-in",
        "reader_in: relay",
        "doors.lobby.reader_in",
        ["a reader", "relay (waveshare"],
    ),
    "one reader for both ways": (
        "reader_in: lobby-in",
        "reader_in: lobby-in\n    reader_out: lobby-in",
        "doors.lobby.reader_out",
        ["doors.lobby.reader_in (line"],
    ),
    "an output that the board lacks": (
        "output: relay_1",
        "output: relay_9",
        "doors.lobby.lock.output",
        ["found relay_9", "an output of relay", "did you mean relay_"],
    ),
    "a point that the board lacks": (
        "point: input_1",
        "point: inputs_1",
        "doors.lobby.contact.point",
        ["did you mean input_1"],
    ),
    "a contact that is no yes or no": (
        "{device: relay, point: input_2}",
        "{device: barrier, point: position}",
        "lanes.gate.loop_under.point",
        ["yes-or-no", "number"],
    ),
    "one contact for two things": (
        "point: input_2",
        "point: input_1",
        "lanes.gate.loop_under.point",
        ["doors.lobby.contact.point", "already has it"],
    ),
    "a lock held longer than the board can": (
        "output: relay_1}",
        "output: relay_1}\n    release_s: 80000",
        "doors.lobby.release_s",
        ["at the most"],
    ),
    "a zone that is not there": (
        "zones: [block-a]",
        "zones: [block-b]",
        "doors.lobby.zones.0",
        ["did you mean block-a"],
    ),
    "a camera that is none": (
        "camera: camera",
        "camera: lobby-in",
        "lanes.gate.camera",
        ["a plate camera: camera", "lobby-in (line_reader)"],
    ),
    "a command that the barrier lacks": (
        "device: barrier}",
        "device: barrier, open: opne}",
        "lanes.gate.barrier.open",
        ["did you mean open"],
    ),
    "a status that has no labels": (
        "device: barrier}",
        "device: barrier, status: position}",
        "lanes.gate.barrier.status",
        ["labels", "number"],
    ),
    "a label that the status lacks": (
        "device: barrier}",
        "device: barrier, up: [raised]}",
        "lanes.gate.barrier.up.0",
        ["found raised", "a label of gate_status"],
    ),
    "a meter's device that is not there": (
        "point: meter.energy_import",
        "point: metre.energy_import",
        "meters.main.point",
        ["did you mean meter"],
    ),
    "a meter's point that is not there": (
        "point: meter.energy_import",
        "point: meter.energy_imports",
        "meters.main.point",
        ["did you mean energy_import"],
    ),
    "a meter without a number": (', meter_no: "0007"}', "}", "devices.meter.meter_no", ["is missing", "main"]),
    "a meter's point that is no point": (
        "point: meter.energy_import",
        "point: energy_import",
        "meters.main.point",
        ["device.point"],
    ),
    "a time zone that nobody lives in": (
        "gateway: spruce-gw",
        "gateway: spruce-gw\ntimezone: Asia/Shangai",
        "timezone",
        ["did you mean Asia/Shanghai"],
    ),
    "a door called like a device": ("  lobby:\n", "  relay:\n", "doors.relay", ["already among devices"]),
    "a zone called like a lane": ("  block-a: {name", "  gate: {name", "zones.gate", ["already among lanes"]),
    "a key twice": (
        "    zones: [block-a]",
        "    zones: [block-a]\n    zones: []",
        "doors.lobby.zones",
        ["already in line"],
    ),
    "a tab": ("  lobby:\n    name", "  lobby:\n\tname", "", ["spaces, not with tabs"]),
    "brackets left open": ("allow: [10.0.0.0/24]}", "allow: [10.0.0.0/24}", "", ["not YAML"]),
    "a list for lines": (
        "zones:\n  block-a: {name: {zh: A 座, en: Block A}}",
        "zones:\n  - block-a",
        "zones",
        ["lines of `name: …`"],
    ),
    "a word for a list": ("zones: [block-a]", "zones: block-a", "doors.lobby.zones", ["a list"]),
    "an endless number of seconds": (
        "output: relay_1}",
        "output: relay_1}\n    held_s: .inf",
        "doors.lobby.held_s",
        ["finite"],
    ),
}


@pytest.mark.parametrize("name", ONE_THING)
def test_one_mistake(name: str, tmp_path: Path) -> None:
    old, new, where, words = ONE_THING[name]
    text = instead(old, new)
    mistakes = broken(tmp_path, text)
    found = [mistake for mistake in mistakes if mistake.where == where]
    assert found, "\n".join(map(str, mistakes))
    said = found[0].say("en")
    for word in words:
        assert word in said
    start = line_of(SITE, old)
    assert start <= found[0].line <= start + new.count("\n") + 1
    assert found[0].file.endswith("site.yaml")
    assert found[0].expected.zh
    assert found[0].say("zh") != said


def test_the_site_of_these_tests_is_whole(tmp_path: Path) -> None:
    assert loaded(tmp_path, rules=RULES).site.site == "spruce"


def test_ten_mistakes_are_told_at_once_each_at_its_line(tmp_path: Path) -> None:
    text = SITE
    for old, new in TEN:
        text = instead(old, new, text)
    mistakes = broken(tmp_path, text)
    lines = {mistake.line for mistake in mistakes}
    assert lines == {line_of(SITE, old) for old, _ in TEN}
    assert len(mistakes) == len(TEN)
    assert mistakes == sorted(mistakes, key=lambda mistake: mistake.line)


def test_a_part_that_is_wrong_is_still_there_for_others(tmp_path: Path) -> None:
    """A bus with a bad port is one mistake, not one for each device on it."""
    mistakes = broken(tmp_path, instead("host: 10.0.0.1}", "host: 10.0.0.1, port: no}"))
    assert [mistake.where for mistake in mistakes] == ["buses.doors-net.port"]


def test_words_that_older_yaml_takes_for_yes_and_no_are_words(tmp_path: Path) -> None:
    text = instead("en: Lobby}", "en: No}").replace("en: Block A}", "en: on}")
    site = loaded(tmp_path, text).site
    assert site.doors["lobby"].name.en == "No"
    assert site.zones["block-a"].name.en == "on"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    from config import SiteErrors, load_site  # noqa: PLC0415

    with pytest.raises(SiteErrors, match="cannot be read"):
        load_site(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"# only a comment\n", "empty"),
        (b"- a\n- b\n", "a site file"),
        (b"just words", "a site file"),
        ("名: 沪".encode("gbk"), "UTF-8"),
        (b"a: &a [*a]\n", "alias of itself"),
        (b"a: !!python/object/apply:os.system [ls]\n", ""),
        (b"? [a, b]\n: c\n", "one word"),
        (b"a: " + b"[" * 100 + b"]" * 100, "too deep"),
        (b"x" * 3_000_000, "larger"),
    ],
)
def test_a_file_that_is_no_site_file(content: bytes, word: str, tmp_path: Path) -> None:
    from config import SiteErrors, load_site  # noqa: PLC0415

    path = tmp_path / "site.yaml"
    path.write_bytes(content)
    with pytest.raises(SiteErrors) as caught:
        load_site(path)
    assert word in str(caught.value)


def test_aliases_that_multiply_are_refused(tmp_path: Path) -> None:
    """A few lines must not become millions of values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    mistakes = broken(tmp_path, "\n".join(lines))
    assert "alias" in str(mistakes[0])

"""A small whole site as text, for tests that break one thing of it."""

from __future__ import annotations

from pathlib import Path

from config import LoadedSite, SiteErrors, load_site
from config.mistakes import Mistake

SITE = """\
site: spruce
name: {zh: 云杉苑, en: Spruce Court}
gateway: spruce-gw
buses:
  doors-net: {kind: modbus-tcp, host: 10.0.0.1}
  lane-net: {kind: modbus-tcp, host: 10.0.0.2}
  plant-line: {kind: modbus-rtu, port: /dev/ttyS1}
  lobby-line: {kind: line-tcp, host: 10.0.0.3, port: 4001}
  site-broker: {kind: mqtt, host: 127.0.0.1}
  cameras: {kind: http-push, allow: [10.0.0.0/24]}
devices:
  relay: {profile: waveshare_eth_relay8_di8, bus: doors-net}
  barrier: {profile: came_gard_ptx, bus: lane-net, unit: 1}
  meter: {profile: eastron_sdm630, bus: lane-net, unit: 2, meter_no: "0007"}
  pump-1: {profile: grundfos_cim200, bus: plant-line, unit: 1, name: {zh: 1 号泵, en: Pump 1}}
  pump-2: {profile: grundfos_cim200, bus: plant-line, unit: 2}
  lobby-in: {profile: line_reader, bus: lobby-line}
  camera: {profile: zhenshi_plate_camera, bus: cameras}
  leak: {profile: mqtt_leak_sensor, bus: site-broker, topic: garage/leak}
zones:
  block-a: {name: {zh: A 座, en: Block A}}
doors:
  lobby:
    name: {zh: 大堂, en: Lobby}
    reader_in: lobby-in
    lock: {device: relay, output: relay_1}
    contact: {device: relay, point: input_1}
    zones: [block-a]
lanes:
  gate:
    name: {zh: 东门, en: East gate}
    direction: in
    camera: camera
    barrier: {kind: device, device: barrier}
    loop_under: {device: relay, point: input_2}
meters:
  main: {point: meter.energy_import, name: {zh: 总电表, en: Main meter}}
"""

RULES = """\
rules:
  pump-trip:
    profile: grundfos_cim200
    when: alarm && !rotating
    severity: major
    message: {zh: "{name}停机：{alarm_code}", en: "{name} tripped: {alarm_code}"}
"""


def write(folder: Path, text: str = SITE, rules: str | None = None) -> Path:
    """The site file in `folder`, with one rule file if there is one."""
    path = folder / "site.yaml"
    if rules is not None:
        (folder / "rules.yaml").write_text(rules, encoding="utf-8")
        text += "rules: [rules.yaml]\n"
    path.write_text(text, encoding="utf-8")
    return path


def loaded(folder: Path, text: str = SITE, rules: str | None = None) -> LoadedSite:
    """The site, which must be whole."""
    return load_site(write(folder, text, rules))


def broken(folder: Path, text: str = SITE, rules: str | None = None) -> list[Mistake]:
    """Its mistakes, of which there must be some."""
    try:
        load_site(write(folder, text, rules))
    except SiteErrors as errors:
        return errors.mistakes
    raise AssertionError("nothing was found")


def instead(old: str, new: str, text: str = SITE) -> str:
    """The site with one piece of its text replaced."""
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
    return text.replace(old, new)


def line_of(text: str, piece: str) -> int:
    """The line on which a piece of text begins."""
    return text[: text.index(piece)].count("\n") + 1


TEN: list[tuple[str, str]] = [
    ("kind: modbus-rtu", "kind: modbus-rut"),
    ("bus: doors-net", "bus: door-net"),
    ("profile: eastron_sdm630", "profile: eastron_630"),
    ("unit: 2}", "unit: 1}"),
    ("reader_in: lobby-in", "raeder_in: lobby-in"),
    ("output: relay_1", "output: relay_9"),
    ("zones: [block-a]", "zones: [block-b]"),
    ("camera: camera", "camera: kamera"),
    ("direction: in", "direction: inn"),
    ("point: meter.energy_import", "point: energy"),
]
"""Ten different mistakes: what stands in the site, and what somebody wrote instead."""

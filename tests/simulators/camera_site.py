"""A yard with one lane for each make of camera, for simulators and for gateways."""

from __future__ import annotations

from pathlib import Path

SITE = """
site: makes
name: {zh: 相机院, en: Camera yard}
gateway: makes-gw
buses:
  cams: {kind: http-push}
  dahua-net: {kind: camera-http, host: 127.0.0.1, port: 1, username: admin}
  pictured-net: {kind: camera-http, host: 127.0.0.1, port: 2, username: admin}
  net: {kind: modbus-tcp, host: 127.0.0.1, port: 3}
devices:
  zhen: {profile: zhenshi_plate_camera_io, bus: cams}
  hik: {profile: hikvision_anpr, bus: cams}
  its: {profile: dahua_itsapi, bus: cams}
  dah: {profile: dahua_traffic, bus: dahua-net}
  pic: {profile: dahua_traffic_pictures, bus: pictured-net}
  relays: {profile: waveshare_eth_relay8_di8, bus: net}
lanes:
  lane-zhen:
    name: {zh: 一, en: One}
    direction: in
    camera: zhen
    barrier: {kind: camera}
    loop_before: {device: zhen, point: input_1}
    loop_under: {device: zhen, point: input_2}
    display: {speaks: board, shows: board}
    visitors: admit
  lane-hik:
    name: {zh: 二, en: Two}
    direction: in
    camera: hik
    barrier: {kind: relay, open: {device: relays, output: relay_1}}
    visitors: admit
  lane-its:
    name: {zh: 三, en: Three}
    direction: in
    camera: its
    barrier: {kind: relay, open: {device: relays, output: relay_2}}
    visitors: admit
  lane-dah:
    name: {zh: 四, en: Four}
    direction: in
    camera: dah
    barrier: {kind: relay, open: {device: relays, output: relay_3}}
    visitors: admit
  lane-pic:
    name: {zh: 五, en: Five}
    direction: in
    camera: pic
    barrier: {kind: relay, open: {device: relays, output: relay_4}}
    visitors: admit
"""


def camera_site(folder: Path) -> Path:
    """The site file, written into `folder`."""
    path = folder / "makes.yaml"
    path.write_text(SITE, encoding="utf-8")
    return path

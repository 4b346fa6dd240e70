"""What a site consists of, as its gateway tells the hub and as both servers tell the console."""

from __future__ import annotations

from typing import Literal

import msgspec

from contract.texts import Text


class DoorLayout(msgspec.Struct, frozen=True, kw_only=True):
    """A door: its readers, and the zones that grants may name."""

    id: str
    name: Text
    place: Text | None = None
    readers: list[str] = []
    zones: list[str] = []


class LaneLayout(msgspec.Struct, frozen=True, kw_only=True):
    """A lane: its direction, its camera, what its barrier can do."""

    id: str
    name: Text
    direction: Literal["in", "out"]
    camera: str
    can_close: bool
    place: Text | None = None
    zones: list[str] = []


class DeviceLayout(msgspec.Struct, frozen=True, kw_only=True):
    """A device and the profile that describes it. `kind` is the profile's: pump, elevator, relay, …"""

    id: str
    name: Text
    kind: str
    profile: str
    bus: str
    place: Text | None = None


class PointLayout(msgspec.Struct, frozen=True, kw_only=True):
    """A point, `device.point`. `type`: number, flag, label or text; `labels`: what each value of a label is called."""

    id: str
    device: str
    name: Text
    type: Literal["number", "flag", "label", "text"]
    unit: str = ""
    labels: dict[str, Text] = {}
    writable: bool = False


class ZoneLayout(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the site that grants may name."""

    id: str
    name: Text


class MeterLayout(msgspec.Struct, frozen=True, kw_only=True):
    """A register that money hangs on, and the point it is read from."""

    id: str
    name: Text
    point: str
    register: str
    meter_no: str


class SiteLayout(msgspec.Struct, frozen=True, kw_only=True):
    """`site.described`: the whole site, sent when its file's fingerprint changed. Times of day are in `timezone`."""

    site: str
    gateway: str
    name: Text
    timezone: str
    fingerprint: str
    doors: list[DoorLayout] = []
    lanes: list[LaneLayout] = []
    devices: list[DeviceLayout] = []
    points: list[PointLayout] = []
    zones: list[ZoneLayout] = []
    meters: list[MeterLayout] = []

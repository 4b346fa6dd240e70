"""What a site consists of, as its gateway tells the hub and as both servers tell the console."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from contract.limits import Few, Id, Many, Several
from contract.texts import Text


class DoorLayout(msgspec.Struct, frozen=True, kw_only=True):
    """A door: its readers, and the zones that grants may name.

    `modes_end`: its gateway ends a mode when its time is over; False from one that does not know how.
    """

    id: Id
    name: Text
    place: Text | None = None
    readers: Annotated[list[Id], Few] = []
    zones: Annotated[list[Id], Several] = []
    modes_end: bool = False


class LaneLayout(msgspec.Struct, frozen=True, kw_only=True):
    """A lane: its direction, its camera, what its barrier can do. `monitored`: whether anything tells its position."""

    id: Id
    name: Text
    direction: Literal["in", "out"]
    camera: Id
    can_close: bool
    place: Text | None = None
    zones: Annotated[list[Id], Several] = []
    monitored: bool = True


class DeviceLayout(msgspec.Struct, frozen=True, kw_only=True):
    """A device and the profile that describes it. `kind` is the profile's: pump, elevator, relay, …"""

    id: Id
    name: Text
    kind: Id
    profile: Id
    bus: Id
    place: Text | None = None


class PointLayout(msgspec.Struct, frozen=True, kw_only=True):
    """A point, `device.point`. `type`: number, flag, label or text; `labels`: what each value of a label is called.

    `detail`: how other values are scaled, or a raw word: for whoever installs and repairs, not a measurement.
    """

    id: Id
    device: Id
    name: Text
    type: Literal["number", "flag", "label", "text"]
    unit: Id = ""
    labels: Annotated[dict[Id, Text], Several] = {}
    writable: bool = False
    detail: bool = False


class ZoneLayout(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the site that grants may name."""

    id: Id
    name: Text


class MeterLayout(msgspec.Struct, frozen=True, kw_only=True):
    """A register that money hangs on, and the point it is read from."""

    id: Id
    name: Text
    point: Id
    register: Id
    meter_no: Id


class SiteLayout(msgspec.Struct, frozen=True, kw_only=True):
    """`site.described`: the whole site, sent when its file's fingerprint changed. Times of day are in `timezone`."""

    site: Id
    gateway: Id
    name: Text
    timezone: Id
    fingerprint: Id
    doors: Annotated[list[DoorLayout], Many] = []
    lanes: Annotated[list[LaneLayout], Many] = []
    devices: Annotated[list[DeviceLayout], Many] = []
    points: Annotated[list[PointLayout], Many] = []
    zones: Annotated[list[ZoneLayout], Many] = []
    meters: Annotated[list[MeterLayout], Many] = []

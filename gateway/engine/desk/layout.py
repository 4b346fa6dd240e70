"""What the site consists of, as the gateway tells the hub and the console, and what things are called. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from config.site import CameraBarrier, Input, Lane, ModbusBarrier, Name, RelayBarrier, Site
from contract.layout import (
    DeviceLayout,
    DoorLayout,
    LaneLayout,
    MeterLayout,
    PointLayout,
    SiteLayout,
    ZoneLayout,
)
from contract.readings import Value
from contract.texts import Text
from drivers.factors import times_of
from drivers.profiles.profile import Profile

NOWHERE = Text("", "")


class Register(NamedTuple):
    """A register that money hangs on: the point it is read from, its unit, and the meter's number in the site file.

    `rolls_over`: where it begins again. `number`, `clock`: points at which the meter tells its own number and time.
    `ratios`: points at which it tells the transformers' ratios that are in the register's value; `ratio`: those that
    the site file says, None where it says none and should.
    """

    device: str
    point: str
    register: str
    unit: str
    meter_no: str
    rolls_over: float | None = None
    number: str | None = None
    clock: str | None = None
    ratios: tuple[str, ...] = ()
    ratio: float | None = 1.0


def text(name: Name) -> Text:
    """A name of the site file as a text of the contract."""
    return Text(name.zh, name.en)


def layout_of(site: Site, profiles: Mapping[str, Profile], fingerprint: str) -> SiteLayout:
    """The whole site. `profiles`: by profile id."""
    names = Names(site, profiles)
    writable = writable_of(site, profiles)
    return SiteLayout(
        site=site.site,
        gateway=site.gateway,
        name=text(site.name),
        timezone=site.timezone,
        fingerprint=fingerprint,
        doors=[
            DoorLayout(
                id=id,
                name=text(door.name),
                place=_place(door.place),
                readers=[reader for reader in (door.reader_in, door.reader_out) if reader is not None],
                zones=list(door.zones),
                modes_end=True,
            )
            for id, door in site.doors.items()
        ],
        lanes=[
            LaneLayout(
                id=id,
                name=text(lane.name),
                direction=lane.direction,
                camera=lane.camera,
                can_close=can_close(lane),
                place=_place(lane.place),
                zones=list(lane.zones),
                monitored=is_monitored(lane),
            )
            for id, lane in site.lanes.items()
        ],
        devices=[
            DeviceLayout(
                id=id,
                name=names.name(id),
                kind=profiles[device.profile].kind,
                profile=device.profile,
                bus=device.bus,
                place=_place(device.place),
            )
            for id, device in site.devices.items()
        ],
        points=[point for id in site.devices for point in _points(id, profiles[site.devices[id].profile], writable)],
        zones=[ZoneLayout(id=id, name=text(zone.name)) for id, zone in site.zones.items()],
        meters=[
            MeterLayout(
                id=id,
                name=text(meter.name),
                point=meter.point,
                register=meter.register_,
                meter_no=site.devices[meter.point.partition(".")[0]].meter_no or "",
            )
            for id, meter in site.meters.items()
        ],
    )


def can_close(lane: Lane) -> bool:
    """Whether the lane's barrier can be told to close."""
    if isinstance(lane.barrier, CameraBarrier):
        return False
    return not isinstance(lane.barrier, RelayBarrier) or lane.barrier.close is not None


def tells_passages(lane: Lane) -> bool:
    """Whether anything tells that a vehicle went through: the loop under the barrier, or its way up and down."""
    match lane.barrier:
        case CameraBarrier():
            travels = False
        case RelayBarrier(up=up, down=down):
            travels = up is not None and down is not None
        case _:
            travels = True
    return travels or lane.loop_under is not None


def is_monitored(lane: Lane) -> bool:
    """Whether anything tells where the lane's barrier is."""
    match lane.barrier:
        case CameraBarrier():
            return False
        case RelayBarrier(up=up, down=down):
            return up is not None or down is not None
        case _:
            return True


def contact_point(contact: Input) -> str:
    """`device.point` of a contact."""
    return f"{contact.device}.{contact.point}"


class Names:
    """What people call each device, door, lane and point, and where it is."""

    def __init__(self, site: Site, profiles: Mapping[str, Profile]) -> None:
        self._names: dict[str, Text] = {site.site: text(site.name), site.gateway: text(site.name)}
        self._names |= {id: Text(f"线路 {id}", f"Wire {id}") for id in site.buses}
        self._places: dict[str, Text] = {}
        self._profiles: dict[str, Profile] = {}
        for id, device in site.devices.items():
            profile = profiles[device.profile]
            self._profiles[id] = profile
            self._names[id] = profile.name if device.name is None else text(device.name)
            if device.place is not None:
                self._places[id] = text(device.place)
        for parts in (site.doors, site.lanes):
            for id, part in parts.items():
                self._names[id] = text(part.name)
                if part.place is not None:
                    self._places[id] = text(part.place)

    def knows(self, id: str) -> bool:
        """Whether the site has such a thing."""
        return id in self._names

    def name(self, id: str) -> Text:
        """What people call it; its id if nobody named it."""
        return self._names.get(id, Text(id, id))

    def place(self, id: str) -> Text:
        """Where it is, empty if nobody said."""
        return self._places.get(id, NOWHERE)

    def value(self, point: str, value: Value) -> Text:
        """A value with its unit, or the words of a label, for a sentence."""
        if value is None:
            return Text("未知", "unknown")
        device, _, name = point.partition(".")
        known = self._profiles[device].points.get(name) if device in self._profiles else None
        if known is not None and isinstance(value, str) and value in known.labels:
            return known.labels[value]
        if isinstance(value, bool):
            return Text("是", "yes") if value else Text("否", "no")
        shown = f"{value:.4g}" if isinstance(value, float) else str(value)
        shown = f"{shown} {known.unit}" if known is not None and known.unit else shown
        return Text(shown, shown)


def _points(device: str, profile: Profile, writable: frozenset[str]) -> list[PointLayout]:
    return [
        PointLayout(
            id=f"{device}.{id}",
            device=device,
            name=point.name,
            type=point.type,
            unit=point.unit,
            labels=dict(point.labels),
            writable=f"{device}.{id}" in writable,
            detail=point.detail,
        )
        for id, point in profile.points.items()
    ]


def _place(place: Name | None) -> Text | None:
    return None if place is None else text(place)


METER_NUMBER, METER_CLOCK = "meter_no", "meter_clock"
"""Points at which a meter tells its own number, and its own local date and time."""


def registers_of(site: Site, profiles: Mapping[str, Profile]) -> dict[str, Register]:
    """The registers that money hangs on, by meter id."""
    registers: dict[str, Register] = {}
    for id, meter in site.meters.items():
        device, _, name = meter.point.partition(".")
        profile = profiles[site.devices[device].profile]
        points, fixed = profile.points, site.devices[device].scale_by
        unsaid = set(profile.untold) - fixed.keys()
        times = times_of(points[name])
        registers[id] = Register(
            device,
            meter.point,
            meter.register_,
            points[name].unit,
            site.devices[device].meter_no or "",
            points[name].rolls_over,
            f"{device}.{METER_NUMBER}" if METER_NUMBER in points else None,
            f"{device}.{METER_CLOCK}" if METER_CLOCK in points else None,
            tuple(f"{device}.{ratio}" for ratio in times if ratio in points and ratio not in fixed),
            None if unsaid & set(times) else math.prod(fixed.get(ratio, 1.0) for ratio in times),
        )
    return registers


def writable_of(site: Site, profiles: Mapping[str, Profile]) -> frozenset[str]:
    """Every `device.point` that people may write: not what locks doors or moves barriers, which have their own road."""
    driven = {f"{door.lock.device}.{door.lock.output}" for door in site.doors.values()}
    barriers: set[str] = set()
    for lane in site.lanes.values():
        if isinstance(lane.barrier, RelayBarrier):
            outputs = (lane.barrier.open, lane.barrier.close)
            driven |= {f"{output.device}.{output.output}" for output in outputs if output is not None}
        elif isinstance(lane.barrier, ModbusBarrier):
            barriers.add(lane.barrier.device)
        elif isinstance(lane.barrier, CameraBarrier):
            driven |= {f"{lane.camera}.open", f"{lane.camera}.output_1"}  # its first output moves the barrier
    written: set[str] = set()
    for id, device in site.devices.items():
        if id not in barriers:
            profile = profiles[device.profile].as_installed(device.allow_commands)
            written |= {f"{id}.{name}" for name, point in profile.points.items() if point.writable}
            written |= {f"{id}.{name}" for name in (*profile.commands, *profile.outputs)}
    return frozenset(written - driven)


def vital_of(site: Site) -> frozenset[str]:
    """Every device without which people or cars cannot pass: boards of locks, barriers, readers, cameras."""
    vital = {door.lock.device for door in site.doors.values()} | {lane.camera for lane in site.lanes.values()}
    vital |= {reader for door in site.doors.values() for reader in (door.reader_in, door.reader_out) if reader}
    for lane in site.lanes.values():
        match lane.barrier:
            case RelayBarrier(open=output):
                vital.add(output.device)
            case ModbusBarrier(device=device):
                vital.add(device)
            case _:
                pass
    return frozenset(vital)

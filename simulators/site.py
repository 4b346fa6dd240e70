"""The whole simulated site: its devices, the parts that move them, and everything that can be done to it. Pure.

Nothing here waits or sends: the transports ask for values and bring writes, the control API acts, `step` moves time on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from config.site import Door, Input, Lane, Site
from contract.readings import Value
from drivers.profiles.profile import Profile
from simulators.device import SimDevice
from simulators.faults import FAULTS, Faults, Suits, suitable
from simulators.machines.counting import PowerPart, TapPart
from simulators.machines.entrances import DoorPart, LanePart
from simulators.machines.machines import AirPart, LiftPart, WaterPart
from simulators.machines.moment import Moment, Part
from simulators.machines.plugs import PlugPart
from simulators.world import door, lane, meter

LONGEST_STEP_S = 1.0
"""A process that was stopped for a while does not make the world jump."""

PLATE_LENGTH = 10


class Unknown(LookupError):
    """Nothing of the site has this id; says what was looked for."""


class Unfit(ValueError):
    """The thing exists, what is asked does not fit it; says what would."""


class SimSite:
    """Every device of one site file, moved by `step`. Seeded: the same seed and the same acts give the same world."""

    def __init__(self, site: Site, profiles: Mapping[str, Profile], seed: int = 0) -> None:
        self.site = site
        self.rng = Random(seed)
        self.faults = Faults()
        self.now = 0.0
        self._stepped_at: float | None = None
        self.devices: dict[str, SimDevice] = {
            id_: SimDevice(id_, device, profiles[device.profile], site.buses[device.bus].kind)
            for id_, device in site.devices.items()
        }
        self.doors = {id_: DoorPart(id_, config, self.devices) for id_, config in site.doors.items()}
        self.lanes = {id_: LanePart(id_, config, self.devices, self.rng) for id_, config in site.lanes.items()}
        self.air: AirPart | None = None
        self.parts: list[Part] = [*self.doors.values(), *self.lanes.values(), *self._machines()]
        self._tickets = 0

    # --- Time

    def step(self, now: float, hour: float) -> None:
        """Moves the world on to `now` (monotonic seconds) at `hour` of the site's day."""
        dt = min(LONGEST_STEP_S, max(0.0, now - self._stepped_at)) if self._stepped_at is not None else 0.0
        self._stepped_at = now
        self.at(now)
        self.faults.expire(now)
        for device in self.devices.values():
            device.freeze(self.faults.has(device.id, "stuck"))
        moment = Moment(dt=dt, hour=hour, rng=self.rng, faults=self.faults)
        for part in self.parts:
            part.step(moment)
        if self.air is not None:
            self.air.cars += sum(one.passed_now for one in self.lanes.values())

    def at(self, now: float) -> None:
        """It is `now`: outputs whose pulse ended are off. Called before devices are read or written."""
        self.now = now
        for device in self.devices.values():
            device.now = now

    # --- What can be done to it

    def device(self, id_: str) -> SimDevice:
        """The device; `Unknown` if there is none."""
        found = self.devices.get(id_)
        if found is None:
            raise Unknown(f"there is no device {id_}; there are {', '.join(sorted(self.devices))}")
        return found

    def reader(self, id_: str) -> SimDevice:
        """The reader; `Unknown` if no reader is called so."""
        found = self.devices.get(id_)
        if found is None or found.role != "reader":
            readers = sorted(d.id for d in self.devices.values() if d.role == "reader")
            raise Unknown(f"there is no reader {id_}; there are {', '.join(readers)}")
        return found

    def lane(self, id_: str) -> LanePart:
        """The lane; `Unknown` if there is none."""
        found = self.lanes.get(id_)
        if found is None:
            raise Unknown(f"there is no lane {id_}; there are {', '.join(sorted(self.lanes))}")
        return found

    def walk(self, reader: str) -> None:
        """Whoever showed a card at `reader` walks through its door as soon as the lock lets go."""
        for part in self.doors.values():
            if reader in (part.config.reader_in, part.config.reader_out):
                part.walk(door.walker(self.rng))

    def drive_up(
        self,
        lane_id: str,
        plate: str,
        *,
        patience_s: float,
        arrives_s: float,
        impatient: bool,
        confidence: int | None = None,
    ) -> int:
        """A car comes; its ticket. `Unfit` if the plate cannot be one or the lane is full."""
        part = self.lane(lane_id)
        text = plate.strip().upper().replace(" ", "")
        if len(text) > PLATE_LENGTH or not text.isprintable():
            raise Unfit(
                f"{plate!r:.40} is no plate: up to {PLATE_LENGTH} characters are expected, for example 沪A12345"
            )
        self._tickets += 1
        car = lane.Car(text, self._tickets, arrives_s=arrives_s, patience_s=patience_s, confidence=confidence)
        if not part.drive_up(car, impatient=impatient):
            raise Unfit(f"{lane_id} is full: {lane.QUEUE_LIMIT} cars are there already")
        return self._tickets

    def set_point(self, device_id: str, point: str, value: Value) -> None:
        """Overrides the physics of a point until the value None. `Unknown`, `Unfit`."""
        device = self.device(device_id)
        if point not in device.names():
            raise Unknown(f"{device_id} has no point {point}; it has {', '.join(device.names())}")
        if value is None:
            device.overrides.pop(point, None)
        else:
            device.overrides[point] = _fitting(device, point, value)

    def set_input(self, device_id: str, name: str, state: bool | None) -> None:
        """Somebody acts on a contact: opens a door by force, stands on a loop, presses a button. None lets go."""
        device = self.device(device_id)
        contacts = device.inputs()
        if name not in contacts:
            known = ", ".join(contacts) or "none"
            raise Unknown(f"{device_id} has no input {name}; it has {known}")
        part, role = self._wired(device_id, name)
        if isinstance(part, DoorPart) and role is part.config.contact and role is not None:
            part.hold(state == role.active)
            return
        if state is None or (role is not None and state != role.active):
            device.held.pop(name, None)
            if role is not None:
                device.values[name] = not role.active
        else:
            device.held[name] = state

    def put_fault(self, device_id: str, fault: str, for_s: float | None) -> None:
        """Breaks a device or a lane's barrier. `Unknown`, `Unfit`."""
        fits = self.supported().get(device_id)
        if fits is None:
            raise Unknown(f"there is no device {device_id}; there are {', '.join(sorted(self.supported()))}")
        if fault not in FAULTS:
            raise Unfit(f"there is no fault {fault}; there are {', '.join(FAULTS)}")
        if fault not in fits:
            raise Unfit(f"{device_id} cannot have the fault {fault}; it can have {', '.join(fits)}")
        self.faults.put(device_id, fault, None if for_s is None else self.now + for_s)

    def supported(self) -> dict[str, tuple[str, ...]]:
        """The faults that each device (and each lane's barrier) can have."""
        faults = {
            device.id: suitable(
                device.profile.protocol,
                Suits(device.bus_kind, device.role, frozenset(device.profile.points), device.profile.dialect),
            )
            for device in self.devices.values()
        }
        return faults | dict.fromkeys(self.lanes, ("stuck",))

    # --- What can be seen

    def online(self, device_id: str) -> bool:
        """Whether a device would be heard at all."""
        return self.faults.any_of(device_id, "silent", "offline") is None

    def seen(self) -> dict[str, Any]:
        """Everything, as `GET /sim/devices` tells it."""
        devices = [
            {
                "id": device.id,
                "online": self.online(device.id),
                "inputs": device.inputs(),
                "outputs": device.outputs(),
                "points": device.points(),
            }
            for device in self.devices.values()
        ]
        return {
            "devices": devices,
            "doors": {id_: part.seen() for id_, part in self.doors.items()},
            "lanes": {id_: part.seen() for id_, part in self.lanes.items()},
        }

    # --- What outlives a restart

    def memory(self) -> dict[str, dict[str, float]]:
        """What every part counted."""
        return {part.id: dict(kept) for part in self.parts if (kept := part.memory())}

    def remember(self, memory: Mapping[str, Mapping[str, float]], away_s: float) -> None:
        """Goes on from `memory`, which is `away_s` seconds old: meters counted on meanwhile."""
        for part in self.parts:
            kept = dict(memory.get(part.id, {}))
            if "total" in kept:
                kept["total"] += kept.get("rate", 0.0) * max(0.0, away_s) / 3600
            if kept:
                part.remember(kept)

    # --- Building

    def _machines(self) -> list[Part]:
        of = self._of_role
        lifts = [LiftPart(device, self.rng) for device in of("lift")]
        waters = [self._water(bus) for bus in sorted({d.config.bus for d in [*of("pump"), *of("level")]})]
        parts: list[Part] = [*lifts, *waters]
        if of("air") or of("fan"):
            self.air = AirPart("air", of("air"), of("fan"))
            parts.append(self.air)
        machines: list[WaterPart | AirPart] = [*waters, *([self.air] if self.air else [])]
        for place, device in enumerate(of("power")):
            loads: Callable[[float], float] = _sub_load(machines) if place else _main_load(machines, lifts)
            parts.append(PowerPart(device, loads, 48_211.5 if place == 0 else 9_043.2 + 100 * place))
        parts += [PlugPart(device) for device in of("plug")]
        return [*parts, *(TapPart(device, 15_320.75) for device in of("water"))]

    def _of_role(self, role: str) -> list[SimDevice]:
        return [device for device in self.devices.values() if device.role == role]

    def _water(self, bus: str) -> WaterPart:
        on_bus = [device for device in self.devices.values() if device.config.bus == bus]
        level = next((device for device in on_bus if device.role == "level"), None)
        pumps = [device for device in on_bus if device.role == "pump"]
        return WaterPart(f"water:{bus}", pumps, level, self.rng)

    def _wired(self, device: str, name: str) -> tuple[DoorPart | LanePart | None, Input | None]:
        """What a contact belongs to, and how it is wired."""
        entrances: list[DoorPart | LanePart] = [*self.doors.values(), *self.lanes.values()]
        for part in entrances:
            for contact in _contacts(part.config):
                if (contact.device, contact.point) == (device, name):
                    return part, contact
        return None, None


def _contacts(config: Door | Lane) -> list[Input]:
    if isinstance(config, Door):
        found = [config.contact, config.exit_button]
    else:
        ends = [getattr(config.barrier, "up", None), getattr(config.barrier, "down", None)]
        found = [config.loop_before, config.loop_under, *(end for end in ends if isinstance(end, Input))]
    return [contact for contact in found if contact is not None]


def _main_load(machines: list[WaterPart | AirPart], lifts: list[LiftPart]) -> Callable[[float], float]:
    return lambda hour: (
        meter.household_load(hour) + sum(one.load_kw for one in machines) + sum(one.load_kw for one in lifts)
    )


def _sub_load(machines: list[WaterPart | AirPart]) -> Callable[[float], float]:
    """Lamps of the basement, and its machines."""
    return lambda _hour: 6.4 + sum(one.load_kw for one in machines)


def _fitting(device: SimDevice, name: str, value: Value) -> Value:
    """`value` as the point's type has it; `Unfit` if it cannot be."""
    point = device.profile.points.get(name)
    kind = point.type if point is not None else "flag"
    if kind == "flag" and isinstance(value, (bool, int)) and value in (0, 1):
        return bool(value)
    if kind == "number" and isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    if kind == "label" and point is not None and value in point.labels:
        return value
    if kind == "text" and isinstance(value, str):
        return value
    expected = {"flag": "true or false", "number": "a number", "text": "a text"}.get(kind, "")
    if point is not None and kind == "label":
        expected = "one of " + ", ".join(point.labels)
    raise Unfit(f"{value!r:.40} does not fit {device.id}.{name}: {expected} is expected")

"""Doors and lanes on their devices: relays and barriers move them, contacts and loops tell of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

from config.site import CameraBarrier, Door, Input, Lane, ModbusBarrier, Output, RelayBarrier
from simulators.device import SimDevice
from simulators.machines.moment import Memory, Moment
from simulators.world import barrier, door, lane

Devices = Mapping[str, SimDevice]
EXIT_PRESS_S = 0.6


def tell(devices: Devices, contact: Input | None, active: bool) -> None:
    """Sets a contact to active or resting."""
    if contact is not None:
        devices[contact.device].values[contact.point] = active == contact.active


def is_active(devices: Devices, contact: Input | None, otherwise: bool) -> bool:
    """Whether a contact is active, whoever made it so; `otherwise` where there is none."""
    if contact is None:
        return otherwise
    return bool(devices[contact.device].value(contact.point)) == contact.active


class DoorPart:
    """A door with its lock, its contact and its exit button."""

    def __init__(self, id_: str, config: Door, devices: Devices) -> None:
        self.id = id_
        self.config = config
        self.state = door.Door()
        self._devices = devices
        self._press_left_s = 0.0
        tell(devices, config.contact, False)
        tell(devices, config.exit_button, False)

    @property
    def released(self) -> bool:
        """Whether the lock lets go now."""
        lock = self.config.lock
        return bool(self._devices[lock.device].value(lock.output))

    def walk(self, person: door.Walker) -> None:
        """Somebody wants through as soon as the lock lets go."""
        self.state = door.approach(self.state, person)

    def press_exit(self) -> None:
        """Somebody presses the exit button."""
        self._press_left_s = EXIT_PRESS_S
        tell(self._devices, self.config.exit_button, True)

    def hold(self, open_: bool) -> None:
        """Somebody holds the door open, whatever the lock says, or lets it fall shut."""
        self.state = door.force(self.state, open_)
        tell(self._devices, self.config.contact, open_)

    def step(self, moment: Moment) -> None:
        """Moves the door; an exit button springs back."""
        before = self.state.contact_open
        self.state = door.step(self.state, self.released, moment.dt)
        if self.state.contact_open != before:
            tell(self._devices, self.config.contact, self.state.contact_open)
        if self._press_left_s > 0:
            self._press_left_s -= moment.dt
            if self._press_left_s <= 0:
                tell(self._devices, self.config.exit_button, False)

    def memory(self) -> Memory:
        """A door remembers nothing."""
        return {}

    def remember(self, memory: Memory) -> None:
        """A door remembers nothing."""

    def seen(self) -> dict[str, Any]:
        """Lock and contact, as the control API tells them."""
        contact = is_active(self._devices, self.config.contact, self.state.contact_open)
        return {"lock": "released" if self.released else "locked", "contact": "open" if contact else "closed"}


class LanePart:
    """A lane with its barrier, its loops and its camera. `shots`: cars that the camera saw and nobody has fetched."""

    def __init__(self, id_: str, config: Lane, devices: Devices, rng: Random) -> None:
        self.id = id_
        self.config = config
        self.arm = barrier.Barrier(travel_s=rng.uniform(1.5, 3.0))
        self.lane = lane.Lane()
        self.shots: list[lane.Car] = []
        self.passed_now = 0
        self._devices = devices
        self._rises: dict[str, int] = {}
        self._tell_all()

    def drive_up(self, car: lane.Car, *, impatient: bool) -> bool:
        """A car joins the lane; False if the lane is full."""
        before = self.lane
        self.lane = lane.drive_up(before, car, impatient=impatient)
        return any(other.ticket == car.ticket for other in self.lane.cars)

    def lift(self) -> None:
        """The camera closes its own output: the arm goes up."""
        if isinstance(self.config.barrier, CameraBarrier):
            self.arm = barrier.obey(self.arm, "open")

    def step(self, moment: Moment) -> None:
        """Carries out commands, moves arm and cars, tells loops and contacts."""
        stuck = self._stuck(moment)
        for what in self._commands():
            if not stuck:
                self.arm = barrier.obey(self.arm, what)
        passed = self.lane.passed
        self.lane, seen = lane.step(self.lane, self.arm.position >= 1, self.arm.opens, moment.dt)
        self.passed_now = self.lane.passed - passed
        self.shots = [*self.shots, *seen][-lane.QUEUE_LIMIT :]
        tell(self._devices, self.config.loop_before, self.lane.before)
        tell(self._devices, self.config.loop_under, self.lane.under)
        if not stuck:
            under = is_active(self._devices, self.config.loop_under, self.lane.under)
            self.arm = barrier.step(self.arm, under or self.lane.under, moment.dt)
        self._tell_arm()

    def memory(self) -> Memory:
        """How often the arm moved."""
        return {"operations": self.arm.operations}

    def remember(self, memory: Memory) -> None:
        """Goes on counting."""
        self.arm = replace(self.arm, operations=int(memory.get("operations", 0)))

    def seen(self) -> dict[str, Any]:
        """Barrier and loops, as the control API tells them."""
        loops = {
            "before": is_active(self._devices, self.config.loop_before, self.lane.before),
            "under": is_active(self._devices, self.config.loop_under, self.lane.under),
        }
        return {"barrier": self.arm.place, "loops": loops, "waiting": [car.plate for car in self.lane.cars]}

    def _stuck(self, moment: Moment) -> bool:
        config = self.config.barrier
        own = config.device if isinstance(config, ModbusBarrier) else self.id
        return moment.faults.has(own, "stuck") or moment.faults.has(self.id, "stuck")

    def _commands(self) -> list[barrier.ArmCommand]:
        config = self.config.barrier
        if isinstance(config, ModbusBarrier):
            words: dict[str, barrier.ArmCommand] = {config.open: "open", config.close: "close", "stop": "stop"}
            given = self._devices[config.device].taken_commands()
            return [words[command.command] for command in given if command.command in words]
        if isinstance(config, RelayBarrier):
            opened: list[barrier.ArmCommand] = ["open"] if self._rose("open", config.open) else []
            closed: list[barrier.ArmCommand] = ["close"] if self._rose("close", config.close) else []
            return opened + closed
        return []

    def _rose(self, key: str, output: Output | None) -> bool:
        """Whether a relay closed since the last step: a command is the edge, not the level."""
        if output is None:
            return False
        rises = self._devices[output.device].rises.get(output.output, 0)
        before = self._rises.setdefault(key, 0)
        self._rises[key] = rises
        return rises > before

    def _tell_all(self) -> None:
        tell(self._devices, self.config.loop_before, False)
        tell(self._devices, self.config.loop_under, False)
        self._tell_arm()

    def _tell_arm(self) -> None:
        config = self.config.barrier
        if isinstance(config, RelayBarrier):
            tell(self._devices, config.up, self.arm.position >= 1)
            tell(self._devices, config.down, self.arm.position <= 0)
        elif isinstance(config, ModbusBarrier):
            self._devices[config.device].put(
                {
                    config.status: self._status(config),
                    "position": round(self.arm.position * 100),
                    "operations": self.arm.operations,
                    "board_temp": 31.0,
                    "board_id": 81,
                }
            )

    def _status(self, config: ModbusBarrier) -> str:
        if self.arm.position >= 1:
            return config.up[0]
        if self.arm.position <= 0 and self.arm.motion != "up":
            return config.down[0]
        return {"up": "opening", "down": "closing", "rest": "stopped"}[self.arm.motion]

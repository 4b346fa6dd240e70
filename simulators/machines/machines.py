"""Lifts, pumps with their basin, and the air of a garage, on their devices. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from contract.readings import Value
from simulators.device import SimDevice
from simulators.machines.moment import Memory, Moment
from simulators.world import air, lift, water

FLOOD_M3H = 45.0
DRIFT_S = 90.0
"""An inflow wanders to a new value in about so many seconds."""


class LiftPart:
    """One lift on its monitor."""

    def __init__(self, device: SimDevice, rng: Random) -> None:
        self.id = device.id
        self.device = device
        self.state = lift.Lift(height=float(rng.randint(1, 12)), rest_s=rng.uniform(1, 8))
        self.state = replace(self.state, target=self.state.floor, trips=rng.randint(4000, 90000), run_hours=812.0)
        self._tell()

    @property
    def load_kw(self) -> float:
        """What the drive draws."""
        return 7.5 if self.state.running else 0.4

    def step(self, moment: Moment) -> None:
        """Travels, or stands with people inside."""
        self.state = lift.trap(self.state, moment.faults.has(self.device.id, "trapped"))
        self.state = lift.step(self.state, moment.rng, moment.dt)
        self._tell()

    def memory(self) -> Memory:
        """Trips and hours."""
        return {"trips": self.state.trips, "run_hours": self.state.run_hours}

    def remember(self, memory: Memory) -> None:
        """Goes on counting."""
        trips, hours = int(memory.get("trips", 0)), memory.get("run_hours", 0.0)
        self.state = replace(self.state, trips=max(self.state.trips, trips), run_hours=max(self.state.run_hours, hours))

    def _tell(self) -> None:
        now = self.state
        at_floor = now.height == now.floor
        self.device.put(
            {
                "mode": "normal",
                "direction": now.direction,
                "floor": now.floor,
                "door": _doors(now),
                "running": now.running,
                "door_zone": at_floor,
                "door_closed": not now.doors_open,
                "up": now.direction == "up",
                "down": now.direction == "down",
                "occupied": now.running or now.trapped,
                "fault": now.trapped,
                "trapped": now.trapped,
                "alarm_button": now.trapped,
                "fault_code": "outside_door_zone" if now.trapped else "none",
                "runs": now.trips,
                "run_hours": now.run_hours,
                "door_cycles": now.trips,
            }
        )


def _doors(now: lift.Lift) -> str:
    if not now.doors_open:
        return "closed"
    if now.doors_left_s > lift.DOOR_S - 1:
        return "opening"
    return "closing" if now.doors_left_s < 1 else "open"


class WaterPart:
    """Pumps of one line that take turns by the level of the basin on the same line (or of one that nobody measures)."""

    def __init__(self, id_: str, pumps: Sequence[SimDevice], level: SimDevice | None, rng: Random) -> None:
        self.id = id_
        self.devices = list(pumps)
        self.level = level
        self.pumps = [
            water.Pump(hours=rng.uniform(900, 4000), energy=rng.uniform(2000, 9000), starts=rng.randint(800, 3000))
            for _ in pumps
        ]
        self.basin = water.Basin(level=rng.uniform(1.25, 1.4))
        self.inflow = 4.0
        self._aim = 4.0
        self._by_hand: list[bool | None] = [None for _ in pumps]
        self._setpoints = [100.0 for _ in pumps]
        if level is not None:
            level.raws = {"to_metres": 7, "decimals": 3}
        self._tell()

    @property
    def load_kw(self) -> float:
        """What the pumps draw."""
        return sum(pump.power for pump in self.pumps) / 1000

    def step(self, moment: Moment) -> None:
        """Water comes in, pumps take turns."""
        self._flow_in(moment)
        count = len(self.pumps)
        for place, device in enumerate(self.devices):
            self._obey(place, device)
            by_hand = self._by_hand[place]
            wanted = by_hand if by_hand is not None else water.commanded(self.basin, place, count)
            self.pumps[place] = water.step_pump(self.pumps[place], wanted, _pump_fault(device.id, moment), moment.dt)
        # Without a pump of its own, a basin is emptied by one that nobody measures.
        outflow = sum(pump.flow for pump in self.pumps) if self.pumps else water.FLOW_M3H * self.basin.wanted
        count = max(1, count)
        flood = self.level is not None and moment.faults.has(self.level.id, "flood")
        self.basin = water.step_basin(self.basin, FLOOD_M3H if flood else self.inflow, outflow, count, moment.dt)
        self._tell()

    def memory(self) -> Memory:
        """Hours, energy and starts of each pump; the level."""
        counted: dict[str, float] = {"level": self.basin.level}
        for place, pump in enumerate(self.pumps):
            counted |= {f"{place}.hours": pump.hours, f"{place}.energy": pump.energy, f"{place}.starts": pump.starts}
        return counted

    def remember(self, memory: Memory) -> None:
        """Goes on counting."""
        level = min(self.basin.depth, max(0.0, memory.get("level", self.basin.level)))
        self.basin = replace(self.basin, level=level)
        for place, pump in enumerate(self.pumps):
            self.pumps[place] = replace(
                pump,
                hours=memory.get(f"{place}.hours", pump.hours),
                energy=memory.get(f"{place}.energy", pump.energy),
                starts=int(memory.get(f"{place}.starts", pump.starts)),
            )

    def _flow_in(self, moment: Moment) -> None:
        if moment.rng.random() < moment.dt / DRIFT_S:
            self._aim = moment.rng.uniform(2.5, 7.0)
        self.inflow += (self._aim - self.inflow) * min(1.0, moment.dt / 20)

    def _obey(self, place: int, device: SimDevice) -> None:
        for command in device.taken_commands():
            if command.command in ("start", "reset_alarm"):
                self._by_hand[place] = True
            elif command.command == "stop":
                self._by_hand[place] = False
            elif command.command == "release":
                self._by_hand[place] = None
            elif command.command == "setpoint" and isinstance(command.value, float):
                self._setpoints[place] = command.value

    def _tell(self) -> None:
        for place, (device, pump) in enumerate(zip(self.devices, self.pumps, strict=True)):
            device.put(self._pump_points(pump, self._by_hand[place], self._setpoints[place]))
        if self.level is not None:
            full = round(self.basin.depth * 1000)
            self.level.put(
                {
                    "level": round(self.basin.level, 3),
                    "unit_code": "mh2o",
                    "decimals": 3,
                    "range_zero": 0,
                    "range_full": full,
                }
            )

    def _pump_points(self, pump: water.Pump, by_hand: bool | None, setpoint: float) -> dict[str, Value]:
        return {
            "rotating": pump.rotating,
            "on": pump.commanded,
            "remote_control": by_hand is not None,
            "alarm": pump.fault is not None,
            "warning": False,
            "at_max_speed": pump.spin >= 1,
            "process_feedback": round(pump.spin * setpoint, 2),
            "control_mode": "const_level",
            "operation_mode": "auto",
            "alarm_code": pump.alarm_code,
            "head": pump.head,
            "flow": pump.flow,
            "speed": pump.spin * water.SPEED_RPM,
            "frequency": pump.spin * 50.0,
            "current": pump.power / (1.732 * 400 * 0.86),
            "power": pump.power,
            "motor_temp": pump.motor_temp,
            "hours": pump.hours,
            "energy": pump.energy,
            "starts": pump.starts,
        }


def _pump_fault(device: str, moment: Moment) -> water.PumpFault | None:
    if moment.faults.has(device, "trip"):
        return "trip"
    return "dry-run" if moment.faults.has(device, "dry-run") else None


class AirPart:
    """Sensors and fans of one garage: cars bring carbon monoxide, the fans clear it."""

    def __init__(self, id_: str, sensors: Sequence[SimDevice], fans: Sequence[SimDevice]) -> None:
        self.id = id_
        self.sensors = list(sensors)
        self.devices = list(fans)
        self.ppm = 8.0
        self.fans = [air.Fan() for _ in fans]
        self.battery = 94.0
        self.cars = 0
        self._by_hand: list[bool | None] = [None for _ in fans]
        self._set_hz = [air.FAN_HZ for _ in fans]
        self._climate = (21.5, 62.0)

    @property
    def load_kw(self) -> float:
        """What the fans draw."""
        return sum(fan.power for fan in self.fans) / 1000

    def step(self, moment: Moment) -> None:
        """Air moves, fans follow."""
        gas = any(moment.faults.has(sensor.id, "gas") for sensor in self.sensors)
        blown = sum(fan.frequency for fan in self.fans)
        self.ppm = air.step_co(
            self.ppm, moment.rng, moment.dt, cars=self.cars, fan_hz=blown, leak_ppm_s=4.0 if gas else 0.0
        )
        self.cars = 0
        for place, device in enumerate(self.devices):
            self._obey(place, device)
            tripped = moment.faults.has(device.id, "trip")
            self.fans[place] = air.step_fan(
                self.fans[place],
                self.ppm,
                moment.dt,
                by_hand=self._by_hand[place],
                set_hz=self._set_hz[place],
                tripped=tripped,
            )
            device.put(_fan_points(self.fans[place], self._set_hz[place]))
        if moment.rng.random() < moment.dt / 20:
            self._climate = air.climate(moment.hour, moment.rng)
        for sensor in self.sensors:
            self._tell(sensor, moment)

    def memory(self) -> Memory:
        """The air itself."""
        return {"ppm": self.ppm}

    def remember(self, memory: Memory) -> None:
        """Goes on with the air as it was."""
        self.ppm = min(500.0, max(0.0, memory.get("ppm", self.ppm)))

    def _obey(self, place: int, device: SimDevice) -> None:
        for command in device.taken_commands():
            if command.command == "control":
                self._by_hand[place] = command.value in ("forward", "reverse", "jog_forward", "jog_reverse")
                if command.value == "fault_reset":
                    self._by_hand[place] = None
            elif command.command == "set_frequency" and isinstance(command.value, float):
                self._set_hz[place] = min(60.0, max(0.0, command.value))

    def _tell(self, sensor: SimDevice, moment: Moment) -> None:
        temperature, humidity = self._climate
        sensor.put(
            {
                "co": round(self.ppm, 1),
                "temperature": round(temperature, 1),
                "humidity": round(humidity, 1),
                "leak": moment.faults.has(sensor.id, "leak"),
                "smoke": moment.faults.has(sensor.id, "smoke"),
                "smoke_density": 32 if moment.faults.has(sensor.id, "smoke") else 0,
                "pressure": 1013.0,
                "link": 120,
                "battery": 4 if moment.faults.has(sensor.id, "low-battery") else self.battery,
            }
        )


def _fan_points(fan: air.Fan, set_hz: float) -> dict[str, Value]:
    turning = fan.frequency > 0.05
    return {
        "state": "fault" if fan.tripped else "forward" if turning else "stop",
        "fault_code": 4 if fan.tripped else 0,
        "frequency": fan.frequency,
        "set_frequency": set_hz,
        "dc_bus": 537.0,
        "voltage": fan.frequency / 50 * 380,
        "current": fan.power / (1.732 * 380 * 0.85) + (2.1 if turning else 0.0),
        "speed": fan.frequency / 50 * 1455,
        "power_pct": fan.power / air.FAN_POWER_W * 100,
        "torque_pct": (fan.frequency / 50) ** 2 * 100,
        "id_code": 0x10D,
    }

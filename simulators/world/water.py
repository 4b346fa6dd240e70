"""Water: a basin with an inflow, pumps that take turns by its level, each with its flow, head, power, warmth. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

PumpFault = Literal["dry-run", "trip"]

FLOW_M3H = 11.5
HEAD_BAR = 3.2
POWER_W = 2200.0
SPEED_RPM = 2910.0
AMBIENT_C = 24.0
RUN_UP_S = 2.0


@dataclass(frozen=True, slots=True)
class Pump:
    """A pump. `spin`: 0 at rest … 1 at full speed. Energy in kWh, hours of running, temperature of the motor in °C."""

    commanded: bool = False
    spin: float = 0.0
    flow: float = 0.0
    head: float = 0.0
    power: float = 0.0
    motor_temp: float = AMBIENT_C
    hours: float = 0.0
    energy: float = 0.0
    starts: int = 0
    fault: PumpFault | None = None

    @property
    def rotating(self) -> bool:
        """Whether the shaft turns."""
        return self.spin > 0.05

    @property
    def alarm_code(self) -> str:
        """The pump's own word for its fault."""
        return {"dry-run": "dry_running", "trip": "overload", None: "none"}[self.fault]


def step_pump(pump: Pump, commanded: bool, fault: PumpFault | None, dt: float) -> Pump:
    """The pump `dt` seconds later. A pump without water goes on turning; one that tripped stands."""
    runs = (commanded or fault == "dry-run") and fault != "trip"
    spin = _towards(pump.spin, 1.0 if runs else 0.0, dt / RUN_UP_S)
    wet = 0.0 if fault == "dry-run" else 1.0
    power = POWER_W * spin**3 * (0.28 + 0.72 * wet)
    warm = AMBIENT_C + power / POWER_W * 38.0 + (30.0 if fault == "trip" else 0.0)
    return Pump(
        commanded=commanded,
        spin=spin,
        flow=FLOW_M3H * spin * wet,
        head=HEAD_BAR * spin**2 * wet,
        power=power,
        motor_temp=pump.motor_temp + (warm - pump.motor_temp) * min(1.0, dt / 120.0),
        hours=pump.hours + (dt / 3600 if spin > 0.05 else 0.0),
        energy=pump.energy + power * dt / 3.6e6,
        starts=pump.starts + (runs and not pump.rotating and spin > 0.05),
        fault=fault,
    )


@dataclass(frozen=True, slots=True)
class Basin:
    """A basin: level and depth in metres, area in m². `lead`: the pump whose turn it is. `wanted`: pumps to run."""

    level: float = 0.9
    depth: float = 3.0
    area: float = 0.6
    stop_at: float = 0.5
    start_at: float = 1.5
    help_at: float = 2.1
    lead: int = 0
    wanted: int = 0


def step_basin(basin: Basin, inflow: float, outflow: float, pumps: int, dt: float) -> Basin:
    """The basin `dt` seconds later; flows in m³/h. Levels stay within the basin: what is too much runs over."""
    level = basin.level + (inflow - outflow) * dt / 3600 / basin.area
    level = min(basin.depth, max(0.0, level))
    wanted = basin.wanted
    lead = basin.lead
    if level <= basin.stop_at and wanted:
        wanted, lead = 0, (basin.lead + 1) % max(1, pumps)
    elif level >= basin.help_at:
        wanted = min(2, pumps)
    elif level >= basin.start_at and not wanted:
        wanted = min(1, pumps)
    return replace(basin, level=level, wanted=wanted, lead=lead)


def commanded(basin: Basin, place: int, pumps: int) -> bool:
    """Whether the pump at `place` of `pumps` should run now."""
    return (place - basin.lead) % max(1, pumps) < basin.wanted


def _towards(value: float, aim: float, most: float) -> float:
    return min(aim, value + most) if aim > value else max(aim, value - most)

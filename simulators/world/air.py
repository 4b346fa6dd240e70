"""Air: carbon monoxide of cars, a fan that clears it, warmth and damp by the time of day. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

FAN_HZ = 45.0
FAN_POWER_W = 7500.0
RAMP_HZ_PER_S = 5.0
FAN_ON_PPM = 24.0
FAN_OFF_PPM = 10.0
AMBIENT_PPM = 3.0
CAR_PPM = 2.5
"""What one passing car leaves behind."""


@dataclass(frozen=True, slots=True)
class Fan:
    """A fan on a drive. `tripped`: the drive stopped it. `wanted`: commanded to run, by its controller or by hand."""

    wanted: bool = False
    frequency: float = 0.0
    tripped: bool = False

    @property
    def power(self) -> float:
        """Watts: with the cube of the speed."""
        return FAN_POWER_W * (self.frequency / 50.0) ** 3


def step_fan(fan: Fan, ppm: float, dt: float, *, by_hand: bool | None, set_hz: float, tripped: bool) -> Fan:
    """The fan `dt` seconds later: on by the gas, off when it is clear, unless somebody commanded it by hand."""
    wanted = by_hand if by_hand is not None else (ppm > FAN_ON_PPM or (fan.wanted and ppm > FAN_OFF_PPM))
    aim = set_hz if wanted and not tripped else 0.0
    change = RAMP_HZ_PER_S * dt * (4 if tripped else 1)
    frequency = min(aim, fan.frequency + change) if aim > fan.frequency else max(aim, fan.frequency - change)
    return Fan(wanted=wanted, frequency=frequency, tripped=tripped)


def step_co(ppm: float, rng: Random, dt: float, *, cars: int, fan_hz: float, leak_ppm_s: float) -> float:
    """Carbon monoxide `dt` seconds later, 0–500 ppm: cars bring it, the fan and the doors let it out."""
    clearing = (ppm - AMBIENT_PPM) * (1 / 240 + fan_hz / FAN_HZ / 45) * dt
    noise = rng.gauss(0, 0.15) * math.sqrt(dt)
    return min(500.0, max(0.0, ppm - clearing + cars * CAR_PPM + leak_ppm_s * dt + noise))


def climate(hour: float, rng: Random) -> tuple[float, float]:
    """Temperature in °C and relative humidity in % below ground at `hour` of the day."""
    wave = math.cos((hour - 15) / 24 * 2 * math.pi)
    return 21.5 + 1.8 * wave + rng.gauss(0, 0.05), 62.0 - 6.0 * wave + rng.gauss(0, 0.2)

"""Plugs with power metering: what hangs on them draws while they are on. Pure."""

from __future__ import annotations

from simulators.device import SimDevice
from simulators.machines.moment import Memory, Moment

LOAD_W = 46.0
MAINS_V = 230.0
FACTOR = 0.94


class PlugPart:
    """One plug with a lamp on it."""

    def __init__(self, device: SimDevice) -> None:
        self.id = device.id
        self.device = device
        self._energy = 12.5
        self._noise = 0.0

    def step(self, moment: Moment) -> None:
        """Counts while it is on."""
        self._noise += (moment.rng.gauss(0, 0.5) - self._noise) * min(1.0, moment.dt / 5)
        on = any(self.device.output_on(output) for output in self.device.profile.outputs)
        power = LOAD_W + self._noise if on else 0.0
        volts = MAINS_V + self._noise
        self._energy += power / 1000 * moment.dt / 3600
        self.device.put(
            {
                "power": round(power, 1),
                "voltage": round(volts, 1),
                "current": round(power / volts / FACTOR, 3),
                "power_factor": FACTOR if on else 0.0,
                "energy": round(self._energy, 4),
            }
        )

    def memory(self) -> Memory:
        """The counter."""
        return {"energy": self._energy}

    def remember(self, memory: Memory) -> None:
        """Goes on counting, never from less."""
        self._energy = max(self._energy, memory.get("energy", self._energy))

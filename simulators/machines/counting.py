"""Meters on their devices: what the site's loads and taps draw, counted. Pure."""

from __future__ import annotations

from collections.abc import Callable

from contract.readings import Value
from simulators.device import SimDevice
from simulators.machines.moment import Memory, Moment
from simulators.world import meter

Load = Callable[[float], float]
"""kW (or m³/h) at an hour of the day."""


class PowerPart:
    """An electricity meter over a load in kW."""

    def __init__(self, device: SimDevice, load: Load, start_kwh: float) -> None:
        self.id = device.id
        self.device = device
        self.counter = meter.Counter(total=start_kwh)
        self._load = load
        self._sag = 0.0
        if "ct" in device.profile.points:
            device.put({"pt": 1.0, "ct": 20.0})

    def step(self, moment: Moment) -> None:
        """Counts."""
        self._sag += (moment.rng.gauss(0, 0.8) - self._sag) * min(1.0, moment.dt / 3)
        load = max(0.0, self._load(moment.hour) * (1 + self._sag / 60))
        self.counter = meter.step(self.counter, load, moment.dt)
        self.device.put(self._points())
        if moment.faults.has(self.device.id, "phase-loss"):
            self.device.put(dict.fromkeys(("voltage_l1", "current_l1", "power_l1", "voltage", "current"), 0.0))

    def memory(self) -> Memory:
        """The register and what flows."""
        return {"total": self.counter.total, "rate": self.counter.rate}

    def remember(self, memory: Memory) -> None:
        """Goes on counting, never from less."""
        self.counter = meter.Counter(total=max(self.counter.total, memory.get("total", 0.0)))

    def _points(self) -> dict[str, Value]:
        kilowatts = self.counter.rate
        watts = self.device.profile.points["power"].unit == "W" if "power" in self.device.profile.points else False
        power = kilowatts * (1000 if watts else 1)
        factor = 0.94
        mains = 231.0 - kilowatts / 60 + self._sag
        values: dict[str, Value] = {
            "power": power,
            "apparent_power": power / factor,
            "reactive_power": power * 0.36,
            "power_factor": factor,
            "frequency": 50.0 + self._sag / 100,
            "energy_import": self.counter.total,
            "energy_total": self.counter.total,
            "energy_export": 0.0,
            "voltage": mains,
            "current": kilowatts * 1000 / mains / factor,
        }
        for phase, share in enumerate((0.36, 0.33, 0.31), start=1):
            volts = mains + phase * 0.3
            values[f"voltage_l{phase}"] = volts
            values[f"power_l{phase}"] = power * share
            values[f"current_l{phase}"] = kilowatts * 1000 * share / volts / factor
        return values


SUPPLY_C, RETURN_C = 62.0, 45.0
KWH_PER_M3 = 1.163 * (SUPPLY_C - RETURN_C)
"""Heat that a cubic metre of water leaves behind between these temperatures."""


class TapPart:
    """A water meter over what the compound draws in m³/h."""

    def __init__(self, device: SimDevice, start_m3: float) -> None:
        self.id = device.id
        self.device = device
        self.counter = meter.Counter(total=start_m3)
        self._taps = 1.0

    def step(self, moment: Moment) -> None:
        """Counts."""
        if moment.rng.random() < moment.dt / 15:
            self._taps = moment.rng.uniform(0.6, 1.4)
        rate = meter.household_water(moment.hour) * self._taps
        self.counter = meter.step(self.counter, rate, moment.dt)
        self.device.put(
            {
                "volume_forward": self.counter.total,
                "volume_reverse": 0.0,
                "flow": self.counter.rate,
                "pipe_status": "full",
                "heat_energy": self.counter.total * KWH_PER_M3,
                "heat_power": self.counter.rate * KWH_PER_M3,
                "supply_temperature": SUPPLY_C,
                "return_temperature": RETURN_C,
            }
        )

    def memory(self) -> Memory:
        """The register and what flows."""
        return {"total": self.counter.total, "rate": self.counter.rate}

    def remember(self, memory: Memory) -> None:
        """Goes on counting, never from less."""
        self.counter = meter.Counter(total=max(self.counter.total, memory.get("total", 0.0)))

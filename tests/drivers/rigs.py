"""One product on a wire: its simulator and the real driver, on real sockets and ptys, with nothing faked in between."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from config import load_site
from contract.readings import Reading, Value
from drivers.bus import Bus
from drivers.meters.product import meter_of
from drivers.opening import open_bus
from drivers.profiles.profile import Profile
from drivers.profiles.words import Poll
from drivers.reports import DeviceFound, InputRefused, PointsRead, Report
from simulators.actions import Action
from simulators.device import SimDevice
from simulators.dlt645.meter import PASSWORD
from simulators.ends import Setting
from simulators.site import SimSite
from simulators.wires import WIRES
from tests.drivers.meter_values import PASSWORD_FILE

DEVICE = "d"
BUS = "wire"
PATIENCE_S = 60.0
"""What must come may take its time on a busy machine."""


class Hanging(NamedTuple):
    """How a product hangs on a wire in a site file: what the bus says, and what the device says besides its profile."""

    bus: str
    device: str = ""


@dataclass
class Rig:
    """A product that runs. `latest`: each point's last reading; `acts`: what was written to the simulated device."""

    site: SimSite
    profile: Profile
    bus: Bus
    latest: dict[str, Reading] = field(default_factory=dict)
    reports: list[Report] = field(default_factory=list)
    acts: list[Action] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def device(self) -> SimDevice:
        """The simulated device."""
        return self.site.devices[DEVICE]

    def take(self, report: Report) -> None:
        """The sink of the driver."""
        self.reports.append(report)
        if isinstance(report, PointsRead):
            self.latest.update({reading.point.partition(".")[2]: reading for reading in report.readings})
        self._news.set()

    async def until(self, true: Callable[[], Any]) -> None:
        """Waits for reports until something is so."""
        async with asyncio.timeout(PATIENCE_S):
            while not true():
                self._news.clear()
                await self._news.wait()

    async def reads(self, expected: dict[str, Value]) -> None:
        """Waits until every point of `expected` reads as it says (None: bad). Fails with the ones that do not."""
        try:
            await self.until(lambda: not self.wrong(expected))
        except TimeoutError:
            raise AssertionError(f"{self.profile.id}: {self.wrong(expected)}") from None

    def wrong(self, expected: dict[str, Value]) -> dict[str, tuple[Value, Reading | None]]:
        """The points that do not read as expected, with both."""
        return {
            name: (value, self.latest.get(name))
            for name, value in expected.items()
            if name not in self.latest or not _same(self.latest[name], value)
        }

    def refused(self) -> list[str]:
        """What the driver did not understand of what came."""
        return [report.why for report in self.reports if isinstance(report, InputRefused)]


def _same(reading: Reading, value: Value) -> bool:
    if value is None:
        return reading.quality == "bad"
    if reading.quality != "good" or isinstance(reading.value, bool) != isinstance(value, bool):
        return False
    if isinstance(value, (bool, str)) or not isinstance(reading.value, (int, float)):
        return reading.value == value
    return abs(reading.value - value) <= 1e-6 * max(abs(value), abs(reading.value)) + 1e-9


@asynccontextmanager
async def rig(folder: Path, profile: Profile, hanging: Hanging) -> AsyncIterator[Rig]:
    """The product simulated, and its driver running and in contact, until the block ends."""
    site = _site(folder, profile, hanging)
    spied: list[Action] = []
    device = site.devices[DEVICE]
    act = device.act

    def spy(action: Action) -> None:
        spied.append(action)
        act(action)

    device.act = spy  # type: ignore[method-assign]
    site.at(time.monotonic())
    bus = site.site.buses[BUS]
    wire = WIRES[bus.kind](Setting(BUS, bus, [DEVICE], site, {}, folder / "ptys", "http://127.0.0.1:9", paced=False))
    entry = await wire.open({})
    running: Rig

    def sink(report: Report) -> None:
        running.take(report)

    owner = open_bus(
        BUS,
        bus.model_copy(update=entry),
        {DEVICE: (device.config, brisk(profile))},
        sink=sink,
        clock=lambda: int(time.time() * 1000),
        folder=folder,
    )
    running = Rig(site, profile, owner, acts=spied)
    task = asyncio.create_task(owner.run())
    try:
        await running.until(lambda: any(isinstance(report, DeviceFound) for report in running.reports))
        yield running
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await wire.close()


def brisk(profile: Profile) -> Profile:
    """The product, asked for everything at once again and again, and every change told.

    Where each register is asked for alone, at a pace that leaves the wire room: else the less urgent ones would wait.
    """
    pace = 0.02 if profile.limits.registers > 1 else 0.4
    points = {id: replace(point, deadband=0.0) for id, point in profile.points.items()}
    if meter_of(profile) is not None:
        limits = profile.limits.model_copy(update={"guard_s": 0.0})
        return replace(profile, poll=Poll(alarm=0.2, normal=0.2, meter=0.2), points=points, limits=limits)
    return replace(profile, poll=Poll(alarm=pace, normal=pace, meter=pace), points=points)


def _site(folder: Path, profile: Profile, hanging: Hanging) -> SimSite:
    ratios = ", ".join(f"{word}: 1" for word in profile.untold)
    extra = ", ".join(part for part in (hanging.device, ratios and f"scale_by: {{{ratios}}}") if part)
    text = f"""\
site: bench
name: {{zh: 台, en: Bench}}
gateway: bench-gw
buses:
  {BUS}: {hanging.bus}
devices:
  {DEVICE}: {{profile: {profile.id}, bus: {BUS}{extra and ", " + extra}}}
"""
    (folder / PASSWORD_FILE).write_text(PASSWORD, encoding="utf-8")
    path = folder / "site.yaml"
    path.write_text(text, encoding="utf-8")
    loaded = load_site(path)
    return SimSite(loaded.site, loaded.profiles)

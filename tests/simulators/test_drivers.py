"""The whole demo site between the project's own drivers and its simulators: real wires, no gateway."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from config import load_site
from contract.readings import Reading
from drivers.bus import Bus, CommandFailed
from drivers.opening import open_bus
from drivers.reports import CredentialRead, DeviceFound, DeviceLost, InputRefused, PointsRead, Report
from tests.simulators.stage import DEMO, Stage, simulated, until

REACHABLE = {"modbus-tcp", "modbus-rtu", "line-tcp", "line-serial"}


TOLD: list[tuple[str, str, float]] = [
    ("pump-1", "flow", 12.3),
    ("sump-1", "level", 1.234),
    ("lift-2", "floor", -1),
    ("fan-1", "frequency", 31.5),
    ("meter-b1", "power", 12.34),
    ("meter-water", "flow", 3.25),
    ("barrier-in", "position", 55),
]


class Gateway:
    """The drivers' end of the demo site: owners of its wires, and what they reported."""

    def __init__(self, wires: Path) -> None:
        known = json.loads(wires.read_text())
        self.loaded = load_site(DEMO, wires={id_: entry for id_, entry in known.items() if id_ != "uplink"})
        self.reports: list[Report] = []
        self.latest: dict[str, Reading] = {}
        self.buses: dict[str, Bus] = {}
        for id_, bus in self.loaded.site.buses.items():
            devices = {d: (device, self.loaded.profile_of(d)) for d, device in self.loaded.site.devices.items()
                       if device.bus == id_}  # fmt: skip
            if bus.kind in REACHABLE:
                self.buses[id_] = open_bus(id_, bus, devices, sink=self.take, clock=lambda: int(time.time() * 1000))

    def take(self, report: Report) -> None:
        """The sink."""
        self.reports.append(report)
        if isinstance(report, PointsRead):
            self.latest.update({reading.point: reading for reading in report.readings})

    def found(self) -> set[str]:
        """Devices that answered."""
        return {report.device for report in self.reports if isinstance(report, DeviceFound)}

    def lost(self) -> set[str]:
        """Devices that stopped answering."""
        return {report.device for report in self.reports if isinstance(report, DeviceLost)}

    def expected(self) -> set[str]:
        """Every device on a wire that is opened here."""
        return {id_ for id_, device in self.loaded.site.devices.items() if device.bus in self.buses}

    def value(self, point: str) -> object:
        """What a point read last."""
        reading = self.latest.get(point)
        return reading.value if reading is not None and reading.quality == "good" else None


@asynccontextmanager
async def met(folder: Path) -> AsyncIterator[tuple[Stage, Gateway]]:
    async with simulated(folder) as stage:
        gateway = Gateway(folder / "wires.json")
        tasks = [asyncio.create_task(bus.run()) for bus in gateway.buses.values()]
        try:
            await until(lambda: gateway.found() >= gateway.expected(), within_s=20)
            yield stage, gateway
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def test_every_device_is_found_and_reads_as_it_is(tmp_path: Path) -> None:
    async with met(tmp_path) as (stage, gateway):
        expected = {
            f"{device}.{point}" for device in gateway.expected() for point in gateway.loaded.profile_of(device).points
        }
        await until(lambda: set(gateway.latest) >= expected, within_s=30)
        bad = {point for point in expected if gateway.latest[point].quality != "good"}
        assert bad == set()
        assert not [report for report in gateway.reports if isinstance(report, InputRefused)]
        for device, point, value in TOLD:
            stage.site.set_point(device, point, value)
            wanted = pytest.approx(value)
            name = f"{device}.{point}"
            await until(lambda name=name, wanted=wanted: gateway.value(name) == wanted, within_s=30)  # type: ignore[misc]


async def test_cards_arrive_from_both_kinds_of_readers(tmp_path: Path) -> None:
    async with met(tmp_path) as (stage, gateway):
        for reader in ("lobby-a-in", "garage-in"):
            await stage.post(f"/sim/readers/{reader}/present", {"card": "04A1B2C3D4E5F6"})
            card = CredentialRead(reader, "card", "04A1B2C3D4E5F6")
            await until(lambda card=card: card in gateway.reports)  # type: ignore[misc]


async def test_outputs_and_commands_do_what_they_say(tmp_path: Path) -> None:
    async with met(tmp_path) as (stage, gateway):
        await gateway.buses["doors-net"].pulse("relay-doors", "relay_1", 0.5, within_s=2)
        assert stage.site.doors["lobby-a"].released
        await until(lambda: not stage.site.doors["lobby-a"].released)
        await gateway.buses["barrier-in-net"].write("barrier-in", "open", True, within_s=2)
        await until(lambda: gateway.value("barrier-in.gate_status") == "open")
        await gateway.buses["plant-line"].write("pump-1", "start", True, within_s=3)
        await until(lambda: gateway.value("pump-1.rotating") is True)
        await gateway.buses["garage-net"].write("fan-1", "control", "forward", within_s=3)
        await until(lambda: gateway.value("fan-1.state") == "forward")


@pytest.mark.parametrize("fault", ["silent", "late", "corrupt", "foreign", "exception", "noise"])
async def test_a_sick_pump_is_never_believed_and_never_in_the_way(tmp_path: Path, fault: str) -> None:
    async with met(tmp_path) as (stage, gateway):
        stage.site.set_point("pump-2", "flow", 55.5)
        await until(lambda: gateway.value("pump-2.flow") == 55.5)
        await stage.post("/sim/faults", {"device": "pump-1", "fault": fault})
        if fault in ("silent", "late", "corrupt", "foreign"):
            await until(lambda: "pump-1" in gateway.lost(), within_s=20)
        if fault != "noise":
            stage.site.set_point("sump-1", "level", 2.222)
            await until(lambda: gateway.value("sump-1.level") == pytest.approx(2.222), within_s=20)
        if fault not in ("noise", "late"):
            with pytest.raises(CommandFailed):
                await gateway.buses["plant-line"].write("pump-1", "start", True, within_s=2)
        believed = [
            reading.value
            for report in gateway.reports
            if isinstance(report, PointsRead) and report.device == "pump-1"
            for reading in report.readings
            if reading.point == "pump-1.flow" and reading.quality == "good"
        ]
        assert 55.5 not in believed
        await stage.api.delete("/sim/faults")
        stage.site.set_point("pump-1", "flow", 9.9)
        await until(lambda: gateway.value("pump-1.flow") == 9.9, within_s=40)

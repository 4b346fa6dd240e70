"""The meters of the bus bench between the project's driver and its simulators: real wires, no gateway."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from config import load_site
from contract.readings import Reading
from drivers.bus import Bus, CommandFailed
from drivers.opening import open_bus
from drivers.profiles.files import load_all
from drivers.profiles.words import Limits, Poll
from drivers.reports import DeviceFound, DeviceLost, InputRefused, PointsRead, Report
from simulators.dlt645.meter import PASSWORD
from tests.simulators.stage import ROOT, Stage, simulated, until

ZONE = ZoneInfo("Asia/Shanghai")
LINES = ("meter-line", "meter-net")
FAST = Poll(alarm=0.4, normal=0.4, meter=0.4)
AT_ONCE = Limits(latency_s=0.5)


def bench(folder: Path, timeout_s: float = 0.3) -> Path:
    """The bus bench with nothing but its meters, impatient."""
    site = yaml.safe_load((ROOT / "config/sites/buses.yaml").read_text())
    quick = {"timeout_s": timeout_s, "baud": 115200}
    site["buses"] = {id_: bus | quick for id_, bus in site["buses"].items() if id_ in LINES}
    site["devices"] = {
        id_: {word: said for word, said in device.items() if word != "poll_s"}
        for id_, device in site["devices"].items()
        if device["bus"] in LINES
    }
    kept = {word: site[word] for word in ("site", "name", "gateway", "timezone", "buses", "devices")}
    path = folder / "meters.yaml"
    path.write_text(yaml.safe_dump(kept, allow_unicode=True))
    return path


class Gateway:
    """The drivers' end: owners of the lines, and what they reported."""

    def __init__(self, site_file: Path, wires: Path, folder: Path) -> None:
        known = json.loads(wires.read_text())
        self.loaded = load_site(site_file, wires={id_: entry for id_, entry in known.items() if id_ != "uplink"})
        self.reports: list[Report] = []
        self.latest: dict[str, Reading] = {}
        self.buses: dict[str, Bus] = {}
        for id_, bus in self.loaded.site.buses.items():
            devices = {
                d: (device, replace(self.loaded.profile_of(d), poll=FAST, limits=AT_ONCE))
                for d, device in self.loaded.site.devices.items()
                if device.bus == id_
            }
            self.buses[id_] = open_bus(
                id_,
                bus,
                devices,
                sink=self.take,
                clock=lambda: int(time.time() * 1000),
                folder=folder,
                zone=ZONE,
            )

    def take(self, report: Report) -> None:
        """The sink."""
        self.reports.append(report)
        if isinstance(report, PointsRead):
            self.latest.update({reading.point: reading for reading in report.readings})

    def of(self, kind: type[Report]) -> list[str]:
        """Devices in reports of one kind."""
        return [report.device for report in self.reports if isinstance(report, kind) and hasattr(report, "device")]

    def value(self, point: str) -> object:
        """What a point read last."""
        reading = self.latest.get(point)
        return reading.value if reading is not None and reading.quality == "good" else None

    async def write(self, device: str, command: str, value: str | bool) -> None:
        """A command."""
        await self.buses[self.loaded.site.devices[device].bus].write(device, command, value, within_s=5)


@pytest.fixture(autouse=True)
def soon_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Meters that were silent are asked again sooner than at a site."""
    monkeypatch.setattr("drivers.schedule.PROBES_S", (0.3, 0.5, 0.7, 1.0))


@asynccontextmanager
async def met(folder: Path) -> AsyncIterator[tuple[Stage, Gateway]]:
    site_file = bench(folder)
    (folder / "meter-flat.password").write_text(f"{PASSWORD} 00000042\n")
    async with simulated(folder, site_file=site_file) as stage:
        gateway = Gateway(site_file, folder / "wires.json", folder)
        tasks = [asyncio.create_task(bus.run()) for bus in gateway.buses.values()]
        try:
            await until(lambda: set(gateway.of(DeviceFound)) >= set(gateway.loaded.site.devices), within_s=30)
            yield stage, gateway
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def test_the_bench_has_every_profile_of_the_two_standards() -> None:
    site = yaml.safe_load((ROOT / "config/sites/buses.yaml").read_text())
    used = {device["profile"] for device in site["devices"].values()}
    assert used >= {id_ for id_, profile in load_all().items() if profile.protocol in ("dlt645", "cjt188")}


async def test_every_point_of_every_meter_reads_as_it_is(tmp_path: Path) -> None:
    async with met(tmp_path) as (_, gateway):
        devices = gateway.loaded.site.devices
        expected = {f"{d}.{point}" for d in devices for point in gateway.loaded.profile_of(d).points}
        await until(lambda: set(gateway.latest) >= expected, within_s=60)
        assert {point for point in expected if gateway.latest[point].quality != "good"} == set()
        assert not [report for report in gateway.reports if isinstance(report, InputRefused)]
        for device in devices:
            number = str(gateway.value(f"{device}.meter_no"))
            assert number.endswith(str(devices[device].address).lstrip("0"))
            shown = datetime.fromisoformat(str(gateway.value(f"{device}.meter_clock"))).replace(tzinfo=ZONE)
            assert abs((shown - datetime.now(ZONE)).total_seconds()) < 90


# The three-phase meter and the old one stand behind transformers of 100/5 A: one tells its ratio, the other's stands
# in the site file.
TOLD: list[tuple[str, str, float | bool | str]] = [
    ("meter-three", "voltage_l2", 229.4),
    ("meter-three", "power_l3", 20 * -1.2345),
    ("meter-three", "power_factor", -0.876),
    ("meter-three", "energy_import_t3", 20 * 123456.78),
    ("meter-three", "current_l1", 20 * 4.321),
    ("meter-three", "ct", 20),
    ("meter-three", "voltage_lost_l2", True),
    ("meter-flat", "current_l1", 12.345),
    ("meter-flat", "supply_state", "open"),
    ("meter-flat", "meter_no", "202611220007"),
    ("meter-old", "energy_import", 20 * 999999.99),
    ("meter-old", "power", 20 * 12.3456),
    ("meter-old", "voltage_l1", 231),
    ("meter-cold", "volume_forward", 556677.0),
    ("meter-cold", "valve", "fault"),
    ("meter-cold", "battery_low", True),
    ("meter-heat", "flow", 1.2345),
    ("meter-heat", "supply_temperature", 61.25),
    ("meter-heat", "meter_clock", "2026-02-03T04:05:06"),
]


async def test_what_the_meters_tell_arrives(tmp_path: Path) -> None:
    async with met(tmp_path) as (stage, gateway):
        for device, point, value in TOLD:
            stage.site.set_point(device, point, value)
        for device, point, value in TOLD:
            wanted = value if isinstance(value, bool | str) else pytest.approx(value)
            name = f"{device}.{point}"
            await until(lambda name=name, wanted=wanted: gateway.value(name) == wanted, within_s=60)  # type: ignore[misc]


async def test_commands_do_what_they_say(tmp_path: Path) -> None:
    async with met(tmp_path) as (_, gateway):
        await gateway.write("meter-flat", "supply", "trip")
        await until(lambda: gateway.value("meter-flat.supply_state") == "open")
        await gateway.write("meter-flat", "supply", "close")
        await until(lambda: gateway.value("meter-flat.supply_state") == "closed")
        await gateway.write("meter-cold", "valve_control", "close")
        await until(lambda: gateway.value("meter-cold.valve") == "closed")
        with pytest.raises(CommandFailed, match="takes one of trip, allow, close"):
            await gateway.write("meter-flat", "supply", "burn")
        with pytest.raises(CommandFailed, match="takes no command valve_control"):
            await gateway.write("meter-gas", "valve_control", "open")
        (tmp_path / "meter-flat.password").write_text("654321")
        with pytest.raises(CommandFailed, match="wrong password or not authorised"):
            await gateway.write("meter-flat", "supply", "trip")
        (tmp_path / "meter-flat.password").write_text("secret")
        with pytest.raises(CommandFailed, match="no six digits"):
            await gateway.write("meter-flat", "supply", "trip")
        (tmp_path / "meter-flat.password").unlink()
        with pytest.raises(CommandFailed, match="cannot be read"):
            await gateway.write("meter-flat", "supply", "trip")
        assert gateway.value("meter-flat.supply_state") == "closed"


async def test_a_broadcast_sets_the_clocks_of_the_line(tmp_path: Path) -> None:
    async with met(tmp_path) as (stage, gateway):
        meters = stage.running._wires["meter-line"].line._meters["dlt645"]  # type: ignore[attr-defined]
        now = datetime.now(ZONE).replace(tzinfo=None)
        for meter in meters:
            meter.set_clock(datetime(2020, 1, 1, 12), now)
        await until(lambda: str(gateway.value("meter-old.meter_clock")).startswith("2020-01-01"))
        await gateway.write("meter-three", "set_clock", True)
        today = datetime.now(ZONE).strftime("%Y-%m-%d")
        for device in ("meter-three", "meter-flat", "meter-old"):
            await until(lambda d=device: str(gateway.value(f"{d}.meter_clock")).startswith(today))  # type: ignore[misc]


LOSING = ("silent", "late", "corrupt", "foreign", "wrong-number")


@pytest.mark.parametrize("fault", ["silent", "late", "corrupt", "foreign", "noise", "echo", "stuck"])
@pytest.mark.parametrize(("sick", "well"), [("meter-flat", "meter-three"), ("meter-gas", "meter-tap")])
async def test_a_sick_meter_is_never_believed_and_never_in_the_way(
    tmp_path: Path, fault: str, sick: str, well: str
) -> None:
    register = {"meter-flat": "energy_import", "meter-gas": "volume_forward"}[sick]
    async with met(tmp_path) as (stage, gateway):
        stage.site.set_point(sick, register, 11111.11)
        stage.site.set_point(well, register if register != "energy_import" else "energy_export", 22222.22)
        await until(lambda: gateway.value(f"{sick}.{register}") == 11111.11)
        await stage.post("/sim/faults", {"device": sick, "fault": fault})
        if fault in LOSING:
            await until(lambda: sick in gateway.of(DeviceLost), within_s=30)
            count = len(gateway.reports)
            await until(lambda: any(isinstance(r, PointsRead) and r.device == well for r in gateway.reports[count:]))
        believed = {
            reading.value
            for report in gateway.reports
            if isinstance(report, PointsRead) and report.device == sick
            for reading in report.readings
            if reading.point == f"{sick}.{register}" and reading.quality == "good"
        }
        assert 22222.22 not in believed
        await stage.api.delete("/sim/faults")
        stage.site.set_point(sick, register, 33333.33)
        await until(lambda: gateway.value(f"{sick}.{register}") == 33333.33, within_s=60)


async def test_another_meter_in_its_place_is_told(tmp_path: Path) -> None:
    async with met(tmp_path) as (stage, gateway):
        await until(lambda: gateway.value("meter-flat.meter_no") == "000000000161")
        await stage.post("/sim/faults", {"device": "meter-flat", "fault": "wrong-number"})
        await until(lambda: gateway.value("meter-flat.meter_no") == "000000000162")
        await stage.post("/sim/faults", {"device": "meter-heat", "fault": "wrong-number"})
        await until(lambda: "meter-heat" in gateway.of(DeviceLost), within_s=30)
        await stage.post("/sim/faults", {"device": "meter-old", "fault": "clock-off"})

        def ahead() -> bool:
            told = gateway.value("meter-old.meter_clock")
            if not isinstance(told, str):  # not read yet
                return False
            shown = datetime.fromisoformat(told).replace(tzinfo=ZONE)
            return (shown - datetime.now(ZONE)).total_seconds() > 3600

        await until(ahead)


async def test_a_line_that_was_unplugged_comes_back(tmp_path: Path) -> None:
    async with met(tmp_path) as (stage, gateway):
        wire = stage.running._wires["meter-line"]
        await wire.close()
        await until(lambda: "meter-three" in gateway.of(DeviceLost), within_s=30)
        assert not gateway.buses["meter-line"].health.connected
        before = gateway.of(DeviceFound).count("meter-three")
        await wire.open({})
        await until(lambda: gateway.of(DeviceFound).count("meter-three") > before, within_s=30)
        assert gateway.buses["meter-line"].health.reconnects >= 1
        assert gateway.buses["meter-net"].online("meter-heat")


async def test_a_converter_that_is_away_comes_back(tmp_path: Path) -> None:
    async with met(tmp_path) as (stage, gateway):
        for device in ("meter-gas", "meter-tap", "meter-heat"):
            await stage.post("/sim/faults", {"device": device, "fault": "offline"})
        await until(lambda: "meter-heat" in gateway.of(DeviceLost), within_s=30)
        await stage.api.delete("/sim/faults")
        await until(lambda: gateway.of(DeviceFound).count("meter-heat") > 1, within_s=30)

"""Simulated M-Bus and DL/T 698.45 meters on their lines: what they know of their links, and their faults."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
import yaml

from config.site import Device
from drivers.mbus import codec as mbus
from drivers.mbus.records import telegram
from drivers.profiles.files import load, load_all
from drivers.reports import DeviceLost, InputRefused, PointsRead
from simulators.device import SimDevice
from simulators.faults import Faults
from simulators.mbus.meter import MbusMeter
from tests.simulators import test_meters
from tests.simulators.stage import ROOT, until
from tests.simulators.test_meters import met, soon_again

__all__ = ["soon_again"]

NOW = datetime(2026, 2, 3, 4, 5)
ACK = b"\xe5"


@pytest.fixture(autouse=True)
def lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines of the bench that have such meters."""
    monkeypatch.setattr(test_meters, "LINES", ("mbus-net", "meter-net"))


def meter(**said: object) -> MbusMeter:
    config = Device(profile="mbus_heat", bus="line", **({"unit": 8, "meter_no": "02205100"} | said))  # type: ignore[arg-type]
    return MbusMeter(SimDevice("heat", config, load("mbus_heat"), "meter-serial"), Faults())


def number_in(answer: bytes | None) -> str | None:
    assert answer is not None
    return mbus.identity(mbus.parse(answer))


def test_a_meter_answers_to_its_primary_address_only() -> None:
    heat = meter()
    assert heat.answer(mbus.reset(8), NOW) == ACK
    assert heat.answer(mbus.reset(9), NOW) is None
    assert heat.answer(mbus.reset(254), NOW) == ACK
    assert heat.answer(mbus.reset(255), NOW) is None
    assert heat.answer(mbus.request(9, fcb=True), NOW) is None
    assert heat.answer(mbus.request(253, fcb=True), NOW) is None
    assert heat.answer(ACK, NOW) is None
    answer = heat.answer(mbus.request(8, fcb=True), NOW)
    assert number_in(answer) == "022051002D4D0104"
    assert heat.answer(answer or b"", NOW) is None, "what a meter says is no request"


def test_the_same_fcb_gets_the_same_telegram_and_the_other_the_next() -> None:
    heat = meter()
    heat.answer(mbus.reset(8), NOW)
    first = heat.answer(mbus.request(8, fcb=True), NOW)
    assert heat.answer(mbus.request(8, fcb=True), NOW) == first
    second = heat.answer(mbus.request(8, fcb=False), NOW)
    assert second != first
    assert second is not None
    assert first is not None
    assert telegram(mbus.parse(first)).more
    heat.answer(mbus.reset(8), NOW)
    again = heat.answer(mbus.request(8, fcb=True), NOW)
    assert telegram(mbus.parse(again or b"")).records == telegram(mbus.parse(first)).records


def test_selection() -> None:
    heat = meter()
    for mask, fits in [
        ("02205101", False), ("02205100", True), ("0220FFFF", True), ("FFFFFFFF2D4D0107", False), (mbus.ANY, True),
    ]:  # fmt: skip
        assert (heat.answer(mbus.select(mask), NOW) == ACK) == fits
        assert (heat.answer(mbus.request(253, fcb=True), NOW) is not None) == fits
    assert heat.answer(mbus.reset(253), NOW) == ACK
    assert heat.answer(mbus.reset(253), NOW) is None
    assert heat.answer(mbus.request(253, fcb=True), NOW) is None
    heat.answer(mbus.select("02205100"), NOW)
    heat.answer(mbus.select("77777777"), NOW)
    assert heat.answer(mbus.request(253, fcb=True), NOW) is None, "another one was selected"


def test_what_the_site_leaves_open_of_an_address_is_made_up() -> None:
    assert meter(meter_no=None, address="0220FFFF").secondary == "022056782D4D0104"
    assert meter(meter_no=None).secondary == "123456782D4D0104"


def test_the_bench_has_every_profile_of_the_two_standards() -> None:
    site = yaml.safe_load((ROOT / "config/sites/buses.yaml").read_text())
    used = {device["profile"] for device in site["devices"].values()}
    assert used >= {id_ for id_, profile in load_all().items() if profile.protocol in ("mbus", "dlt698")}


async def test_every_point_reads_as_it_is(tmp_path: Path) -> None:
    async with met(tmp_path) as (stage, gateway):
        told: dict[str, float | str | bool] = {
            "mbus-heat.heat_energy": 12345.678,
            "mbus-heat.supply_temperature": 61.25,
            "mbus-heat.settling_day": "2026-12-31",
            "mbus-heat.permanent_error": True,
            "mbus-heat.meter_no": "02205100",
            "mbus-water.volume_forward": 556677.125 % 100000,
            "mbus-water.meter_clock": "2026-12-31T04:05:00",
            "mbus-water.meter_no": "61803398",
            "meter-objects.energy_import_t3": 123456.78,
            "meter-objects.power_l2": -1234.5,
            "meter-objects.meter_no": "000000314159",
        }
        for ratio in ("ct", "pt"):
            stage.site.set_point("meter-objects", ratio, 1.0)
        for point, value in told.items():
            device, _, name = point.partition(".")
            if name != "meter_no":
                stage.site.set_point(device, name, value)
        await until(lambda: {point: gateway.value(point) for point in told} == told, within_s=60)
        assert not [report for report in gateway.reports if isinstance(report, InputRefused)]


SICK = {
    "mbus-heat": ("heat_energy", "mbus-water", "volume_forward"),
    "mbus-water": ("volume_forward", "mbus-heat", "heat_energy"),
    "meter-objects": ("energy_import", "meter-tap", "volume_forward"),
}
LOSING = ("silent", "late", "corrupt", "foreign")


@pytest.mark.parametrize("fault", ["silent", "late", "corrupt", "foreign", "noise", "echo", "stuck"])
@pytest.mark.parametrize("sick", SICK)
async def test_a_sick_meter_is_never_believed_and_never_in_the_way(tmp_path: Path, fault: str, sick: str) -> None:
    register, well, other = SICK[sick]
    async with met(tmp_path) as (stage, gateway):
        stage.site.set_point(sick, register, 11111.0)
        stage.site.set_point(well, other, 22222.0)
        await until(lambda: gateway.value(f"{sick}.{register}") == 11111.0)
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
        assert 22222.0 not in believed
        await stage.api.delete("/sim/faults")
        stage.site.set_point(sick, register, 33333.0)
        await until(lambda: gateway.value(f"{sick}.{register}") == 33333.0, within_s=60)


async def test_another_meter_in_its_place_is_told(tmp_path: Path) -> None:
    async with met(tmp_path) as (stage, gateway):
        await until(lambda: gateway.value("mbus-heat.meter_no") == "02205100")
        for device in ("mbus-heat", "mbus-water", "meter-objects"):
            await stage.post("/sim/faults", {"device": device, "fault": "wrong-number"})
        await until(lambda: gateway.value("mbus-heat.meter_no") == "02205101")
        await until(lambda: gateway.value("meter-objects.meter_no") == "000000314151")
        # One that is selected by its number is another one and does not answer.
        await until(lambda: "mbus-water" in gateway.of(DeviceLost), within_s=30)

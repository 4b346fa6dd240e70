"""Registers through the whole engine: once a quarter, by the meter's own number, and what is odd about them."""

from __future__ import annotations

from pathlib import Path

from gateway.engine.meters import QUARTER_MS, quarter_of
from tests.gateway.engine_site import MORNING, SITE, Time, Yard, yard


async def test_meters_are_read_at_each_quarter_and_once_at_the_start(tmp_path: Path) -> None:
    time = Time(quarter_of(MORNING) + 60_000)
    async with yard(tmp_path, time) as here:
        await here.read(meter_main__energy_import=1000.5)
        await here.read(meter_main__energy_import=1000.6)
        [(_, source, data)] = await here.events("meter.read")
        assert (source, data["value"], data["register"]) == ("main", 1000.5, "energy_import")
        assert (data["unit"], data["meter_no"], data["asked"]) == ("kWh", "20260001", False)
        await here.wait(14 * 60)
        found = await here.journal.events(after=0, limit=100, kind="meter.read")
        assert len(found) == 2
        assert found[1].at.endswith(("00:00.000Z", "15:00.000Z", "30:00.000Z", "45:00.000Z"))
    async with yard(tmp_path, time) as again:
        await again.read(meter_main__energy_import=1001.0)
        assert len(await again.events("meter.read")) == 2
        time.machine_ms += 2 * QUARTER_MS
    async with yard(tmp_path, time) as later:
        await later.read(meter_main__energy_import=1002.0)
        assert len(await later.events("meter.read")) == 3


async def test_a_meter_that_is_silent_at_the_quarter_is_recorded_as_soon_as_it_speaks(tmp_path: Path) -> None:
    time = Time(quarter_of(MORNING) + 60_000)
    async with yard(tmp_path, time) as here:
        await here.read(meter_main__energy_import=1000.5)
        await here.read("bad", meter_main__energy_import=None)
        await here.wait(15 * 60)
        assert len(await here.events("meter.read")) == 1
        await here.read(meter_main__energy_import=1003.5)
        assert [data["value"] for _, _, data in await here.events("meter.read")] == [1000.5, 1003.5]


async def test_a_meter_is_read_on_demand_unless_it_cannot_be_trusted(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        assert await here.engine.meters.read_now("main") is False
        await here.read(meter_main__energy_import=7.0)
        assert await here.engine.meters.read_now("main") is True
        assert [data["asked"] for _, _, data in await here.events("meter.read")] == [False, True]


async def quarter(here: Yard, value: float) -> None:
    """What the register says at the next quarter hour."""
    await here.read(meter_main__energy_import=value)
    await here.wait(QUARTER_MS / 1000)


async def alarms(here: Yard, kind: str = "alarm.raised") -> list[str]:
    return [data["rule"] for _, _, data in await here.events(kind)]


async def test_a_register_that_falls_is_an_alarm_until_it_counts_again(tmp_path: Path) -> None:
    async with yard(tmp_path, Time(quarter_of(MORNING))) as here:
        await here.read(meter_main__energy_import=48_211.5)
        await quarter(here, 48_200.0)
        assert await alarms(here) == ["meter.backward"]
        [(_, _, raised)] = await here.events("alarm.raised")
        assert "48211.5 → 48200 kWh" in raised["message"]["zh"]
        await quarter(here, 48_201.0)
        assert await alarms(here, "alarm.cleared") == ["meter.backward"]
        assert [data["value"] for _, _, data in await here.events("meter.read")] == [48_211.5, 48_200.0, 48_201.0]


async def test_a_register_that_rolls_over_is_none(tmp_path: Path) -> None:
    async with yard(tmp_path, Time(quarter_of(MORNING))) as here:
        await here.read(meter_main__energy_import=999_998.0)
        await quarter(here, 1.5)
        assert await alarms(here) == []


async def test_an_exchanged_meter_is_an_event_also_after_a_restart(tmp_path: Path) -> None:
    time = Time(quarter_of(MORNING))
    async with yard(tmp_path, time) as here:
        await here.read(meter_main__energy_import=48_211.5)
    time.machine_ms += QUARTER_MS
    async with yard(tmp_path, time, site=SITE.replace("20260001", "20261107")) as again:
        await again.read(meter_main__energy_import=0.5)
        [(_, source, data)] = await again.events("meter.exchanged")
        assert source == "main"
        assert (data["old_no"], data["old_value"]) == ("20260001", 48_211.5)
        assert (data["new_no"], data["new_value"]) == ("20261107", 0.5)
        assert await alarms(again) == []

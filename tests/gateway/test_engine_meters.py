"""Registers through the whole engine: once a quarter, by the meter's own number, and what is odd about them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from contract.readings import Value
from drivers.reports import DeviceLost
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


async def test_a_register_that_falls_is_an_alarm_until_it_is_back_or_surely_set_back(tmp_path: Path) -> None:
    async with yard(tmp_path, Time(quarter_of(MORNING))) as here:
        await here.read(meter_main__energy_import=48_211.5)
        await quarter(here, 48_200.0)
        assert await alarms(here) == []
        await here.read(meter_main__energy_import=48_200.0)
        assert await alarms(here) == ["meter.backward"]
        [(_, _, raised)] = await here.events("alarm.raised")
        assert "48211.5 → 48200 kWh" in raised["message"]["zh"]
        await quarter(here, 48_100.0)
        assert len(await here.events("meter.read")) == 2  # each fall is doubted anew
        await here.read(meter_main__energy_import=48_201.0)
        assert [data["value"] for _, _, data in await here.events("meter.read")] == [48_211.5, 48_200.0, 48_201.0]
        time = here.time
    async with yard(tmp_path, time) as again:
        for value in (48_202.0, 48_203.0):
            assert await alarms(again, "alarm.cleared") == []
            await quarter(again, value)
            await again.read(meter_main__energy_import=value)
        assert await alarms(again, "alarm.cleared") == ["meter.backward"]
        [(_, _, exchanged)] = await again.events("meter.exchanged")
        assert exchanged["old_no"] == exchanged["new_no"]
        assert (exchanged["old_value"], exchanged["new_value"]) == (48_211.5, 48_203.0)


async def test_a_register_that_is_back_where_it_was_ends_the_alarm(tmp_path: Path) -> None:
    async with yard(tmp_path, Time(quarter_of(MORNING))) as here:
        await here.read(meter_main__energy_import=48_211.5)
        await quarter(here, 0.0)
        await here.read(meter_main__energy_import=0.0)
        assert await alarms(here) == ["meter.backward"]
        await quarter(here, 48_212.0)
        assert await alarms(here, "alarm.cleared") == ["meter.backward"]
        assert await here.events("meter.exchanged") == []


async def test_a_fall_that_is_heard_once_is_no_reading(tmp_path: Path) -> None:
    """A meter that has just been powered says 0 for a moment."""
    async with yard(tmp_path, Time(quarter_of(MORNING))) as here:
        await here.read(meter_main__energy_import=48_211.5)
        await quarter(here, 0.0)
        assert await here.engine.meters.read_now("main") is False
        await here.wait(60)
        await here.read(meter_main__energy_import=48_212.0)
        assert [data["value"] for _, _, data in await here.events("meter.read")] == [48_211.5, 48_212.0]
        assert await alarms(here) == []


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


NUMBER = "398192000337"
TELLS = SITE.replace(
    'meter-main: {profile: eastron_sdm630, bus: meters-net, unit: 1, meter_no: "20260001"}',
    f"meter-main: {{profile: dlt645_2007_three_phase, bus: meters-line, address: '{NUMBER}', meter_no: '{NUMBER}'}}",
).replace("  meters-net: {kind: modbus-tcp,", "  meters-line: {kind: meter-tcp,")


async def told(here: Yard, **values: Value) -> None:
    values = {"ct": 1, "pt": 1, **values}
    await here.read("good", **{f"meter_main__{name}": value for name, value in values.items()})


async def test_a_reading_names_the_number_that_the_meter_itself_tells(tmp_path: Path) -> None:
    async with yard(tmp_path, Time(quarter_of(MORNING)), site=TELLS) as here:
        await told(here, energy_import=48_211.5)
        assert await here.events("meter.read") == []  # nobody knows yet which meter this is
        await told(here, meter_no="398192000337")
        [(_, _, data)] = await here.events("meter.read")
        assert (data["meter_no"], data["rolls_over"], data["clock_error_s"]) == ("398192000337", 1_000_000, None)
        assert await alarms(here) == []


async def test_another_meter_on_the_same_line_is_named_and_alarmed(tmp_path: Path) -> None:
    async with yard(tmp_path, Time(quarter_of(MORNING)), site=TELLS) as here:
        await told(here, meter_no="398192000337", energy_import=48_211.5)
        await told(here, meter_no="398192000999", energy_import=7.0)
        await here.wait(QUARTER_MS / 1000)
        assert [data["meter_no"] for _, _, data in await here.events("meter.read")] == ["398192000337", "398192000999"]
        [(_, _, exchanged)] = await here.events("meter.exchanged")
        assert (exchanged["old_value"], exchanged["new_value"]) == (48_211.5, 7.0)
        assert await alarms(here) == ["meter.number"]
        await told(here, meter_no="398192000337", energy_import=48_212.0)
        await here.wait(QUARTER_MS / 1000)
        assert await alarms(here, "alarm.cleared") == ["meter.number"]


async def test_a_lost_meter_tells_its_number_again_before_anything_is_read_of_it(tmp_path: Path) -> None:
    async with yard(tmp_path, Time(quarter_of(MORNING)), site=TELLS) as here:
        await told(here, meter_no="398192000337", energy_import=48_211.5)
        here.engine.report(DeviceLost("meter-main", "silent"))
        await here.wait(QUARTER_MS / 1000)
        await told(here, energy_import=7.0)
        assert len(await here.events("meter.read")) == 1
        await told(here, meter_no="398192000999")
        [_, (_, _, data)] = await here.events("meter.read")
        assert (data["meter_no"], data["value"]) == ("398192000999", 7.0)


async def test_a_meter_that_cannot_tell_its_number_has_the_site_files(tmp_path: Path) -> None:
    async with yard(tmp_path, Time(quarter_of(MORNING)), site=TELLS) as here:
        await here.read("bad", meter_main__meter_no=None)
        await told(here, energy_import=5.0)
        [(_, _, data)] = await here.events("meter.read")
        assert data["meter_no"] == "398192000337"


async def test_a_meters_wrong_clock_is_an_alarm_until_it_is_set(tmp_path: Path) -> None:
    time = Time(quarter_of(MORNING))
    async with yard(tmp_path, time, site=TELLS) as here:
        wrong = datetime.fromtimestamp(time.machine_ms / 1000 + 1_800, ZoneInfo("Asia/Shanghai"))
        clock = wrong.replace(tzinfo=None).isoformat()
        await told(here, meter_no="398192000337", meter_clock=clock, energy_import=5.0)
        [(_, _, data)] = await here.events("meter.read")
        assert data["clock_error_s"] == pytest.approx(1_800, abs=1)
        [(_, _, raised)] = await here.events("alarm.raised")
        assert (raised["rule"], raised["severity"]) == ("meter.clock", "warning")
        assert "快 1800 秒" in raised["message"]["zh"]
        right = datetime.fromtimestamp(time.machine_ms / 1000 + 1, ZoneInfo("Asia/Shanghai"))
        await told(here, meter_clock=right.replace(tzinfo=None).isoformat())
        await here.wait(QUARTER_MS / 1000)
        assert await alarms(here, "alarm.cleared") == ["meter.clock"]


async def test_another_ratio_begins_a_new_count_and_is_an_alarm(tmp_path: Path) -> None:
    time = Time(quarter_of(MORNING))
    async with yard(tmp_path, time, site=TELLS) as here:
        await told(here, meter_no=NUMBER, energy_import=2000.0, ct=20)
        await here.wait(60)
        # The value that is known still holds the old ratio: at the quarter there is nothing to record yet.
        await here.read("good", meter_main__ct=40)
        await here.wait(QUARTER_MS / 1000)
        assert len(await here.events("meter.read")) == 1
        assert await here.engine.meters.read_now("main") is False
        await here.read(meter_main__energy_import=4002.0)
        [first, second] = [data for _, _, data in await here.events("meter.read")]
        assert (first["value"], first["begins"], first["rolls_over"]) == (2000.0, False, 20e6)
        assert (second["value"], second["begins"], second["rolls_over"]) == (4002.0, True, 40e6)
        [(_, _, raised)] = await here.events("alarm.raised")
        assert (raised["rule"], "20 → 40" in raised["message"]["zh"]) == ("meter.ratio", True)
        assert await here.events("meter.exchanged") == []
        await here.wait(QUARTER_MS / 1000)
        assert await alarms(here, "alarm.cleared") == ["meter.ratio"]
        assert [data["begins"] for _, _, data in await here.events("meter.read")] == [False, True, False]
    time.machine_ms += QUARTER_MS
    # Also over a restart, and also where the site file says it.
    said = TELLS.replace("address: '", "scale_by: {ct: 100}, address: '")
    async with yard(tmp_path, time, site=said) as again:
        await told(again, meter_no=NUMBER, energy_import=10_006.0, ct=40)
        assert [data["begins"] for _, _, data in await again.events("meter.read")] == [False, True, False, True]


async def test_a_register_whose_ratio_nobody_knows_is_an_alarm_and_no_reading(tmp_path: Path) -> None:
    async with yard(tmp_path, Time(quarter_of(MORNING)), site=TELLS) as here:
        await here.read("good", meter_main__meter_no=NUMBER)
        await here.read("bad", meter_main__ct=None, meter_main__energy_import=None)
        assert await here.events("meter.read") == []
        assert await alarms(here) == ["meter.ratio"]
        await told(here, ct=20, energy_import=100.0)
        assert await alarms(here, "alarm.cleared") == ["meter.ratio"]
        assert [data["value"] for _, _, data in await here.events("meter.read")] == [100.0]


async def test_a_meter_whose_side_of_the_transformers_is_not_known_waits_for_the_site_file(tmp_path: Path) -> None:
    unsaid = SITE.replace("profile: eastron_sdm630", "profile: abb_b_series")
    time = Time(quarter_of(MORNING))
    async with yard(tmp_path, time, site=unsaid) as here:
        await here.read("bad", meter_main__energy_import=None)
        assert await here.events("meter.read") == []
        assert await alarms(here) == ["meter.ratio"]
    said = unsaid.replace("unit: 1, meter_no", "unit: 1, scale_by: {ct: 20}, meter_no")
    async with yard(tmp_path, time, site=said) as here:
        await here.read("good", meter_main__energy_import=2000.0)
        [(_, _, read)] = await here.events("meter.read")
        assert (read["value"], read["begins"]) == (2000.0, False)

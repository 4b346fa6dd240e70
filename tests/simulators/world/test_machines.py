"""Lifts, water, air and meters: what can never be, and what a fault looks like."""

from __future__ import annotations

import itertools
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.world import air, lift, meter, water

DT = st.floats(0.01, 1.0)


@given(st.integers(0, 500), st.lists(st.tuples(DT, st.booleans()), max_size=200))
def test_a_lift_stays_in_its_shaft_and_opens_only_at_floors(seed: int, steps: list[tuple[float, bool]]) -> None:
    rng, now = Random(seed), lift.Lift()
    for dt, trapped in steps:
        now = lift.step(lift.trap(now, trapped), rng, dt)
        assert now.lowest <= now.height <= now.highest
        if now.doors_open:
            assert now.height == now.floor
            assert not now.running
        if now.trapped:
            assert not now.running
            assert not now.doors_open
            assert now.height != now.floor


def test_a_lift_travels_and_opens_and_goes_on() -> None:
    rng, now = Random(2), lift.Lift()
    floors, opened = set(), 0
    for _ in range(6000):
        before = now.doors_open
        now = lift.step(now, rng, 0.1)
        opened += now.doors_open and not before
        floors.add(now.floor)
    assert len(floors) > 6
    assert opened == now.trips > 5


def test_a_freed_lift_goes_to_a_floor_and_opens() -> None:
    rng = Random(1)
    now = lift.trap(lift.Lift(height=5.0, target=5), True)
    assert now.height == pytest.approx(4.6)
    now = lift.trap(now, False)
    for _ in range(30):
        now = lift.step(now, rng, 0.1)
    assert now.doors_open


FAULT = st.sampled_from([None, "dry-run", "trip"])


@given(st.lists(st.tuples(DT, st.booleans(), FAULT), max_size=200))
def test_a_pumps_counters_never_go_back_and_its_flow_follows_its_shaft(
    steps: list[tuple[float, bool, water.PumpFault | None]],
) -> None:
    pump = water.Pump()
    for dt, commanded, fault in steps:
        after = water.step_pump(pump, commanded, fault, dt)
        assert after.hours >= pump.hours
        assert after.energy >= pump.energy
        assert after.starts >= pump.starts
        assert 0 <= after.flow <= water.FLOW_M3H
        assert after.flow == 0 or after.rotating or after.spin > 0
        assert 0 <= after.power <= water.POWER_W
        pump = after


def test_a_pump_without_water_turns_without_flow_at_little_power() -> None:
    pump = water.Pump()
    for _ in range(100):
        pump = water.step_pump(pump, True, "dry-run", 0.1)
    assert (pump.rotating, pump.flow, pump.alarm_code) == (True, 0.0, "dry_running")
    assert pump.power < water.POWER_W / 3


def test_a_tripped_pump_stands_whatever_is_asked() -> None:
    pump = water.step_pump(water.Pump(spin=1.0), True, None, 0.1)
    for _ in range(40):
        pump = water.step_pump(pump, True, "trip", 0.1)
    assert (pump.rotating, pump.flow, pump.alarm_code) == (False, 0.0, "overload")


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100), DT), max_size=200), st.integers(0, 4))
def test_a_basin_neither_dries_below_its_floor_nor_rises_above_its_rim(
    steps: list[tuple[float, float, float]], pumps: int
) -> None:
    basin = water.Basin()
    for inflow, outflow, dt in steps:
        basin = water.step_basin(basin, inflow, outflow, pumps, dt)
        assert 0 <= basin.level <= basin.depth
        assert 0 <= basin.wanted <= min(2, pumps)
        assert sum(water.commanded(basin, place, pumps) for place in range(pumps)) == basin.wanted


def test_pumps_take_turns() -> None:
    basin, pumps, leaders = water.Basin(level=1.4), [water.Pump(), water.Pump()], []
    for _ in range(40_000):
        flows = sum(pump.flow for pump in pumps)
        before = basin.wanted
        basin = water.step_basin(basin, 5.0, flows, 2, 0.1)
        pumps = [water.step_pump(pump, water.commanded(basin, i, 2), None, 0.1) for i, pump in enumerate(pumps)]
        if basin.wanted and not before:
            leaders.append(basin.lead)
    assert len(leaders) >= 4
    assert all(one != following for one, following in itertools.pairwise(leaders))


@given(st.integers(0, 500), st.lists(st.tuples(DT, st.integers(0, 5), st.booleans()), max_size=200))
def test_gas_and_fan_stay_in_bounds(seed: int, steps: list[tuple[float, int, bool]]) -> None:
    rng, ppm, fan = Random(seed), 5.0, air.Fan()
    for dt, cars, leaks in steps:
        ppm = air.step_co(ppm, rng, dt, cars=cars, fan_hz=fan.frequency, leak_ppm_s=8.0 if leaks else 0.0)
        fan = air.step_fan(fan, ppm, dt, by_hand=None, set_hz=air.FAN_HZ, tripped=False)
        assert 0 <= ppm <= 500
        assert 0 <= fan.frequency <= air.FAN_HZ


def test_the_fan_follows_the_gas_and_stands_when_it_is_clear() -> None:
    rng, ppm, fan = Random(0), 80.0, air.Fan()
    ran = False
    for _ in range(6000):
        ppm = air.step_co(ppm, rng, 0.1, cars=0, fan_hz=fan.frequency, leak_ppm_s=0.0)
        fan = air.step_fan(fan, ppm, 0.1, by_hand=None, set_hz=air.FAN_HZ, tripped=False)
        ran = ran or fan.frequency == air.FAN_HZ
    assert ran
    assert fan.frequency == 0
    assert ppm < air.FAN_OFF_PPM


def test_a_command_by_hand_wins_and_a_trip_wins_over_both() -> None:
    fan = air.Fan()
    for _ in range(100):
        fan = air.step_fan(fan, 0.0, 0.2, by_hand=True, set_hz=30.0, tripped=False)
    assert fan.frequency == 30.0
    for _ in range(100):
        fan = air.step_fan(fan, 99.0, 0.2, by_hand=True, set_hz=30.0, tripped=True)
    assert fan.frequency == 0


@given(st.lists(st.tuples(st.floats(-50, 500), DT), max_size=200))
def test_a_meter_never_goes_back(steps: list[tuple[float, float]]) -> None:
    counter = meter.Counter()
    for rate, dt in steps:
        after = meter.step(counter, rate, dt)
        assert after.total >= counter.total
        counter = after


@given(st.floats(0, 24))
def test_loads_are_those_of_a_compound_at_any_hour(hour: float) -> None:
    assert 30 < meter.household_load(hour) < 120
    assert 1 < meter.household_water(hour) < 12
    temperature, humidity = air.climate(hour, Random(0))
    assert 15 < temperature < 30
    assert 40 < humidity < 80


def test_an_hour_at_ten_kilowatts_is_ten_kilowatt_hours() -> None:
    counter = meter.Counter(total=100.0)
    for _ in range(3600):
        counter = meter.step(counter, 10.0, 1.0)
    assert counter.total == pytest.approx(110.0)

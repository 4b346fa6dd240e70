"""The simulated site without any wire: time in our own hands."""

from __future__ import annotations

from random import Random

import pytest

from config import load_site
from config.site import Site
from contract.readings import Value
from drivers.profiles.files import load, load_all
from drivers.profiles.profile import Profile
from simulators.actions import CommandGiven, OutputPulsed, OutputSet
from simulators.device import role_of
from simulators.faults import FAULTS
from simulators.site import SimSite
from tests.simulators.stage import DEMO, ROOT

NOON = 12.0


def demo(seed: int = 1) -> SimSite:
    loaded = load_site(DEMO)
    site = SimSite(loaded.site, loaded.profiles, seed)
    site.step(1000.0, NOON)
    return site


def _one_of_all() -> SimSite:
    profiles = dict(load_all())
    return SimSite(_one_of_each(profiles), profiles, 3)


def live(site: SimSite, seconds: float, dt: float = 0.1) -> None:
    for _ in range(round(seconds / dt)):
        site.step(site.now + dt, NOON)


def values(site: SimSite, device: str, *points: str) -> list[Value]:
    return [site.device(device).value(point) for point in points]


def test_every_device_of_the_demo_site_has_a_part_to_play() -> None:
    roles = {device.id: device.role for device in demo().devices.values()}
    assert "plain" not in roles.values()
    assert roles["fan-1"] == "fan"
    assert roles["barrier-in"] == "barrier"
    assert roles["sump-1"] == "level"


def test_a_meter_of_one_phase_shows_the_volts_and_amperes_of_what_it_counts() -> None:
    loaded = load_site(ROOT / "config" / "sites" / "buses.yaml")
    site = SimSite(loaded.site, loaded.profiles, 1)
    site.step(1000.0, NOON)
    volts, amperes, watts, factor = values(site, "meter-485", "voltage", "current", "power", "power_factor")
    assert isinstance(volts, float) and isinstance(amperes, float) and isinstance(factor, float)
    assert 220 < volts < 240
    assert volts * amperes * factor == pytest.approx(watts)


def test_a_pulse_lasts_as_long_as_was_asked_and_no_longer() -> None:
    site = demo()
    relay = site.device("relay-doors")
    relay.act(OutputPulsed("relay_1", 0.7))
    site.at(1000.69)
    assert site.doors["lobby-a"].released
    site.at(1000.71)
    assert not site.doors["lobby-a"].released
    relay.act(OutputPulsed("relay_1", 5.0))
    relay.act(OutputSet("relay_1", on=False))
    assert not site.doors["lobby-a"].released


def test_a_barrier_command_brings_a_waiting_car_through_and_the_arm_down_again() -> None:
    site = demo()
    site.drive_up("gate-in", "沪A12345", patience_s=60, arrives_s=0.2, impatient=True)
    live(site, 1)
    lane = site.lanes["gate-in"]
    assert [car.plate for car in lane.shots] == ["沪A12345"]
    assert lane.seen()["loops"] == {"before": True, "under": False}
    site.device("barrier-in").act(CommandGiven("open", None))
    live(site, 4)
    assert values(site, "barrier-in", "gate_status", "position") == ["open", 100]
    live(site, 3)
    assert lane.lane.passed == 1
    live(site, 10)
    assert values(site, "barrier-in", "gate_status", "position") == ["closed", 0]


def test_being_read_does_not_slow_the_world() -> None:
    site = demo()
    site.device("barrier-in").act(CommandGiven("open", None))
    for _ in range(40):
        site.at(site.now + 0.09)
        site.step(site.now + 0.01, NOON)
    assert site.lanes["gate-in"].arm.place == "up"


def test_a_relays_edge_opens_the_other_barrier_once() -> None:
    site = demo()
    relay = site.device("relay-gates")
    relay.act(OutputPulsed("relay_1", 0.5))
    live(site, 4)
    assert site.lanes["gate-out"].arm.opens == 1
    assert values(site, "relay-gates", "input_5", "input_6") == [True, False]
    relay.act(OutputPulsed("relay_2", 0.5))
    live(site, 4)
    assert values(site, "relay-gates", "input_5", "input_6") == [False, True]


def test_water_moves_pumps_and_meters() -> None:
    site = demo()
    before = site.memory()
    turns: set[tuple[Value, ...]] = set()
    for _ in range(1200):
        live(site, 1, dt=0.5)
        turns.add(tuple(values(site, "pump-1", "rotating") + values(site, "pump-2", "rotating")))
        level = site.device("sump-1").value("level")
        assert isinstance(level, float)
        assert 0 <= level <= 3
    assert (True, False) in turns or (False, True) in turns
    assert (False, False) in turns
    after = site.memory()
    for meter in ("meter-main", "meter-b1", "meter-water"):
        assert after[meter]["total"] > before[meter]["total"]
    # The basement's meter counts a part of what the main meter counts.
    used = {meter: after[meter]["total"] - before[meter]["total"] for meter in ("meter-main", "meter-b1")}
    assert used["meter-b1"] < used["meter-main"]


def test_a_tripped_lead_pump_leaves_the_work_to_the_other() -> None:
    site = demo()
    site.put_fault("pump-1", "trip", None)
    runs = 0
    for _ in range(1500):
        live(site, 1, dt=1.0)
        assert values(site, "pump-1", "flow") == [0.0]
        runs += site.device("pump-2").value("rotating") is True
    assert runs > 50


def test_a_pump_obeys_its_master_and_is_handed_back() -> None:
    site = demo()
    pump = site.device("pump-2")
    pump.act(CommandGiven("start", None))
    live(site, 4)
    assert values(site, "pump-2", "rotating", "remote_control") == [True, True]
    pump.act(CommandGiven("stop", None))
    live(site, 4)
    assert values(site, "pump-2", "rotating", "remote_control") == [False, True]
    pump.act(CommandGiven("release", None))
    live(site, 1)
    assert values(site, "pump-2", "remote_control") == [False]


def test_cars_bring_gas_and_the_fan_clears_it() -> None:
    site = demo()
    site.put_fault("garage-co", "gas", None)
    live(site, 120, dt=0.5)
    ppm = site.device("garage-co").value("co")
    assert isinstance(ppm, float)
    assert ppm > 50
    assert values(site, "fan-1", "state") == ["forward"]
    site.faults.clear()
    live(site, 400, dt=0.5)
    assert values(site, "fan-1", "state") == ["stop"]


def test_a_drive_obeys_its_master() -> None:
    site = demo()
    fan = site.device("fan-1")
    fan.act(CommandGiven("set_frequency", 30.0))
    fan.act(CommandGiven("control", "forward"))
    live(site, 10)
    assert values(site, "fan-1", "frequency", "state") == [30.0, "forward"]
    fan.act(CommandGiven("control", "stop"))
    live(site, 10)
    assert values(site, "fan-1", "frequency", "state") == [0.0, "stop"]


def test_a_stopped_process_does_not_make_the_world_jump() -> None:
    site = demo()
    level = site.device("sump-1").value("level")
    site.step(site.now + 3600, NOON)
    assert site.device("sump-1").value("level") == pytest.approx(level, abs=0.02)


def test_meters_go_on_while_the_simulators_were_away() -> None:
    before = demo()
    live(before, 5)
    memory = before.memory()
    after = demo()
    after.remember(memory, away_s=3600)
    gained = after.memory()["meter-main"]["total"] - memory["meter-main"]["total"]
    assert gained == pytest.approx(memory["meter-main"]["rate"])
    backwards = demo()
    backwards.remember({"meter-main": {"total": 1.0, "rate": 5.0}}, away_s=-5)
    assert backwards.memory()["meter-main"]["total"] > 40_000


def test_the_same_seed_makes_the_same_world() -> None:
    one, other, third = demo(5), demo(5), demo(6)
    for site in (one, other, third):
        live(site, 60, dt=0.5)
    assert one.seen() == other.seen()
    assert one.seen() != third.seen()


def test_every_fault_suits_some_device_and_every_device_can_break() -> None:
    # The demo has what a property has, the test bench one of every wire.
    supported = demo().supported() | _one_of_all().supported()
    assert all(supported.values())
    assert set(FAULTS) == {fault for faults in supported.values() for fault in faults}


def test_anything_that_a_profile_describes_can_be_simulated() -> None:
    """Any site file: one device of every profile, each on a bus of its own."""
    profiles = load_all()
    site = SimSite(_one_of_each(dict(profiles)), profiles, 3)
    rng = Random(3)
    for _ in range(50):
        site.step(site.now + 0.1 if site.now else 1.0, rng.uniform(0, 24))
    for device in site.seen()["devices"]:
        assert set(device["points"]) == set(load(site.device(device["id"]).profile.id).points)
    assert {role_of(profile) for profile in profiles.values()} >= {"pump", "lift", "relay", "reader", "camera"}


def _one_of_each(profiles: dict[str, Profile]) -> Site:
    buses = {
        "modbus": {"kind": "modbus-tcp", "host": "127.0.0.1"},
        "line": {"kind": "line-tcp", "host": "127.0.0.1", "port": 1},
        "mqtt": {"kind": "mqtt", "host": "127.0.0.1"},
        "http-push": {"kind": "http-push"},
        "camera-http": {"kind": "camera-http", "host": "127.0.0.1"},
        "osdp": {"kind": "osdp-tcp", "host": "127.0.0.1", "port": 1},
        **{
            name: {"kind": "meter-tcp", "host": "127.0.0.1", "port": 1}
            for name in ("dlt645", "cjt188", "mbus", "dlt698")
        },
    }
    devices = {id_.replace("_", "-"): {"profile": id_, "bus": f"bus-{id_}"} for id_ in profiles}
    return Site.model_validate(
        {
            "site": "all",
            "name": {"zh": "全", "en": "All"},
            "gateway": "gw",
            "buses": {f"bus-{id_}": buses[profile.protocol] for id_, profile in profiles.items()},
            "devices": devices,
        }
    )

"""Readers through the whole engine: what they show, PINs, keys that people set, and alarms of tampered readers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from contract.commands import Person
from contract.desired import Credential, Grant, Holder
from contract.readings import Reading
from drivers.bus import CommandFailed, Outcome, SetsKeys
from drivers.osdp.bus import OsdpBus
from drivers.reports import UNKEYED, CredentialRead, DeviceFound, DeviceLost, PointsRead
from tests.gateway.engine_site import RESIDENT, REVOKED, SITE, Wire, Yard, decides_by, yard

OSDP = SITE.replace(
    "in-line: {kind: line-tcp, host: 127.0.0.1, port: 4001}", "in-line: {kind: osdp-tcp, host: 127.0.0.1, port: 4001}"
).replace("lobby-in: {profile: line_reader, bus: in-line}", "lobby-in: {profile: osdp_keypad_reader, bus: in-line}")
OSDP = OSDP.replace("    reader_out: lobby-out\n", "")
INSTALLER = Person(id="p-9", name="Wang", role="installer")
PIN = "4711"


class KeyWire(Wire):
    """A wire whose readers have keys."""

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.refuses = ""
        self.keys_set: list[tuple[str, float]] = []

    async def set_key(self, device: str, *, within_s: float) -> None:
        if self.refuses:
            raise CommandFailed(self.refuses, "读头拒绝了")
        self.keys_set.append((device, within_s))


class DeafWire(Wire):
    """A wire whose lamp is broken in the worst way."""

    def show(self, reader: str, outcome: Outcome) -> None:
        raise RuntimeError("no lamp")


def keys_on(here: Yard) -> KeyWire:
    wire = KeyWire("in-line")
    here.engine.buses.add(wire)
    return wire


async def pin(here: Yard, digits: str) -> None:
    here.engine.report(CredentialRead("lobby-in", "pin", digits))
    await here.settle()


async def with_pin(here: Yard) -> None:
    people = [
        Holder(id="h-1", name="Zhang"),
        Credential(id="c-9", kind="pin", value=PIN, holder="h-1"),
        Credential(id="c-1", kind="card", value=RESIDENT, holder="h-1"),
        Grant(id="g-1", holder="h-1", places=["lobby"]),
    ]
    decides_by(here.engine, people, 8)


async def says(here: Yard, point: str, *, value: bool) -> None:
    reading = Reading(point=f"lobby-in.{point}", value=value, quality="good", at=here.time.machine_ms)
    here.engine.report(PointsRead("lobby-in", (reading,)))
    await here.settle()


# --- What a reader shows


async def test_a_reader_shows_the_decision_after_the_lock(tmp_path: Path) -> None:
    async with yard(tmp_path, site=OSDP) as here:
        wire = here.wires["in-line"]
        await here.card(RESIDENT)
        assert wire.shown == [("lobby-in", "granted")]
        await here.card(REVOKED)
        assert wire.shown[1:] == [("lobby-in", "denied")]


async def test_a_reader_does_not_say_come_in_before_a_lock_that_did_not_act(tmp_path: Path) -> None:
    async with yard(tmp_path, site=OSDP) as here:
        here.wires["doors-net"].dead = True
        await here.card(RESIDENT)
        assert here.wires["in-line"].shown == [("lobby-in", "denied")]


async def test_a_lamp_that_fails_keeps_nobody_out(tmp_path: Path) -> None:
    async with yard(tmp_path, site=OSDP) as here:
        here.engine.buses.add(DeafWire("in-line"))
        await here.card(RESIDENT)
        await here.card(REVOKED)
        assert here.sent == [("pulse", "relays", "relay_1", 5.0)]
        assert here.engine.crashed == 0
        assert here.engine.errands.failed == 0


# --- PINs


async def test_a_pin_opens_the_door_and_is_not_recorded(tmp_path: Path) -> None:
    async with yard(tmp_path, site=OSDP) as here:
        await with_pin(here)
        await pin(here, PIN)
        await here.read(relays__input_1=True)
        assert here.sent == [("pulse", "relays", "relay_1", 5.0)]
        events = await here.events()
        [granted] = [data for kind, _, data in events if kind == "access.granted"]
        assert (granted["holder"], granted["credential"]) == ("h-1", {"kind": "pin", "value": "****"})
        assert PIN not in json.dumps(events)


async def test_a_wrong_pin_is_refused_and_not_recorded_either(tmp_path: Path) -> None:
    async with yard(tmp_path, site=OSDP) as here:
        await with_pin(here)
        await pin(here, "8264")
        [(kind, _, data)] = await here.events("access.granted", "access.denied")
        assert (kind, data["credential"]["value"]) == ("access.denied", "****")
        assert "8264" not in json.dumps(await here.events())


async def test_pins_cannot_be_tried_out(tmp_path: Path) -> None:
    async with yard(tmp_path, site=OSDP) as here:
        await with_pin(here)
        for number in range(20):
            await pin(here, f"{number:04}")
        assert len(await here.events("access.denied")) == 5
        [(_, source, data)] = await here.events("alarm.raised")
        assert (source, data["rule"], data["severity"]) == ("lobby-in", "reader.guessing", "major")
        await pin(here, PIN)
        assert here.sent == [], "even the right one has to wait"
        assert here.wires["in-line"].shown[-1] == ("lobby-in", "denied")
        assert here.engine.refusals.counts["lobby-in"] == 16
        await here.card(RESIDENT)
        assert len(here.sent) == 1, "cards are not concerned"
        await here.wait(61)
        await pin(here, PIN)
        assert len(here.sent) == 2
        assert not await here.events("alarm.cleared")
        await here.wait(600)
        assert len(await here.events("alarm.cleared")) == 1


async def test_a_right_pin_between_wrong_ones_forgives_nothing(tmp_path: Path) -> None:
    async with yard(tmp_path, site=OSDP) as here:
        await with_pin(here)
        for number in range(4):
            await pin(here, f"{number:04}")
            await pin(here, PIN)
        assert not await here.events("alarm.raised")
        await pin(here, "9999")
        assert len(await here.events("alarm.raised")) == 1


async def test_known_pins_that_may_not_pass_are_no_trial(tmp_path: Path) -> None:
    async with yard(tmp_path, site=OSDP) as here:
        people = [Holder(id="h-1", name="Zhang"), Credential(id="c-9", kind="pin", value=PIN, holder="h-1")]
        decides_by(here.engine, people, 8)
        for _ in range(7):
            await pin(here, PIN)
        assert len(await here.events("access.denied")) == 7
        assert not await here.events("alarm.raised")


async def test_the_alarm_of_tried_pins_ends_with_a_restart(tmp_path: Path) -> None:
    async with yard(tmp_path, site=OSDP) as here:
        for number in range(5):
            await pin(here, f"{number:04}")
        assert len(await here.events("alarm.raised")) == 1
    async with yard(tmp_path, here.time, site=OSDP) as here:
        await here.settle()
        assert len(await here.events("alarm.cleared")) == 1


# --- Keys


async def test_an_installer_sets_a_key_and_it_is_on_record_without_the_key(tmp_path: Path) -> None:
    async with yard(tmp_path, site=OSDP) as here:
        wire = keys_on(here)
        await here.command("reader.set_key", "lobby-in", INSTALLER, local=True)
        assert [device for device, _ in wire.keys_set] == ["lobby-in"]
        events = await here.events("command.asked", "command.done")
        assert [kind for kind, _, _ in events] == ["command.asked", "command.done"]
        for _, source, data in events:
            assert (source, data["kind"], data["by"]["name"]) == ("lobby-in", "reader.set_key", "Wang")


async def test_a_reader_that_takes_no_key_says_why(tmp_path: Path) -> None:
    async with yard(tmp_path, site=OSDP) as here:
        keys_on(here).refuses = "the reader refused"
        await here.command("reader.set_key", "lobby-in", INSTALLER)
        [(_, _, data)] = await here.events("command.failed")
        assert data["why"] == {"zh": "读头拒绝了", "en": "the reader refused"}


@pytest.mark.parametrize("role", ["guard", "maintenance", "manager"])
async def test_nobody_else_sets_keys(tmp_path: Path, role: str) -> None:
    async with yard(tmp_path, site=OSDP) as here:
        wire = keys_on(here)
        await here.command("reader.set_key", "lobby-in", Person(id="p", name="N", role=role))
        assert wire.keys_set == []
        assert await here.kinds() == ["command.failed"]


async def test_what_has_no_key(tmp_path: Path) -> None:
    async with yard(tmp_path, site=OSDP) as here:
        keys_on(here)
        commands = here.engine.commands
        assert commands.has_target("reader.set_key", "lobby-in")
        for target in ("lobby-out", "relays", "nobody"):
            assert not commands.has_target("reader.set_key", target)
            await here.command("reader.set_key", target, INSTALLER)
        assert await here.kinds() == ["command.failed"] * 3


def test_the_driver_of_readers_sets_keys() -> None:
    assert issubclass(OsdpBus, SetsKeys)


# --- Alarms


@pytest.mark.parametrize(
    ("point", "rule", "severity"),
    [("tampered", "reader.tampered", "major"), ("key_refused", "reader.key_refused", "critical")],
)
async def test_somebody_at_a_reader_is_an_alarm_until_all_is_well(
    tmp_path: Path, point: str, rule: str, severity: str
) -> None:
    async with yard(tmp_path, site=OSDP) as here:
        await says(here, point, value=True)
        [(_, source, data)] = await here.events("alarm.raised")
        assert (source, data["rule"], data["severity"]) == ("lobby-in", rule, severity)
        assert data["message"]["zh"].startswith("OSDP 键盘读头")
        assert data["response"]["zh"]
        here.engine.report(DeviceLost("lobby-in", "it does not answer"))
        await here.settle()
        assert not await here.events("alarm.cleared"), "a reader that is gone says nothing of its case"
        await says(here, point, value=False)
        assert len(await here.events("alarm.cleared")) == 1


async def test_the_alarm_outlives_a_restart_and_ends_with_its_cause(tmp_path: Path) -> None:
    async with yard(tmp_path, site=OSDP) as here:
        await here.read(lobby_in__tampered=True)
    async with yard(tmp_path, here.time, site=OSDP) as here:
        await here.read(lobby_in__tampered=False)
        assert len(await here.events("alarm.cleared")) == 1


async def test_other_devices_points_of_that_name_are_not_meant(tmp_path: Path) -> None:
    async with yard(tmp_path, site=OSDP) as here:
        await here.read(relays__tampered=True)
        assert not await here.events("alarm.raised")


async def test_a_reader_without_a_key_calls_for_an_installer_and_for_no_restart(tmp_path: Path) -> None:
    async with yard(tmp_path, site=OSDP) as here:
        here.engine.report(DeviceLost("lobby-in", UNKEYED))
        await here.wait(5)
        [(_, source, data)] = await here.events("alarm.raised")
        assert (source, data["rule"]) == ("lobby-in", "reader.unkeyed")
        assert "installer" in data["response"]["en"]
        here.engine.report(DeviceFound("lobby-in"))
        await here.settle()
        assert [source for _, source, _ in await here.events("alarm.cleared")] == ["lobby-in"]

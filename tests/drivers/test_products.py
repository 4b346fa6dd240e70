"""Every product: simulated from its profile, read back point by point by the real driver, and told everything it takes.

One table by protocol (`BENCHES`): how its products hang on wires, what they are made to say and what they are told. A
protocol that is in it has all of its profiles tried here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from contract.readings import Value
from drivers.bus import CommandFailed
from drivers.modbus.encode import TOGGLE
from drivers.modbus.product import Output
from drivers.profiles.files import load, load_all
from drivers.profiles.profile import Profile
from simulators.actions import CommandGiven, OutputPulsed, OutputSet
from tests.drivers.meter_object_values import object_rounds
from tests.drivers.meter_record_values import record_rounds
from tests.drivers.meter_values import ADDRESS, PASSWORD_FILE, meter_commands, meter_rounds
from tests.drivers.register_values import commands_of, raws_of, register_rounds, strange_raws
from tests.drivers.rigs import DEVICE, Hanging, Rig, rig

PROFILES = load_all()


class Bench(NamedTuple):
    """How products of one protocol are tried. `hangings`: the wires, taken in turn.

    `rounds`: what a device's points are made to say, and what they must read as (None: bad). `commands`: command,
    value, and what the simulated device must understand.
    """

    hangings: Sequence[Hanging]
    rounds: Callable[[Profile], list[tuple[dict[str, Value], dict[str, Value]]]]
    commands: Callable[[Profile], list[tuple[str, Value, str | float | None]]]


_METERS = tuple(
    Hanging(bus, f'address: "{ADDRESS}", password_file: {PASSWORD_FILE}')
    for bus in (
        "{kind: meter-serial, port: /dev/ttyS9, baud: 9600, timeout_s: 5}",
        "{kind: meter-tcp, host: 127.0.0.1, port: 4001, baud: 9600, timeout_s: 5}",
    )
)

_MBUS = tuple(
    Hanging(bus, device)
    for bus, device in (
        ("{kind: meter-serial, port: /dev/ttyS9, baud: 9600, timeout_s: 5}", 'unit: 8, meter_no: "02205100"'),
        ("{kind: meter-tcp, host: 127.0.0.1, port: 4001, baud: 9600, timeout_s: 0.5}", 'address: "02205100"'),
    )
)

BENCHES: Mapping[str, Bench] = {
    "modbus": Bench(
        (
            Hanging("{kind: modbus-tcp, host: 127.0.0.1, timeout_s: 5}", "unit: 7"),
            Hanging("{kind: modbus-rtu-tcp, host: 127.0.0.1, port: 4001, baud: 115200, timeout_s: 5}", "unit: 7"),
            Hanging("{kind: modbus-rtu, port: /dev/ttyS9, baud: 115200, timeout_s: 5}", "unit: 7"),
        ),
        register_rounds,
        commands_of,
    ),
    "dlt645": Bench(_METERS, meter_rounds, meter_commands),
    "cjt188": Bench(_METERS, meter_rounds, meter_commands),
    "dlt698": Bench(_METERS, object_rounds, meter_commands),
    "mbus": Bench(_MBUS, record_rounds, meter_commands),
}
"""By a profile's protocol."""

TRIED = sorted(id for id, profile in PROFILES.items() if profile.protocol in BENCHES)
TOLD = [id for id in TRIED if PROFILES[id].commands]
SWITCHED = [id for id in TRIED if PROFILES[id].outputs]
WITHIN_S = 30.0


def on_its_wire(folder: Path, id: str) -> AbstractAsyncContextManager[Rig]:
    """A product on the wire whose turn it is."""
    hangings = BENCHES[PROFILES[id].protocol].hangings
    return rig(folder, PROFILES[id], hangings[TRIED.index(id) % len(hangings)])


@pytest.mark.parametrize("id", TRIED)
async def test_every_point_reads_back_as_it_is(id: str, tmp_path: Path) -> None:
    profile = PROFILES[id]
    async with on_its_wire(tmp_path, id) as product:
        product.device.raws.update(raws_of(profile))
        read_well: set[str] = set()
        for said, read in BENCHES[profile.protocol].rounds(profile):
            product.device.overrides = said
            await product.reads(read)
            read_well |= {name for name, value in read.items() if value is not None}
        assert read_well == set(profile.points)
        told = {name for name, part in profile.multipliers.items() if part.source or name in profile.points}
        scaled = [point.id for point in profile.points.values() if told & set(getattr(point.source, "times", ()))]
        if scaled:
            product.device.raws.update(strange_raws(profile))
            product.device.overrides = said | dict.fromkeys(profile.multipliers, 0)
            await product.reads(dict.fromkeys(scaled))
        assert product.refused() == []


@pytest.mark.parametrize("id", TOLD)
async def test_every_command_arrives_as_it_was_meant(id: str, tmp_path: Path) -> None:
    commands = BENCHES[PROFILES[id].protocol].commands(PROFILES[id])
    assert {command[0] for command in commands} == set(PROFILES[id].commands)
    async with on_its_wire(tmp_path, id) as product:
        for command, asked, understood in commands:
            await product.bus.write(DEVICE, command, asked, within_s=WITHIN_S)
            given = product.acts[-1]
            assert isinstance(given, CommandGiven)
            assert given.command == command
            assert given.value == (pytest.approx(understood) if isinstance(understood, float) else understood)
        told = len(product.acts)
        for command, part in PROFILES[id].commands.items():
            for end, step in ((getattr(part, "low", None), -9.0), (getattr(part, "high", None), 9.0)):
                if end is not None:
                    with pytest.raises(CommandFailed):
                        await product.bus.write(DEVICE, command, end + step, within_s=WITHIN_S)
            with pytest.raises(CommandFailed):
                await product.bus.write(DEVICE, command, "no such thing" if part.labels else False, within_s=WITHIN_S)
        assert len(product.acts) == told, "what a product does not take is not sent"


@pytest.mark.parametrize("id", SWITCHED)
async def test_every_output_switches_and_pulses(id: str, tmp_path: Path) -> None:
    outputs = PROFILES[id].outputs
    async with on_its_wire(tmp_path, id) as product:
        for name, output in outputs.items():
            for on in (True, False):
                await product.bus.write(DEVICE, name, on, within_s=WITHIN_S)
                assert product.acts[-1] == OutputSet(name, on)
                await product.reads({name: on})
            if isinstance(output, Output) and output.toggle is not None:
                await product.bus.write(DEVICE, name, TOGGLE, within_s=WITHIN_S)
                await product.reads({name: True})
                await product.bus.write(DEVICE, name, TOGGLE, within_s=WITHIN_S)
                await product.reads({name: False})
        timed = {name: output.pulse_s for name, output in outputs.items() if output.pulse_s is not None}
        for name, (_, longest) in timed.items():
            with pytest.raises(CommandFailed):
                await product.bus.pulse(DEVICE, name, longest + 1, within_s=WITHIN_S)
            told = len(product.acts)
            await product.bus.pulse(DEVICE, name, 0.95, within_s=WITHIN_S)
            pulsed = product.acts[told]
            assert isinstance(pulsed, OutputPulsed)
            assert pulsed.output == name
            assert 0.95 <= pulsed.seconds <= 1.0 + 1e-9, "a pulse is never too short"
        await product.reads(dict.fromkeys(timed, False))
        assert product.refused() == []


@pytest.mark.parametrize("id", SWITCHED)
async def test_a_board_that_confirms_and_does_not_move_is_told_apart(id: str, tmp_path: Path) -> None:
    profile = PROFILES[id].as_installed(verify=True)
    name = next(iter(profile.outputs))
    async with rig(tmp_path, profile, BENCHES[profile.protocol].hangings[0]) as product:
        await product.reads({name: False})
        product.device.freeze(True)
        with pytest.raises(CommandFailed, match="reads back 0"):
            await product.bus.write(DEVICE, name, True, within_s=WITHIN_S)
        with pytest.raises(CommandFailed, match="reads back 0"):
            await product.bus.pulse(DEVICE, name, 5, within_s=WITHIN_S)
        product.device.freeze(False)
        await product.bus.pulse(DEVICE, name, 5, within_s=WITHIN_S)
        await product.reads({name: True})


async def test_a_board_that_ignores_off_during_a_pulse_is_told(tmp_path: Path) -> None:
    async with rig(tmp_path, load("ryn408f"), BENCHES["modbus"].hangings[2]) as product:
        await product.bus.pulse(DEVICE, "relay_1", 30, within_s=WITHIN_S)
        with pytest.raises(CommandFailed, match="reads back 1"):
            await product.bus.write(DEVICE, "relay_1", False, within_s=WITHIN_S)


async def test_a_pulse_that_is_over_when_it_is_looked_at_proves_nothing(tmp_path: Path) -> None:
    board = PROFILES["waveshare_relay8"]
    slow = {
        id: replace(part, verify=True, settle_s=0.3) for id, part in board.outputs.items() if isinstance(part, Output)
    }
    async with rig(tmp_path, replace(board, outputs=slow), BENCHES["modbus"].hangings[2]) as product:
        await product.bus.pulse(DEVICE, "relay_1", 0.1, within_s=WITHIN_S)
        assert product.acts == [OutputPulsed("relay_1", 0.1)]
        product.device.freeze(True)
        with pytest.raises(CommandFailed, match="reads back 0"):
            await product.bus.pulse(DEVICE, "relay_1", 5, within_s=WITHIN_S)


@pytest.mark.parametrize("kind", ["modbus-rtu", "modbus-rtu-tcp"])
async def test_an_adapter_that_hears_itself_is_read_and_written(kind: str, tmp_path: Path) -> None:
    hanging = next(each for each in BENCHES["modbus"].hangings if kind + "," in each.bus)
    async with rig(tmp_path, load("ryn408f"), hanging) as product:
        product.site.faults.put(DEVICE, "echo", None)
        await product.bus.write(DEVICE, "relay_3", True, within_s=WITHIN_S)
        await product.reads({"relay_3": True, "relay_4": False})
        await product.bus.write(DEVICE, "relay_3", False, within_s=WITHIN_S)
        await product.reads({"relay_3": False})


@pytest.mark.parametrize("kind", ["modbus-tcp", "modbus-rtu-tcp"])
async def test_a_converter_that_hangs_up_is_dialled_again(kind: str, tmp_path: Path) -> None:
    hanging = next(each for each in BENCHES["modbus"].hangings if kind + "," in each.bus)
    async with rig(tmp_path, load("xy_md02"), hanging) as product:
        product.site.faults.put(DEVICE, "hang-up", None)
        await product.until(lambda: not product.bus.online(DEVICE))
        product.site.faults.clear()
        product.device.overrides = {"temperature": -12.5, "humidity": 99.9}
        await product.reads({"temperature": -12.5, "humidity": 99.9})


def test_lifts_take_no_commands() -> None:
    lifts = [profile for profile in PROFILES.values() if profile.kind.startswith(("elevator", "lift"))]
    assert {"arkel_arcode", "invertek_elevator_core", "elevator_monitor", "elevator_dry_contact"} <= {
        profile.id for profile in lifts
    }
    for profile in lifts:
        assert not profile.as_installed().commands
        assert not profile.outputs


def test_the_monitored_items_of_lifts_are_those_of_the_standard() -> None:
    """GB/T 24476-2017, real-time running status: mode, running, direction, door zone, floor, door, fault, people."""
    full, contacts = PROFILES["elevator_monitor"], PROFILES["elevator_dry_contact"]
    items = {"mode", "running", "direction", "door_zone", "floor", "door", "fault", "occupied", "trapped"}
    assert items <= set(full.points)
    wired = {"door_zone", "door_closed", "running", "up", "down", "fault", "trapped", "inspection"}
    assert set(contacts.points) == wired

"""Commands to writes: what a product takes, and what is refused before a byte is sent."""

from __future__ import annotations

import pytest

from contract.readings import Value
from drivers.bus import CommandFailed
from drivers.modbus.encode import Write, pulse, write_of
from drivers.modbus.product import Output
from drivers.profiles.files import load
from drivers.profiles.profile import Profile
from tests.drivers.products import product

WRITES: list[tuple[str, str, Value, tuple[int, int, tuple[int, ...]]]] = [
    ("waveshare_relay8", "relay_1", True, (5, 0, (0xFF00,))),
    ("waveshare_relay8", "relay_8", False, (5, 7, (0x0000,))),
    ("came_gard_ptx", "open", True, (5, 1, (0xFF00,))),
    ("came_gard_ptx", "open", None, (5, 1, (0xFF00,))),
    ("grundfos_cim200", "start", True, (6, 100, (3,))),
    ("grundfos_cim200", "setpoint", 55.5, (6, 103, (5550,))),
    ("invt_goodrive", "control", "stop", (6, 0x2000, (5,))),
    ("invt_goodrive", "set_frequency", 50, (6, 0x2001, (5000,))),
]


@pytest.mark.parametrize(("profile", "name", "value", "wanted"), WRITES)
def test_writes(profile: str, name: str, value: Value, wanted: tuple[int, int, tuple[int, ...]]) -> None:
    assert tuple(write_of(load(profile), name, value))[:3] == wanted


REFUSED: list[tuple[str, str, Value, str]] = [
    ("waveshare_relay8", "relay_9", True, "nothing to write called relay_9"),
    ("waveshare_relay8", "relay_1", 1.0, "switched with true or false"),
    ("came_gard_ptx", "open", False, "never undone"),
    ("grundfos_cim200", "setpoint", 101, "takes 0 … 100 %"),
    ("grundfos_cim200", "setpoint", "full", "takes a number"),
    ("grundfos_cim200", "setpoint", True, "takes a number"),
    ("grundfos_cim200", "setpoint", float("nan"), "takes a number"),
    ("invt_goodrive", "control", "sideways", "takes one of forward"),
]


@pytest.mark.parametrize(("profile", "name", "value", "why"), REFUSED)
def test_refused(profile: str, name: str, value: Value, why: str) -> None:
    with pytest.raises(CommandFailed, match=why) as failed:
        write_of(load(profile), name, value)
    assert failed.value.why.zh != failed.value.why.en


def switched(profile: Profile, name: str) -> Output:
    """An output that is written to a register or a coil."""
    output = profile.outputs[name]
    assert isinstance(output, Output)
    return output


def relay_2() -> Output:
    return switched(load("waveshare_relay8"), "relay_2")


@pytest.mark.parametrize(("seconds", "steps"), [(0.1, 1), (0.01, 1), (0.7, 7), (5, 50), (0.75, 8), (3276.7, 0x7FFF)])
def test_a_boards_pulse_is_rounded_up_to_its_steps(seconds: float, steps: int) -> None:
    write = pulse(relay_2(), seconds)
    assert write._replace(lasts_s=None) == Write(5, 0x0201, (steps,))
    assert write.lasts_s == pytest.approx(steps / 10)


@pytest.mark.parametrize("seconds", [0, -1, 3276.8, float("inf"), float("nan")])
def test_a_pulse_that_the_board_cannot_time_is_refused(seconds: float) -> None:
    with pytest.raises(CommandFailed, match=r"pulses of up to 3276.7 s"):
        pulse(relay_2(), seconds)


def test_an_output_without_a_timer_has_no_pulse() -> None:
    profile = product("outputs:\n  o: {address: 3, name: {zh: 出, en: Out}}\n")
    with pytest.raises(CommandFailed, match="cannot time a pulse"):
        pulse(switched(profile, "o"), 1)


def test_wide_values_take_their_order() -> None:
    profile = product("commands:\n  c: {fc: 16, address: 3, type: f32, order: CDAB, name: {zh: 令, en: C}}\n")
    assert write_of(profile, "c", 230.1) == Write(16, 3, (0x199A, 0x4366))

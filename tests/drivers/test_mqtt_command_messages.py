"""From commands to messages: what is sent, what confirms it, and what is refused before a byte is sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.readings import Value
from drivers.bus import CommandFailed
from drivers.mqtt.commands import message_of, pulse_of, pulse_time
from drivers.profiles.files import load
from simulators.actions import OutputPulsed
from simulators.mqtt.commands import action_of
from tests.drivers.test_mqtt_payloads import product

PRODUCT = product(
    """silent_s: 60
points:
  level: {name: {zh: 开度, en: Level}, topic: s, path: level}
  mode:
    name: {zh: 模式, en: Mode}
    topic: s
    path: mode
    type: label
    enum: &modes {auto: {label: automatic, zh: 自动, en: Auto}, man: {label: manual, zh: 手动, en: Manual}}
outputs:
  lamp:
    name: {zh: 灯, en: Lamp}
    state: {topic: s, path: lamp}
    topic: "{topic}/set"
    path: lamp
    turn_on: "true"
    turn_off: "false"
    pulse: {topic: "{topic}/blip", payload: GO, min_s: 0.5, max_s: 0.5}
  bell: {name: {zh: 铃, en: Bell}, state: {topic: s, path: bell}, topic: "{topic}/bell"}
commands:
  level:
    name: {zh: 开度, en: Level}
    topic: "{topic}/set"
    path: position.target
    scale: 0.5
    min: 0
    max: 50
    confirm: {point: level, tolerance: 1}
  mode:
    name: {zh: 模式, en: Mode}
    topic: "{topic}/set"
    payload: '{"mode": "{value}"}'
    enum: *modes
    confirm: {point: mode, repeats: true}
  restart:
    name: {zh: 重启, en: Restart}
    topic: "{topic}/cmd"
    payload: restart
    confirm: {point: mode, expect: [automatic]}
"""
)


@pytest.mark.parametrize(
    ("name", "value", "message", "point", "expect"),
    [
        ("lamp", True, ("a/b/set", b'{"lamp": true}'), "lamp", (True,)),
        ("lamp", False, ("a/b/set", b'{"lamp": false}'), "lamp", (False,)),
        ("bell", True, ("a/b/bell", b"ON"), "bell", (True,)),
        ("level", 20, ("a/b/set", b'{"position": {"target": 40}}'), "level", (20.0,)),
        ("mode", "manual", ("a/b/set", b'{"mode": "man"}'), "mode", ("manual",)),
        ("restart", True, ("a/b/cmd", b"restart"), "mode", ("automatic",)),
    ],
)
def test_what_is_sent(
    name: str, value: Value, message: tuple[str, bytes], point: str, expect: tuple[object, ...]
) -> None:
    sent = message_of(PRODUCT, "a/b", name, value)
    assert ((sent.topic, sent.payload), sent.point, sent.expect) == (message, point, expect)


def test_what_confirms_it() -> None:
    level = message_of(PRODUCT, "x", "level", 20)
    assert [level.met_by(value) for value in (20.0, 19.0, 21.0, 22.0, None, True, "20")] == [
        True, True, True, False, False, False, False,
    ]  # fmt: skip
    lamp = message_of(PRODUCT, "x", "lamp", True)
    assert [lamp.met_by(value) for value in (True, False, 1.0, "true", None)] == [True, False, False, False, False]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lamp", 1.0), ("lamp", "on"), ("lamp", None), ("nothing", True), ("level", True), ("level", 51), ("level", -1),
        ("level", float("nan")), ("mode", "man"), ("mode", 1.0), ("restart", False),
    ],
)  # fmt: skip
def test_what_is_refused(name: str, value: Value) -> None:
    with pytest.raises(CommandFailed):
        message_of(PRODUCT, "x", name, value)


@pytest.mark.parametrize(("output", "seconds"), [("bell", 1), ("lamp", 1), ("lamp", 0.6), ("level", 1), ("lamp", -1)])
def test_pulses_that_the_device_cannot_time(output: str, seconds: float) -> None:
    with pytest.raises(CommandFailed):
        pulse_of(PRODUCT, "x", output, seconds)


def test_a_pulse_of_one_length() -> None:
    assert pulse_of(PRODUCT, "x", "lamp", 0.5).payload == b"GO"


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.05, 1), (0.1, 1), (0.5, 5), (11.1, 111), (11.2, 112), (12, 112), (60, 160), (3600, 3700)]
)
def test_tasmotas_pulse_time(seconds: float, said: int) -> None:
    assert pulse_time(seconds) == said


@given(st.sampled_from(["tasmota_plug", "zigbee2mqtt_plug", "esphome_relay_board"]), st.floats(0.1, 3600))
def test_a_pulse_is_never_shorter_than_asked_for_and_hardly_longer(product: str, seconds: float) -> None:
    profile = load(product)
    try:
        sent = pulse_of(profile, "x", "relay_1", seconds)
    except CommandFailed:
        assert profile.outputs["relay_1"].pulse_s is not None
        return
    action = action_of(profile, "x", sent.topic, sent.payload)
    assert isinstance(action, OutputPulsed)
    assert seconds - 1e-6 <= action.seconds <= seconds + 1.0


@given(st.text(max_size=20), st.one_of(st.booleans(), st.floats(), st.text(max_size=10), st.none()))
def test_any_command_is_a_message_or_words(name: str, value: Value) -> None:
    try:
        sent = message_of(PRODUCT, "x", name, value)
    except CommandFailed as failed:
        assert failed.why.zh
        assert failed.why.en
        return
    assert sent.topic

"""Devices that announce themselves: what becomes of each component, and what is refused in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from drivers.mqtt.discovery import COMPONENTS, KEYS, patterns, read_announcement
from drivers.mqtt.drafts import Drafts, drafts_of
from drivers.mqtt.product import JsonSource, TopicCommand, TopicOutput, format_of, needs_topic
from drivers.mqtt.templates import NotUnderstood, Template, read_command_template, read_template
from drivers.profiles.files import parse
from drivers.profiles.profile import Profile

ABOUT = {"ids": ["id-1"], "name": "Hall", "mf": "Maker", "mdl": "M1"}


def drafted(component: str, config: dict[str, Any], object_: str = "thing") -> Drafts:
    topic = f"homeassistant/{component}/node/{object_}/config"
    return drafts_of({topic: json.dumps({"dev": ABOUT} | config).encode()}, "broker")


def profile_of(component: str, config: dict[str, Any]) -> Profile:
    drafts = drafted(component, config)
    assert drafts.refused == ()
    (draft,) = drafts.drafts
    return parse(draft.profile.encode(), Path(f"{draft.id}.yaml"))


def refusal(component: str, config: dict[str, Any]) -> str:
    drafts = drafted(component, config)
    assert drafts.drafts == ()
    (refused,) = drafts.refused
    assert refused.why.zh
    return refused.why.en


# --- Templates


@pytest.mark.parametrize(
    ("text", "path", "number"),
    [
        ("{{ value }}", (), False),
        ("{{value_json.a.b}}", ("a", "b"), False),
        ("{{ value_json['a'] }}", ("a",), False),
        ('{{ value_json["a b"].c[0] }}', ("a b", "c", "0"), False),
        ("{{ value_json.x | float }}", ("x",), True),
        ("{{ value_json.x|int(0)|round(1) }}", ("x",), True),
        ("{{- value -}}", (), False),
        ("  {{ value | round }}\n", (), True),
    ],
)
def test_templates_that_say_where_a_value_is(text: str, path: tuple[str, ...], number: bool) -> None:
    assert read_template(text) == Template(path, number)


@pytest.mark.parametrize(
    "text",
    [
        "", "value", "{{ }}", "{{ values }}", "{{ value.a }}", "{{ value_json.a if x }}", "{{ value_json.get('a') }}",
        "{% if value %}1{% endif %}", "{{ value_json.a + 1 }}", "{{ value_json.a | default(0) }}", "{{ a }}{{ b }}",
        "{{ value_json['a' }}", "{{ value_json['a\\'b'] }}", "{{ states('x') }}", "{{ value | float }} W", "x" * 600,
        "{{ value_json" + ".a" * 40 + " }}", "{{ value_json['\ud800'] }}",
    ],
)  # fmt: skip
def test_templates_that_do_more(text: str) -> None:
    with pytest.raises(NotUnderstood) as wrong:
        read_template(text)
    assert wrong.value.text.zh
    assert wrong.value.text.en


def test_payload_templates() -> None:
    assert read_command_template('{"a": {"b": {{ value | int }}}}') == '{"a": {"b": {value}}}'
    for text in ("{{ value_json.a }}", "{{ value }}{{ value }}", "{% x %}{{ value }}", "ON"):
        with pytest.raises(NotUnderstood):
            read_command_template(text)


@given(st.text(max_size=80))
def test_any_template_is_a_place_or_words(text: str) -> None:
    for read in (read_template, read_command_template):
        for each in (text, "{{ value_json" + text + " }}"):
            try:
                read(each)
            except NotUnderstood as wrong:
                assert wrong.text.en


# --- Components


def test_a_sensor() -> None:
    profile = profile_of(
        "sensor",
        {
            "~": "t",
            "stat_t": "~/state",
            "val_tpl": "{{ value_json.t }}",
            "dev_cla": "temperature",
            "unit_of_meas": "°C",
        },
    )
    point = profile.points["thing"]
    assert isinstance(point.source, JsonSource)
    assert (point.type, point.unit, point.name.zh) == ("number", "degC", "温度")
    assert (point.source.topic, point.source.path, point.source.coded) == ("t/state", ("t",), "text")
    assert not needs_topic(profile)


def test_a_sensor_of_words() -> None:
    profile = profile_of("sensor", {"stat_t": "t", "dev_cla": "enum", "ops": ["Wasch gang", "fertig", "Wasch-gang"]})
    source = profile.points["thing"].source
    assert isinstance(source, JsonSource)
    assert source.enum == {"Wasch gang": "wasch_gang", "fertig": "fertig", "Wasch-gang": "wasch_gang_2"}
    assert profile_of("sensor", {"stat_t": "t"}).points["thing"].type == "text"


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, {"ON": True, "OFF": False}),
        ({"pl_on": True, "pl_off": False, "val_tpl": "{{ value_json.x }}"}, {"true": True, "false": False}),
        (
            {"payload_on": "True", "payload_off": "False", "value_template": "{{ value_json.x }}"},
            {"True": True, "true": True, "False": False, "false": False},
        ),
        ({"pl_on": 1, "pl_off": 0}, {"1": True, "0": False}),
    ],
)
def test_a_binary_sensor(config: dict[str, Any], words: dict[str, bool]) -> None:
    source = profile_of("binary_sensor", {"stat_t": "t"} | config).points["thing"].source
    assert isinstance(source, JsonSource)
    assert source.map == words


@pytest.mark.parametrize(
    ("component", "config", "on"),
    [
        ("switch", {}, b"ON"),
        ("switch", {"pl_on": '{"state": "ON"}', "stat_on": "ON", "stat_off": "OFF"}, b'{"state": "ON"}'),
        ("light", {"schema": "json"}, b'{"state": "ON"}'),
        ("light", {"bri_cmd_t": "x"}, b"ON"),
    ],
)
def test_what_switches(component: str, config: dict[str, Any], on: bytes) -> None:
    output = profile_of(component, {"stat_t": "t", "cmd_t": "t/set"} | config).outputs["thing"]
    assert isinstance(output, TopicOutput)
    assert (output.turn_on.topic, output.turn_on.payload.encode(), output.pulse) == ("t/set", on, None)


def test_a_lock_and_a_cover() -> None:
    lock = profile_of("lock", {"stat_t": "t", "cmd_t": "t/set", "pl_unlk": "OPEN_IT", "stat_jam": None})
    unlock = lock.commands["thing_unlock"]
    assert isinstance(unlock, TopicCommand)
    assert (unlock.message.payload, unlock.point, unlock.expect) == ("OPEN_IT", "thing", ("unlocked",))
    assert set(lock.points["thing"].labels) == {"locked", "unlocked", "locking", "unlocking"}
    cover = profile_of("cover", {"stat_t": "t", "cmd_t": "t/set", "pl_stop": None, "pos_t": "t/pos"})
    assert set(cover.commands) == {"thing_open", "thing_close"}
    assert set(cover.points) == {"thing", "thing_position"}


def test_a_number() -> None:
    profile = profile_of(
        "number", {"stat_t": "t", "cmd_t": "t/set", "cmd_tpl": '{"v": {{ value }}}', "min": 0, "max": 9, "step": 0.5}
    )
    command = profile.commands["thing"]
    assert isinstance(command, TopicCommand)
    assert (command.message.payload, command.low, command.high) == ('{"v": {value}}', 0, 9)
    assert (command.point, command.tolerance) == ("thing", 0.25)
    assert profile.points["thing"].writable


@pytest.mark.parametrize(
    ("component", "config", "why"),
    [
        ("climate", {"stat_t": "t"}, "components of kind climate"),
        ("sensor", {}, "no state topic"),
        ("sensor", {"stat_t": "t/#"}, "no wildcards"),
        ("sensor", {"stat_t": "{topic}/x"}, "no wildcards, braces"),
        ("sensor", {"stat_t": "t", "val_tpl": "{{ value_json.a | multiply(2) }}"}, "does more than say where"),
        ("sensor", {"stat_t": "t", "encoding": ""}, "utf-8"),
        ("binary_sensor", {"stat_t": "t", "off_dly": 30}, "off_delay"),
        ("binary_sensor", {"stat_t": "t", "pl_on": "X", "pl_off": "X"}, "the same word"),
        ("switch", {"cmd_t": "t/set"}, "no state topic"),
        ("switch", {"stat_t": "t"}, "no command topic"),
        ("switch", {"stat_t": "t", "cmd_t": "c", "pl_on": "{value}"}, "cannot be sent"),
        ("light", {"stat_t": "t", "cmd_t": "c", "schema": "template"}, "driven by templates"),
        ("lock", {"stat_t": "t", "cmd_t": "c", "cod_form": "^[0-9]+$"}, "code_format"),
        ("cover", {"cmd_t": "c"}, "no state topic"),
        ("number", {"stat_t": "t", "cmd_t": "c", "min": "low"}, "must be a number"),
    ],
)
def test_what_is_not_understood(component: str, config: dict[str, Any], why: str) -> None:
    assert why in refusal(component, config)


# --- Devices


def test_parts_of_a_device_come_together_and_what_is_not_understood_is_left_out() -> None:
    said = {
        f"homeassistant/{component}/x/{object_}/config": json.dumps(
            {"dev": ABOUT, "stat_t": f"t/{object_}"} | more
        ).encode()
        for component, object_, more in (
            ("sensor", "power", {"dev_cla": "power", "unit_of_meas": "W", "avty_t": "t/lwt"}),
            ("binary_sensor", "leak", {"dev_cla": "moisture", "avty_t": "t/lwt", "exp_aft": 600}),
            ("fan", "fan", {}),
        )
    }
    said["homeassistant/switch/y/gone/config"] = b""
    drafts = drafts_of(said, "site-broker", taken=["hall"])
    (draft,) = drafts.drafts
    assert [refused.topic for refused in drafts.refused] == ["homeassistant/fan/x/fan/config"]
    profile = parse(draft.profile.encode(), Path("hall_2.yaml"))
    assert (draft.id, set(profile.points), profile.silent_s) == ("hall_2", {"power", "leak"}, 600)
    assert [words.topic for words in format_of(profile).availability] == ["t/lwt"]
    assert profile.points["leak"].group == "alarm"
    assert yaml.safe_load(draft.line) == {
        "hall-2": {"profile": "hall_2", "bus": "site-broker", "name": {"zh": "Hall", "en": "Hall"}}
    }


def test_a_whole_device_in_one_message() -> None:
    document = {
        "dev": ABOUT,
        "o": {"name": "maker"},
        "~": "base",
        "stat_t": "~/all",
        "avty": [{"t": "~/lwt", "val_tpl": "{{ value_json.state }}"}, {"t": "bridge"}],
        "avty_mode": "all",
        "cmps": {
            "temp": {"p": "sensor", "val_tpl": "{{ value_json.temp }}", "unit_of_meas": "°C"},
            "valve": {"p": "switch", "stat_t": "~/valve", "cmd_t": "~/valve/set"},
            "old": {"p": "sensor"},
        },
    }
    drafts = drafts_of({"homeassistant/device/x/config": json.dumps(document).encode()}, "b")
    assert drafts.refused == ()
    profile = parse(drafts.drafts[0].profile.encode(), Path("hall.yaml"))
    assert set(profile.points) == {"temp", "valve"}
    assert format_of(profile).availability_needs == "all"
    assert [(words.topic, words.path) for words in format_of(profile).availability] == [
        ("base/lwt", "state"),
        ("bridge", ""),
    ]
    source = profile.points["temp"].source
    assert isinstance(source, JsonSource)
    assert source.topic == "base/all"


def test_long_and_short_keys_say_the_same() -> None:
    short = {"stat_t": "t", "cmd_t": "c", "pl_on": "1", "pl_off": "0", "avty_t": "a"}
    long = {KEYS[key]: value for key, value in short.items()}
    assert profile_of("switch", short) == profile_of("switch", long)


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("homeassistant/sensor/config", b"{}"),
        ("other/sensor/x/config", b"{}"),
        ("homeassistant/sensor/a b/config", b"{}"),
        ("homeassistant/sensor/x/config", b"[]"),
        ("homeassistant/sensor/x/config", b'{"a": 1, "a": 2}'),
        ("homeassistant/sensor/x/config", b"\xff"),
        ("homeassistant/sensor/x/config", b"x" * 300_000),
        ("homeassistant/device/x/config", b'{"dev": {}}'),
        ("homeassistant/device/x/config", b'{"cmps": {"a": 1}}'),
        ("homeassistant/device/x/config", b'{"cmps": {"a": {"x": 1}}}'),
    ],
)
def test_announcements_that_are_none(topic: str, payload: bytes) -> None:
    with pytest.raises(NotUnderstood):
        read_announcement(topic, payload)


def test_patterns() -> None:
    assert patterns("ha") == ["ha/+/+/config", "ha/+/+/+/config"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
VALUES = JSON | st.sampled_from(["{{ value_json.a }}", "t/x", "~", "ON", "{{ value }}"])


@given(
    st.sampled_from([*COMPONENTS, "device", "climate"]),
    st.dictionaries(st.sampled_from(sorted([*KEYS, *KEYS.values(), "name", "~", "min", "max", "step"])), VALUES),
    VALUES,
)
@example(component="sensor", config={"name": "ON"}, about=None)
def test_any_announcement_is_a_sound_draft_or_words(component: str, config: dict[str, Any], about: Any) -> None:
    payload = json.dumps({"stat_t": "a/b", "cmd_t": "a/c", "dev": about} | config).encode()
    drafts = drafts_of({f"homeassistant/{component}/n/o/config": payload}, "broker")
    for draft in drafts.drafts:
        assert parse(draft.profile.encode(), Path(f"{draft.id}.yaml")).id == draft.id
        assert list(yaml.safe_load(draft.line)) == [draft.device]
    assert all(refused.why.zh and refused.why.en for refused in drafts.refused)

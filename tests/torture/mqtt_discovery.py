"""Announcements of devices, spoiled and made up: only words are the answer, and every draft is a sound profile."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

from drivers.mqtt.discovery import KEYS
from drivers.mqtt.drafts import drafts_of
from drivers.mqtt.templates import NotUnderstood, read_command_template, read_template
from drivers.profiles.files import parse
from tests.torture.frames import mutated, noise

_ABOUT = {"ids": ["x1"], "name": "Gang 1", "mf": "Maker", "mdl": "M1"}
_SOUND: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        "sensor",
        {"stat_t": "a/b", "val_tpl": "{{ value_json.t | float }}", "unit_of_meas": "°C", "dev_cla": "temperature"},
    ),
    (
        "binary_sensor",
        {"~": "a/x", "stat_t": "~/state", "pl_on": True, "pl_off": False, "val_tpl": "{{ value_json.l }}"},
    ),
    ("switch", {"stat_t": "a/s", "cmd_t": "a/s/set", "avty": [{"t": "a/av", "val_tpl": "{{ value_json.state }}"}]}),
    ("light", {"schema": "json", "stat_t": "a/l", "cmd_t": "a/l/set"}),
    ("lock", {"stat_t": "a/k", "cmd_t": "a/k/set", "avty_t": "a/av"}),
    ("cover", {"stat_t": "a/c", "cmd_t": "a/c/set", "pl_stop": None, "pos_t": "a/p"}),
    ("number", {"stat_t": "a/n", "cmd_t": "a/n/set", "cmd_tpl": '{"n": {{ value }}}', "min": 0, "max": 5}),
    ("sensor", {"stat_t": "a/o", "ops": ["eins", "zwei"], "dev_cla": "enum", "exp_aft": 60}),
)
_ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1e300, "", "ON", "a/#", "{topic}", "{value}", "\x85", "\ud800", [], {}, ["a"], {"t": 1},
    "x" * 300, "{{ value }}", "{{ value_json['a'] }}", "{% if x %}", "~", ": - #", "'", "国",
)  # fmt: skip
_KEYS = (*KEYS, *KEYS.values(), "name", "~", "schema", "min", "max", "step")


def one(rng: Random) -> None:
    """One announcement, or one template."""
    if rng.random() < 0.3:
        _template(rng)
        return
    topic, payload = _announcement(rng)
    drafts = drafts_of({topic: payload}, "broker")
    assert len(drafts.drafts) <= 1
    for draft in drafts.drafts:
        if rng.random() < 0.1:  # reading YAML back is slow; the shape itself was checked for every draft
            assert parse(draft.profile.encode(), Path(f"{draft.id}.yaml")).id == draft.id


def _template(rng: Random) -> None:
    text = rng.choice(("{{ value_json.a['b'][0] | float | round(1) }}", "{{ value }}", '{"a": {{ value | int }}}'))
    spoiled = mutated(rng, text.encode()).decode("utf-8", "replace")
    for read in (read_template, read_command_template):
        try:
            read(spoiled)
        except NotUnderstood as why:
            assert why.text.zh, spoiled
            assert why.text.en, spoiled


def _announcement(rng: Random) -> tuple[str, bytes]:
    component, sound = rng.choice(_SOUND)
    config = dict(sound)
    for _ in range(rng.randrange(3)):
        config[rng.choice(_KEYS)] = rng.choice(_ODD)
    if rng.random() < 0.9:
        config["dev"] = _ABOUT if rng.random() < 0.9 else rng.choice(_ODD)
    if rng.random() < 0.2:
        parts: Any = {"p1": config | {"p": component}, "p2": rng.choice(_ODD)}
        config = {"dev": rng.choice((_ABOUT, {}, None)), "cmps": parts if rng.random() < 0.9 else rng.choice(_ODD)}
        component = "device"
    topic = f"homeassistant/{component}/n/{rng.choice(('o1', '1', 'o-2'))}/config"
    payload = json.dumps(config).encode()
    match rng.randrange(6):
        case 0:
            payload = mutated(rng, payload)
        case 1:
            payload = noise(rng)
        case 2:
            topic = mutated(rng, topic.encode()).decode("utf-8", "replace")
    return topic, payload

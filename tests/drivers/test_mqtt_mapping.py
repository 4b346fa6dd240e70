"""MQTT payloads to points: a table of what strangers write."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.readings import Value
from drivers.changes import Worth
from drivers.mqtt.mapping import PAYLOAD_LIMIT, Available, Refusal, Topics, Values
from drivers.profiles.files import load, parse

THING = parse(
    """
id: thing
kind: test
protocol: mqtt
name: {zh: 测试, en: Test}
confidence: own
sources: [these tests]
silent_s: 60
availability: {topic: "{topic}/status", path: state, online: up, offline: down}
points:
  deep: {topic: "{topic}/s", path: a.b.0, scale: 0.1, offset: -10, name: {zh: 深, en: Deep}}
  wet:
    {topic: "{topic}/s", path: wet, type: flag, name: {zh: 水, en: Water},
     map: {"true": true, "1": true, "false": false, "0": false, 湿: true}}
  mode:
    {topic: "{topic}/s", path: mode, type: label, name: {zh: 式, en: Mode},
     enum: {"1": {label: one, zh: 一, en: one}, two: {label: two, zh: 二, en: two}}}
  plain: {topic: "{topic}/plain", min: 0, max: 100, name: {zh: 平, en: Plain}}
  word: {topic: "{topic}/word", type: flag, map: {wet: true, dry: false}, name: {zh: 字, en: Word}}
""".encode(),
    Path("thing.yaml"),
)
TOPICS = Topics({"d": ("garage/1", THING), "co": ("garage/co", load("mqtt_co_sensor"))})


def test_topics_to_subscribe_to() -> None:
    assert TOPICS.topics == [
        "garage/1/plain", "garage/1/s", "garage/1/status", "garage/1/word", "garage/co/availability", "garage/co/state",
    ]  # fmt: skip


GOOD: list[tuple[str, bytes, dict[str, Value]]] = [
    ("garage/co/state", b'{"co": 12.5}', {"co": 12.5}),
    ("garage/co/state", b'{"co": 12, "more": [1, {}]}', {"co": 12.0}),
    ("garage/1/s", b'{"a": {"b": [155]}}', {"deep": 5.5}),
    ("garage/1/s", b'{"a": {"b": {"0": 100}}}', {"deep": 0.0}),
    ("garage/1/s", b'{"wet": true, "mode": 1}', {"wet": True, "mode": "one"}),
    ("garage/1/s", b'{"wet": 0, "mode": "two"}', {"wet": False, "mode": "two"}),
    ("garage/1/s", b'{"wet": 1.0}', {"wet": True}),
    ("garage/1/s", '{"wet": "湿"}'.encode(), {"wet": True}),
    ("garage/1/plain", b"42", {"plain": 42.0}),
    ("garage/1/plain", b" 4.2e1 ", {"plain": 42.0}),
    ("garage/1/word", b"wet", {"word": True}),
    ("garage/1/word", b'"dry"', {"word": False}),
]


@pytest.mark.parametrize(("topic", "payload", "values"), GOOD)
def test_values(topic: str, payload: bytes, values: dict[str, Value]) -> None:
    device = "co" if "co" in topic else "d"
    (said,) = TOPICS.read(topic, payload)
    assert said == Values(device, tuple(Worth(point, value, "good") for point, value in values.items()))


@pytest.mark.parametrize(("payload"), [b'{"co": null}', b'{"co": -1}', b'{"co": 5001}'])
def test_no_values(payload: bytes) -> None:
    assert TOPICS.read("garage/co/state", payload) == [Values("co", (Worth("co", None, "bad"),))]


REFUSED: list[tuple[str, bytes, str]] = [
    ("garage/co/state", b"", "none of co is in the payload"),
    ("garage/co/state", b"{", "not JSON"),
    ("garage/co/state", b'{"co": 12', "not JSON"),
    ("garage/co/state", b'{"co": 12}}', "not JSON"),
    ("garage/co/state", b"[" * 60000, "nested too deeply"),
    ("garage/co/state", b'{"co": ' + b"[" * 5000 + b"]" * 5000 + b"}", "nested too deeply"),
    ("garage/co/state", b"\xff\xfe{}", "not UTF-8"),
    ("garage/co/state", b'{"co": 1}' + b" " * PAYLOAD_LIMIT, "at most 65536"),
    ("garage/co/state", b'{"co": "12.5"}', "co: a number is expected, not '12.5'"),
    ("garage/co/state", b'{"co": true}', "co: a number is expected, not True"),
    ("garage/co/state", b'{"co": [12.5]}', "co: a number is expected, not [12.5]"),
    ("garage/co/state", b'{"co": {}}', "co: a number is expected, not {}"),
    ("garage/co/state", b'{"co": NaN}', "not JSON"),
    ("garage/co/state", b'{"co": 1' + b"0" * 400 + b"}", "no finite number"),
    ("garage/co/state", b'{"CO": 12}', "none of co is in the payload"),
    ("garage/co/state", b"12", "none of co is in the payload"),
    ("garage/1/s", b'{"wet": "perhaps"}', "wet: 'perhaps' is none of true"),
    ("garage/1/s", b'{"wet": [true]}', "wet: [True] is none of"),
    ("garage/1/s", b'{"mode": 3}', "mode: 3 is none of 1, two"),
    ("garage/1/s", b'{"a": {"b": []}}', "none of deep, wet, mode is in the payload"),
    ("garage/1/word", b"damp", "word: 'damp' is none of wet, dry"),
]


@pytest.mark.parametrize(("topic", "payload", "why"), REFUSED)
def test_refused(topic: str, payload: bytes, why: str) -> None:
    (refusal,) = TOPICS.read(topic, payload)
    assert isinstance(refusal, Refusal)
    assert why in refusal.why
    assert len(refusal.why) < 200


def test_one_wrong_value_does_not_cost_the_others() -> None:
    said = TOPICS.read("garage/1/s", b'{"wet": true, "mode": 9}')
    assert said[0] == Values("d", (Worth("wet", True, "good"),))
    assert isinstance(said[1], Refusal)


def test_availability() -> None:
    assert TOPICS.read("garage/co/availability", b"online") == [Available("co", True)]
    assert TOPICS.read("garage/co/availability", b"offline") == [Available("co", False)]
    assert TOPICS.read("garage/1/status", b'{"state": "down"}') == [Available("d", False)]
    for payload in (b"", b"maybe", b"\xff", b'{"state": "up"}'):
        (refusal,) = TOPICS.read("garage/co/availability", payload)
        assert isinstance(refusal, Refusal)


def test_a_topic_of_nobody_says_nothing() -> None:
    assert TOPICS.read("garage/other", b"1") == []


@given(st.sampled_from(TOPICS.topics), st.binary(max_size=200))
def test_any_bytes_are_taken_or_refused(topic: str, payload: bytes) -> None:
    assert all(isinstance(meaning, Values | Available | Refusal) for meaning in TOPICS.read(topic, payload))

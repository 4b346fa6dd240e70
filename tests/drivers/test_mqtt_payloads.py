"""Payloads as installers have them: places in lists, dots in keys, codings, several topics, JSON that means harm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from drivers.changes import Worth
from drivers.mqtt.mapping import Attendance, Available, Refusal, Topics, Values
from drivers.mqtt.product import needs_topic
from drivers.profiles.files import ProfileErrors, parse
from drivers.profiles.profile import Profile
from drivers.profiles.words import path_of, steps_of

HEAD = """
id: probe
kind: test
protocol: mqtt
name: {zh: 测试, en: Test}
confidence: own
sources: [these tests]
"""


def product(body: str) -> Profile:
    return parse((HEAD + body).encode(), Path("probe.yaml"))


def point(line: str, silent: str = "silent_s: 60") -> Profile:
    return product(f"{silent}\npoints:\n  value: {{name: {{zh: 值, en: Value}}, topic: t, {line}}}\n")


def read(profile: Profile, payload: bytes, topic: str = "t") -> Worth | str:
    (meaning,) = Topics({"d": ("x", profile)}).read(topic, payload)
    if isinstance(meaning, Refusal):
        return meaning.why
    assert isinstance(meaning, Values)
    (worth,) = meaning.seen
    return worth


@pytest.mark.parametrize(
    ("line", "payload", "value"),
    [
        ("path: a.b", b'{"a": {"b": 1}}', 1.0),
        ("path: a.1.c", b'{"a": [0, {"c": 2}]}', 2.0),
        ("path: '0'", b"[3]", 3.0),
        (r"path: 'a\.b.c'", b'{"a.b": {"c": 4}}', 4.0),
        (r"path: 'a\\b'", b'{"a\\\\b": 5}', 5.0),
        ("path: '1'", b'{"1": 6}', 6.0),
        ("coded: text", b'"21.5"', 21.5),
        ("coded: text, path: t", b'{"t": " -2e1 "}', -20.0),
        ("coded: text", b"7", 7.0),
        ("coded: base64", b'"MjEuNQ=="', 21.5),
        ("coded: base64, type: text", b'"5rKqQTEyMzQ1"', "沪A12345"),
        ("coded: base64, type: flag, map: {wet: true, dry: false}", b'"d2V0"', True),
        ("type: text", b"ready", "ready"),
        ("type: text, path: t", b'{"t": 7}', "7"),
        ("path: t", b'{"time": "2020-01-01T00:00:00Z", "t": 1}', 1.0),
    ],
)
def test_where_and_how_a_value_stands(line: str, payload: bytes, value: object) -> None:
    assert read(point(line), payload) == Worth("value", value, "good")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "payload", "why"),
    [
        ("path: a", b'{"a": 1, "a": 2}', "comes twice"),
        ("path: a", b'{"a": 1, "b": {"c": 1, "c": 1}}', "comes twice"),
        ("path: a", b'{"a": NaN}', "no number"),
        ("path: a", b'{"a": -Infinity}', "no number"),
        ("path: a", b'{"a": 1e999}', "no finite number"),
        ("path: a", b'{"a": ' + b"9" * 400 + b"}", "no finite number"),
        ("path: a", b'{"a": ' + b"9" * 5000 + b"}", "not JSON"),
        ("path: a", b'{"a": ' * 40 + b"1" + b"}" * 40, "nested too deeply"),
        ("path: a", b"[" * 60000, "nested too deeply"),
        ("path: a", b'{"b": 1}', "none of value"),
        ("path: '7'", b"[1]", "none of value"),
        ("path: a", b'{"a": "21.5"}', "a number is expected"),
        ("coded: text", b'"1_0"', "a number is expected"),
        ("coded: text", '"１２"'.encode(), "a number is expected"),
        ("coded: base64", b'"%%%"', "no text in base64"),
        ("coded: base64", b"12", "no text in base64"),
        ("coded: base64, type: text", b'"//8="', "no text in base64"),
        ("type: text", b'"a\\u0000b"', "a text of up to"),
        ("type: text", b'"\\ud800"', "a text of up to"),
        ("type: text", b'"' + b"x" * 300 + b'"', "a text of up to"),
        ("type: text, path: t", b'{"t": {}}', "a text of up to"),
        ("", b"x" * 70_000, "at most"),
    ],
)
def test_what_is_refused(line: str, payload: bytes, why: str) -> None:
    said = read(point(line), payload)
    assert isinstance(said, str)
    assert why in said


def test_brackets_within_texts_are_no_depth() -> None:
    payload = json.dumps({"note": "[" * 500 + '\\"{', "a": 1}).encode()
    assert read(point("path: a"), payload) == Worth("value", 1.0, "good")


def test_a_sensor_without_a_value_says_so() -> None:
    assert read(point(""), b"nan") == Worth("value", None, "bad")
    assert read(point("path: a"), b'{"a": null}') == Worth("value", None, "bad")


def test_another_place_that_says_nothing_is_no_fault() -> None:
    profile = point("path: a, also: [{topic: u, path: b}]")
    topics = Topics({"d": ("x", profile)})
    assert topics.topics == ["t", "u"]
    assert topics.read("u", b'{"c": 1}') == []
    assert topics.read("u", b'{"b": 2}') == [Values("d", (Worth("value", 2.0, "good"),))]


@pytest.mark.parametrize("steps", [("a", "b"), ("a.b",), ("a\\", ".", "\\.")])
def test_every_key_can_be_written(steps: tuple[str, ...]) -> None:
    assert steps_of(path_of(steps)) == steps


AVAILABLE = """silent_s: 60
availability:
  - {topic: "bridge/state", path: state}
  - {topic: "dev/{topic}/availability", path: state}
  - {topic: "tele/{topic}/LWT", online: Online, offline: Offline}
availability_needs: NEEDS
points:
  value: {name: {zh: 值, en: Value}, topic: "{topic}/v"}
"""


def test_the_topic_stands_anywhere_and_availability_is_a_word_or_json() -> None:
    profile = product(AVAILABLE.replace("NEEDS", "all"))
    assert needs_topic(profile)
    topics = Topics({"d": ("a/b", profile)})
    assert topics.topics == ["a/b/v", "bridge/state", "dev/a/b/availability", "tele/a/b/LWT"]
    assert topics.read("bridge/state", b'{"state": "online"}') == [Available("d", True, 0)]
    assert topics.read("bridge/state", b"offline") == [Available("d", False, 0)]
    assert topics.read("dev/a/b/availability", b'{"state":"offline"}') == [Available("d", False, 1)]
    assert topics.read("tele/a/b/LWT", b"Online") == [Available("d", True, 2)]
    assert all(isinstance(said, Refusal) for said in topics.read("tele/a/b/LWT", b"online"))


@pytest.mark.parametrize(
    ("needs", "said", "there"),
    [
        ("all", [(0, True)], [None]),
        ("all", [(0, True), (1, True), (2, True)], [None, None, True]),
        ("all", [(1, False)], [False]),
        ("all", [(0, True), (1, True), (2, True), (0, False), (0, True)], [None, None, True, False, True]),
        ("any", [(0, False), (1, False), (2, False)], [None, None, False]),
        ("any", [(0, False), (2, True)], [None, True]),
        ("latest", [(0, False), (2, True), (1, False)], [False, True, False]),
    ],
)
def test_several_places_tell_whether_a_device_is_there(
    needs: str, said: list[tuple[int, bool]], there: list[bool | None]
) -> None:
    attendance = Attendance({"d": product(AVAILABLE.replace("NEEDS", needs))})
    assert [attendance.there(Available("d", online, which)) for which, online in said] == there
    attendance.forget()
    assert attendance.there(Available("d", True, 0)) == (None if needs == "all" else True)


OUTPUT = """silent_s: 60
outputs:
  relay: {name: {zh: 继, en: Relay}, state: {topic: s}, topic: c, %s}
"""


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ("silent_s: 60\n", "without points and outputs"),
        ("points:\n  v: {name: {zh: 值, en: V}, topic: t}\n", "silent_s"),
        ("silent_s: 60\npoints:\n  v: {name: {zh: 值, en: V}, topic: a/+}\n", "wildcards"),
        ("silent_s: 60\npoints:\n  v: {name: {zh: 值, en: V}, topic: 'a/{name}'}\n", "only {topic}"),
        ("silent_s: 60\npoints:\n  v: {name: {zh: 值, en: V}, topic: a, path: a..b}\n", "a key is empty"),
        (OUTPUT % "map: {A: true, B: true}", "some word must mean"),
        (OUTPUT % "pulse: {topic: c, payload: P, min_s: 1, max_s: 5}", "min_s is max_s"),
        (OUTPUT % "pulse: {topic: c, payload: '{seconds} {milliseconds}', min_s: 1, max_s: 5}", "is enough"),
        (OUTPUT % "pulse: {topic: c, payload: '{seconds}', min_s: 9, max_s: 5}", "min_s is above"),
        (
            (OUTPUT % "repeats: true")
            + "commands:\n  go: {name: {zh: 走, en: Go}, topic: c, payload: GO, confirm: {point: relay}}\n",
            "`expect` is missing",
        ),
        (
            (OUTPUT % "repeats: true")
            + "commands:\n  go: {name: {zh: 走, en: Go}, topic: c, confirm: {point: nothing}}\n",
            "there is no point nothing",
        ),
    ],
)
def test_files_that_cannot_be_meant(body: str, where: str) -> None:
    with pytest.raises(ProfileErrors) as wrong:
        product(body)
    assert where in str(wrong.value)

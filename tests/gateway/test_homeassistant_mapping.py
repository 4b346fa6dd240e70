"""What each thing of the site is to a Home Assistant: tables of announcements, states and commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from config import load_site
from config.site import HomeAssistant
from contract.layout import PointLayout, SiteLayout
from contract.readings import Quality, Value
from contract.texts import Text
from gateway.engine.alarms.episodes import Alarm
from gateway.engine.desk.layout import layout_of
from gateway.engine.desk.points import UNREAD, Latest
from gateway.engine.desk.record import Thing
from gateway.homeassistant.mapping import (
    announcements,
    command_of,
    door_state,
    lane_state,
    point_state,
    problem_state,
    things_of,
    topics_of,
)
from rules.alarms.episode import Cause

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", params=["demo", "buses"])
def layout(request: pytest.FixtureRequest) -> SiteLayout:
    loaded = load_site(ROOT / "config" / "sites" / f"{request.param}.yaml")
    return layout_of(loaded.site, loaded.profiles, loaded.fingerprint)


def shown(**more: Any) -> HomeAssistant:
    return HomeAssistant(bus="broker", **more)


def said(layout: SiteLayout, **more: Any) -> dict[str, Any]:
    return {topic: json.loads(body) for topic, body in announcements(layout, shown(**more), "1.0").items()}


def test_every_thing_is_told_somewhere_and_nothing_twice(layout: SiteLayout) -> None:
    configs = said(layout)
    topics = topics_of(layout.site, shown())
    states = {topics.state(thing) for thing in things_of(layout)}
    assert len(states) == len(things_of(layout))
    assert {config["state_topic"] for config in configs.values()} == states
    unique = [config["unique_id"] for config in configs.values()]
    assert len(set(unique)) == len(unique)
    problems = 1 + len(layout.devices) + len(layout.doors) + len(layout.lanes)
    assert len(configs) == len(layout.points) + 2 * len(layout.doors) + len(layout.lanes) + problems
    for topic, config in configs.items():
        prefix, _, node, object_, last = topic.split("/")
        assert (prefix, node, last) == ("homeassistant", f"gatehouse-{layout.site}", "config")
        assert object_.replace("-", "").replace("_", "").isalnum()
        assert config["availability"][0]["topic"] == f"gatehouse/{layout.site}/presence"
        assert {"topic", "command_topic"} & config.keys() == set()


def test_names_are_in_the_language_that_the_site_asks_for(layout: SiteLayout) -> None:
    for language, name in (("zh", layout.name.zh), ("en", layout.name.en)):
        configs = said(layout, language=language)
        topic = f"homeassistant/binary_sensor/gatehouse-{layout.site}/problem-{layout.gateway}/config"
        assert configs[topic]["device"]["name"] == name


def test_commands_are_announced_only_with_leave(layout: SiteLayout) -> None:
    asked = [config for config in said(layout, commands=True).values() if "command_topic" in config]
    assert len(asked) == len(layout.doors) + len(layout.lanes)


def test_what_is_certain_about_a_point() -> None:
    loaded = load_site(ROOT / "config" / "sites" / "demo.yaml")
    configs = said(layout_of(loaded.site, loaded.profiles, ""), language="en")
    node = "gatehouse-demo"
    leak = configs[f"homeassistant/binary_sensor/{node}/point-garage-leak-leak/config"]
    assert leak["device_class"] == "moisture"
    climate = configs[f"homeassistant/sensor/{node}/point-garage-climate-temperature/config"]
    assert (climate["device_class"], climate["unit_of_measurement"]) == ("temperature", "°C")
    assert (climate["state_class"], climate["device"]["suggested_area"]) == ("measurement", "Garage")
    energy = configs[f"homeassistant/sensor/{node}/point-meter-main-energy_import/config"]
    assert (energy["device_class"], energy["state_class"]) == ("energy", "total_increasing")


NUMBER = PointLayout(id="d.v", device="d", name=Text("值", "Value"), type="number")
FLAG = PointLayout(id="d.f", device="d", name=Text("值", "Value"), type="flag")
LABEL = PointLayout(id="d.l", device="d", name=Text("值", "Value"), type="label", labels={"up": Text("上", "Up")})


@pytest.mark.parametrize(
    ("point", "value", "quality", "state"),
    [
        (NUMBER, 1.5, "good", {"value": 1.5, "presence": "online"}),
        (NUMBER, 1.5, "stale", {"value": None, "presence": "offline"}),
        (NUMBER, None, "bad", {"value": None, "presence": "offline"}),
        (FLAG, True, "good", {"value": "ON", "presence": "online"}),
        (FLAG, False, "good", {"value": "OFF", "presence": "online"}),
        (LABEL, "up", "good", {"value": "Up", "presence": "online"}),
        (LABEL, "x" * 300, "good", {"value": "x" * 255, "presence": "online"}),
    ],
)
def test_a_points_state(point: PointLayout, value: Value, quality: Quality, state: dict[str, Any]) -> None:
    assert json.loads(point_state(point, Latest(value, quality, 1), "en")) == state


def test_a_point_that_was_never_read() -> None:
    assert json.loads(point_state(NUMBER, UNREAD, "zh")) == {"value": None, "presence": "offline"}


def test_doors_and_lanes() -> None:
    assert json.loads(door_state({"lock": "released", "contact": "open"})) == {"lock": "released", "contact": "open"}
    assert json.loads(door_state({"lock": "locked", "contact": "unknown"}))["contact"] == "None"
    positions = ("up", "down", "moving", "unknown")
    assert [json.loads(lane_state({"barrier": each}))["barrier"] for each in positions] == [
        "open", "closed", "None", "None",
    ]  # fmt: skip


def test_problems() -> None:
    cause = Cause(rule="r", source="s", asset="s", severity="minor", message=Text("坏了", "Broken"))
    alarm = Alarm(id="a", cause=cause, state="active", values={}, raised_at=1, began_at=1)
    over = Alarm(id="b", cause=cause, state="cleared", values={}, raised_at=1, began_at=1, cleared_at=2)
    assert json.loads(problem_state([over], "en"))["problem"] == "OFF"
    told = json.loads(problem_state([alarm] * 20 + [over], "zh"))
    assert (told["problem"], told["attributes"]["count"]) == ("ON", 20)
    assert told["attributes"]["alarms"] == ["坏了"] * 10


@pytest.mark.parametrize(
    ("topic", "payload", "command"),
    [
        ("gatehouse/s/door/lobby/set", b"UNLOCK", ("door.unlock", "lobby")),
        ("gatehouse/s/lane/gate-in/set", b"OPEN", ("barrier.open", "gate-in")),
        ("gatehouse/s/door/lobby/set", b"LOCK", None),
        ("gatehouse/s/door/lobby/set", b"unlock", None),
        ("gatehouse/s/lane/gate-in/set", b"CLOSE", None),
        ("gatehouse/s/lane/gate-in/set", b"UNLOCK", None),
        ("gatehouse/s/point/relay/set", b"ON", None),
        ("gatehouse/s/door/lobby", b"UNLOCK", None),
        ("gatehouse/other/door/lobby/set", b"UNLOCK", None),
        ("gatehouse/s/door/a/b/set", b"UNLOCK", None),
    ],
)
def test_commands(topic: str, payload: bytes, command: tuple[str, str] | None) -> None:
    assert command_of(topics_of("s", shown()), topic, payload) == command


def test_a_point_of_a_device_has_a_topic_of_its_own() -> None:
    assert topics_of("s", shown()).state(Thing("point", "pump-1.flow")) == "gatehouse/s/point/pump-1/flow"

"""Profiles that a site brings along: used like the built-in ones, and every mistake with its file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import SiteErrors, load_site
from config.mistakes import Mistake

SITE = """site: s
name: {zh: 站, en: Site}
gateway: g
buses:
  broker: {kind: mqtt, host: 127.0.0.1}
devices:
  thing: {profile: own_thing, bus: broker}
profiles: [own]
"""
PROFILE = """# drafted
id: own_thing
kind: sensor
protocol: mqtt
name: {zh: 物, en: Thing}
confidence: partial
sources: [itself]
silent_s: 60
points:
  value: {topic: a/b, name: {zh: 值, en: Value}}
"""


def site(folder: Path, text: str = SITE, **files: str) -> Path:
    for name, content in files.items():
        file = folder / "own" / "sensor" / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    (folder / "site.yaml").write_text(text, encoding="utf-8")
    return folder / "site.yaml"


def mistakes(path: Path) -> list[Mistake]:
    with pytest.raises(SiteErrors) as found:
        load_site(path)
    return list(found.value.mistakes)


def test_a_profile_beside_the_site_is_used(tmp_path: Path) -> None:
    loaded = load_site(site(tmp_path, own_thing=PROFILE))
    assert loaded.profile_of("thing").points["value"].name.en == "Value"


def test_another_text_of_a_profile_is_another_site(tmp_path: Path) -> None:
    before = load_site(site(tmp_path, own_thing=PROFILE)).fingerprint
    after = load_site(site(tmp_path, own_thing=PROFILE.replace("a/b", "a/c"))).fingerprint
    assert before != after


def test_a_built_in_id_stands_once(tmp_path: Path) -> None:
    (mistake,) = mistakes(
        site(
            tmp_path,
            SITE.replace("own_thing", "mqtt_co_sensor, topic: x"),
            mqtt_co_sensor=PROFILE.replace("own_thing", "mqtt_co_sensor"),
        )
    )
    assert (Path(mistake.file).name, mistake.line, mistake.where) == ("mqtt_co_sensor.yaml", 2, "id")
    assert "drivers/profiles/sensor/mqtt_co_sensor.yaml" in mistake.expected.en


def test_a_file_is_called_what_its_profile_is(tmp_path: Path) -> None:
    (mistake,) = mistakes(site(tmp_path, other=PROFILE))
    assert (Path(mistake.file).name, mistake.line) == ("other.yaml", 2)
    assert "own_thing.yaml" in mistake.expected.en


def test_a_broken_profile_is_told_with_its_line_and_once(tmp_path: Path) -> None:
    (mistake,) = mistakes(site(tmp_path, own_thing=PROFILE.replace("silent_s: 60", "silent_s: never")))
    assert (Path(mistake.file).name, mistake.line) == ("own_thing.yaml", 8)


def test_folders_that_are_not_there_or_come_twice(tmp_path: Path) -> None:
    path = site(tmp_path, SITE.replace("[own]", "[own, none, own]"), own_thing=PROFILE)
    assert [mistake.where for mistake in mistakes(path)] == ["profiles.1", "profiles.2"]


def test_an_unknown_profile_is_told_with_those_of_the_site(tmp_path: Path) -> None:
    (mistake,) = mistakes(site(tmp_path, SITE.replace("own_thing", "own_thin"), own_thing=PROFILE))
    assert "own_thing" in mistake.expected.en


def test_home_assistant_hangs_on_a_broker_of_the_site(tmp_path: Path) -> None:
    wrong = SITE + "home_assistant: {bus: borker}\n"
    (mistake,) = mistakes(site(tmp_path, wrong, own_thing=PROFILE))
    assert (mistake.where, mistake.line) == ("home_assistant.bus", 9)
    assert "broker" in mistake.expected.en
    right = SITE + "home_assistant: {bus: broker, language: en, commands: true}\n"
    shown = load_site(site(tmp_path, right, own_thing=PROFILE)).site.home_assistant
    assert shown is not None
    assert (shown.prefix, shown.language, shown.commands) == ("homeassistant", "en", True)


def test_wildcards_in_a_topic(tmp_path: Path) -> None:
    wrong = SITE.replace("{profile: own_thing, bus: broker}", "{profile: own_thing, bus: broker, topic: a/#}")
    (mistake,) = mistakes(site(tmp_path, wrong, own_thing=PROFILE))
    assert mistake.where == "devices.thing.topic"

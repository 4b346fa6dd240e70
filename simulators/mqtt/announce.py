"""What a device tells those who look for devices: Home Assistant's MQTT discovery (home-assistant.io, integration
"MQTT", discovery messages), made of its profile. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from drivers.mqtt.product import JsonSource, TopicCommand, TopicMessage, TopicOutput, format_of
from drivers.profiles.profile import Point, Profile

PREFIX = "homeassistant"


def announcements(profile: Profile, prefix: str, device: str, name: str) -> dict[str, bytes]:
    """Topic → retained payload, one for each point; `prefix`: what `{topic}` stands for, `device`: its id."""
    about = {
        "ids": [f"sim-{device}"],
        "name": name,
        "mf": profile.vendor or "Gatehouse",
        "mdl": profile.name.en,
    }
    said: dict[str, bytes] = {}
    for component, point, own in _entities(profile):
        ids = {"uniq_id": f"sim-{device}-{point}", "obj_id": f"{device}_{point}", "dev": about}
        body = json.dumps(own | ids | _availability(profile), ensure_ascii=False).replace("{topic}", prefix)
        said[f"{PREFIX}/{component}/{device}/{point}/config"] = body.encode()
    return said


def _entities(profile: Profile) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for point in profile.points.values():
        source = point.source
        if not isinstance(source, JsonSource):
            continue
        config: dict[str, Any] = {"name": point.name.en, "stat_t": source.topic} | _template(source)
        output, command = profile.outputs.get(point.id), profile.commands.get(point.id)
        if isinstance(output, TopicOutput):
            yield "switch", point.id, config | _switch(output, source)
        elif isinstance(command, TopicCommand) and command.takes_value and not command.enum:
            yield "number", point.id, config | _number(command, point)
        elif point.type == "flag":
            yield "binary_sensor", point.id, config | _flag(source)
        elif point.type == "label":
            yield "sensor", point.id, config | {"dev_cla": "enum", "ops": list(source.enum)}
        else:
            counted = {"stat_cla": "measurement"} if point.type == "number" else {}
            yield "sensor", point.id, config | counted | ({"unit_of_meas": point.unit} if point.unit else {})


def _switch(output: TopicOutput, source: JsonSource) -> dict[str, Any]:
    words = {means: word for word, means in reversed(list(source.map.items()))}
    return {
        "cmd_t": output.turn_on.topic,
        "pl_on": _payload(output.turn_on),
        "pl_off": _payload(output.turn_off),
        "stat_on": words[True],
        "stat_off": words[False],
    }


def _number(command: TopicCommand, point: Point) -> dict[str, Any]:
    config: dict[str, Any] = {"cmd_t": command.message.topic, "min": command.low or 0, "max": command.high or 100}
    return config | ({"unit_of_meas": point.unit} if point.unit else {})


def _flag(source: JsonSource) -> dict[str, Any]:
    words = {means: word for word, means in reversed(list(source.map.items()))}
    return {"pl_on": _scalar(words[True]), "pl_off": _scalar(words[False])}


def _payload(message: TopicMessage) -> str:
    if not message.path:
        return message.payload
    document: Any = _scalar(message.payload)
    for step in reversed(message.path):
        document = {step: document}
    return json.dumps(document)


def _template(source: JsonSource) -> dict[str, Any]:
    if not source.path:
        return {}
    steps = "".join(f"[{step}]" if step.isdigit() else f"['{step}']" for step in source.path)
    return {"val_tpl": f"{{{{ value_json{steps} }}}}"}


def _availability(profile: Profile) -> dict[str, Any]:
    places = [
        {"t": words.topic, "pl_avail": words.online, "pl_not_avail": words.offline}
        | ({"val_tpl": f"{{{{ value_json.{words.path} }}}}"} if words.path else {})
        for words in format_of(profile).availability
    ]
    return {"avty": places, "avty_mode": format_of(profile).availability_needs} if places else {}


def _scalar(word: str) -> Any:
    return {"true": True, "false": False}.get(word, word)

"""From what Home Assistant's discovery calls entities to parts of a profile file. Pure.

Defaults of payloads and states: home-assistant.io, the pages of the MQTT sensor, binary sensor, switch, light, lock,
cover and number. A part whose state nobody tells is refused: nothing would confirm a command to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from contract.texts import Text
from drivers.mqtt.discovery import COMPONENTS, Entity
from drivers.mqtt.templates import WHOLE, NotUnderstood, Template, read_command_template, read_template
from drivers.profiles.words import path_of

WORD_LIMIT = 48
TEXT_LIMIT = 200

NAMES: Mapping[str, tuple[str, str]] = {
    "apparent_power": ("视在功率", "Apparent power"),
    "atmospheric_pressure": ("气压", "Air pressure"),
    "battery": ("电池", "Battery"),
    "carbon_dioxide": ("二氧化碳", "Carbon dioxide"),
    "carbon_monoxide": ("一氧化碳", "Carbon monoxide"),
    "current": ("电流", "Current"),
    "distance": ("距离", "Distance"),
    "door": ("门", "Door"),
    "energy": ("电量", "Energy"),
    "frequency": ("频率", "Frequency"),
    "garage_door": ("车库门", "Garage door"),
    "gas": ("燃气", "Gas"),
    "gate": ("大门", "Gate"),
    "humidity": ("湿度", "Humidity"),
    "illuminance": ("照度", "Illuminance"),
    "lock": ("锁", "Lock"),
    "moisture": ("水浸", "Water"),
    "motion": ("移动", "Motion"),
    "occupancy": ("占用", "Occupancy"),
    "opening": ("开合", "Opening"),
    "power": ("功率", "Power"),
    "power_factor": ("功率因数", "Power factor"),
    "pressure": ("压力", "Pressure"),
    "problem": ("故障", "Problem"),
    "signal_strength": ("信号强度", "Signal strength"),
    "smoke": ("烟雾", "Smoke"),
    "tamper": ("防拆", "Tamper"),
    "temperature": ("温度", "Temperature"),
    "vibration": ("震动", "Vibration"),
    "voltage": ("电压", "Voltage"),
    "volume_flow_rate": ("流量", "Flow"),
    "water": ("水量", "Water"),
    "window": ("窗", "Window"),
}
"""What people call a device class (home-assistant.io, "Sensor" and "Binary sensor", device class)."""

ALARMING = frozenset({"carbon_monoxide", "gas", "moisture", "problem", "safety", "smoke", "tamper", "heat"})
TEXTUAL = frozenset({"date", "timestamp", "enum"})
UNITS: Mapping[str, str] = {"°C": "degC", "℃": "degC", "°F": "degF", "m³": "m3", "m³/h": "m3/h"}


class SwitchPayloads(NamedTuple):
    """The payloads that switch something."""

    on: str
    off: str


@dataclass(slots=True)
class Parts:
    """Points, outputs and commands of one profile file, as its words say them."""

    points: dict[str, object] = field(default_factory=dict)
    outputs: dict[str, object] = field(default_factory=dict)
    commands: dict[str, object] = field(default_factory=dict)

    def free(self, word: str) -> str:
        """The word, or with a number behind it the first that is not taken."""
        taken = self.points.keys() | self.outputs.keys() | self.commands.keys()
        return word if word not in taken else next(f"{word}_{n}" for n in range(2, 1000) if f"{word}_{n}" not in taken)


def add_part(parts: Parts, entity: Entity) -> Text | None:
    """Adds what an entity is, whole or not at all; a remark, if there is one. Raises `NotUnderstood`."""
    make = _MAKERS.get(entity.component)
    if make is None:
        known = "、".join(COMPONENTS)
        raise NotUnderstood(
            f"不支持的组件 {entity.component[:40]}（支持 {known}）",
            f"components of kind {entity.component[:40]} are not read, only {', '.join(COMPONENTS)}",
        )
    if entity.config.get("encoding", "utf-8") != "utf-8":
        raise NotUnderstood("只支持 UTF-8 编码", "only the encoding utf-8 is read")
    trial = Parts(dict(parts.points), dict(parts.outputs), dict(parts.commands))
    remark = make(trial, entity)
    parts.points, parts.outputs, parts.commands = trial.points, trial.outputs, trial.commands
    return remark


def slug(text: str, instead: str = "part") -> str:
    """A word that a profile can use."""
    word = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:WORD_LIMIT].strip("_")
    if not word:
        return instead
    return word if word[0].isalpha() else f"p_{word}"


# --- One maker for each component


def _sensor(parts: Parts, entity: Entity) -> None:
    config, template = entity.config, _template(entity, "value_template")
    point = _place(entity, template) | _named(entity)
    unit, kind = config.get("unit_of_measurement"), _word(entity, "device_class")
    options = config.get("options")
    if isinstance(options, list) and options:
        point |= {"type": "label", "enum": _labels({_text(word, "options"): None for word in options[:100]})}
    elif (unit or _word(entity, "state_class") or template.number or kind in NAMES) and kind not in TEXTUAL:
        point |= {"coded": "text"}
        point |= _unit(unit, relative=kind == "humidity")
    else:
        point |= {"type": "text"}
    parts.points[parts.free(slug(entity.object))] = point | _urgency(entity)


def _binary_sensor(parts: Parts, entity: Entity) -> None:
    if entity.config.get("off_delay") is not None:
        raise NotUnderstood(
            "设备从不报“关”（off_delay），状态不可信", "it never says that it is off (off_delay): its state is a guess"
        )
    template = _template(entity, "value_template")
    words = _map(entity, template, "payload_on", "payload_off")
    point = _place(entity, template) | _named(entity) | {"type": "flag", "map": words}
    parts.points[parts.free(slug(entity.object))] = point | _urgency(entity)


def _switch(parts: Parts, entity: Entity) -> None:
    config = entity.config
    _without(entity, "command_template")
    template = _template(entity, "value_template")
    payloads = _switch_payloads(config)
    words = _said_map(template, config.get("state_on") or payloads.on, config.get("state_off") or payloads.off)
    _add_output(parts, entity, template, words, payloads)


def _light(parts: Parts, entity: Entity) -> None:
    config = entity.config
    schema = config.get("schema", "basic")
    if schema == "json":
        template = Template(("state",), number=False)
        words = {"ON": True, "OFF": False}
        _add_output(parts, entity, template, words, SwitchPayloads('{"state": "ON"}', '{"state": "OFF"}'))
    elif schema == "basic":
        template = _template(entity, "state_value_template")
        payloads = _switch_payloads(config)
        _add_output(parts, entity, template, _said_map(template, payloads.on, payloads.off), payloads)
    else:
        raise NotUnderstood("不支持按模板控制的灯", "lights that are driven by templates are not read")


def _lock(parts: Parts, entity: Entity) -> None:
    _without(entity, "command_template", "code_format")
    config, template = entity.config, _template(entity, "value_template")
    states = [(word, config.get(f"state_{word}", word.upper())) for word in _LOCK]
    point = _place(entity, template) | _named(entity)
    point |= {"type": "label", "enum": _stated(states, _LOCK, template)}
    word = parts.free(slug(entity.object))
    parts.points[word] = point
    for command, ends in (("lock", "locked"), ("unlock", "unlocked")):
        payload = config.get(f"payload_{command}", command.upper())
        _add_command(parts, entity, point=word, command=command, payload=payload, ends=[ends])


def _cover(parts: Parts, entity: Entity) -> Text | None:
    config = entity.config
    word = parts.free(slug(entity.object))
    if "position_topic" in config:
        template = _template(entity, "position_template", "value_template")
        position = _place(entity, template, "position_topic") | _named(entity, "开度", "position")
        parts.points[parts.free(f"{word}_position")] = position | {"coded": "text", "unit": "%"}
    if "state_topic" not in config:
        if "position_topic" not in config:
            raise _no_state()
        return Text(
            "只读开度：没有状态主题，指令无法确认", "position only: without a state topic no order is confirmed"
        )
    template = _template(entity, "value_template")
    states = [(state, config.get(f"state_{state}", state)) for state in _COVER]
    point = _place(entity, template) | _named(entity)
    parts.points[word] = point | {"type": "label", "enum": _stated(states, _COVER, template)}
    if "command_topic" in config:
        for command, ends in _COVER_ENDS.items():
            payload = config.get(f"payload_{command}", command.upper())
            if payload is not None:
                _add_command(parts, entity, point=word, command=command, payload=payload, ends=ends)
    return None


def _number(parts: Parts, entity: Entity) -> None:
    config, template = entity.config, _template(entity, "value_template")
    point = _place(entity, template) | _named(entity) | {"coded": "text"}
    point |= _unit(config.get("unit_of_measurement"))
    least, most, step = (_figure(config, key, value) for key, value in (("min", 1.0), ("max", 100.0), ("step", 1.0)))
    given = config.get("command_template")
    payload = "{value}" if given is None else read_command_template(_text(given, "command_template"))
    word = parts.free(slug(entity.object))
    command = {
        "name": point["name"],
        "topic": _topic(entity, "command_topic"),
        "payload": payload,
        "min": least,
        "max": most,
        "confirm": {"point": word, "tolerance": abs(step) / 2},
    }
    parts.points[word], parts.commands[word] = point, command


_MAKERS: Mapping[str, Callable[[Parts, Entity], Text | None]] = {
    "sensor": _sensor,
    "binary_sensor": _binary_sensor,
    "switch": _switch,
    "light": _light,
    "lock": _lock,
    "cover": _cover,
    "number": _number,
}

_LOCK: Mapping[str, tuple[str, str]] = {
    "locked": ("已锁", "Locked"),
    "unlocked": ("已开锁", "Unlocked"),
    "locking": ("正在上锁", "Locking"),
    "unlocking": ("正在开锁", "Unlocking"),
    "jammed": ("卡住", "Jammed"),
}
_COVER: Mapping[str, tuple[str, str]] = {
    "open": ("开", "Open"),
    "opening": ("正在开", "Opening"),
    "closed": ("关", "Closed"),
    "closing": ("正在关", "Closing"),
    "stopped": ("停止", "Stopped"),
}
_COVER_ENDS: Mapping[str, list[str]] = {
    "open": ["opening", "open"],
    "close": ["closing", "closed"],
    "stop": ["stopped", "open", "closed"],
}
_COMMANDS: Mapping[str, tuple[str, str]] = {
    "lock": ("上锁", "lock"),
    "unlock": ("开锁", "unlock"),
    "open": ("打开", "open"),
    "close": ("关闭", "close"),
    "stop": ("停止", "stop"),
}


# --- What they have in common


def _add_output(
    parts: Parts, entity: Entity, template: Template, words: Mapping[str, bool], payloads: SwitchPayloads
) -> None:
    place = _place(entity, template)
    output = _named(entity) | {"state": place, "map": dict(words), "topic": _topic(entity, "command_topic")}
    parts.outputs[parts.free(slug(entity.object))] = output | {"turn_on": payloads.on, "turn_off": payloads.off}


def _add_command(parts: Parts, entity: Entity, *, point: str, command: str, payload: object, ends: list[str]) -> None:
    parts.commands[parts.free(f"{point}_{command}")] = _named(entity, *_COMMANDS[command]) | {
        "topic": _topic(entity, "command_topic"),
        "payload": _payload(payload),
        "confirm": {"point": point, "expect": ends},
    }


def _place(entity: Entity, template: Template, key: str = "state_topic") -> dict[str, object]:
    path = path_of(template.path)
    place: dict[str, object] = {"topic": _topic(entity, key)}
    return place | ({"path": path} if path else {})


def _topic(entity: Entity, key: str) -> str:
    topic = entity.config.get(key)
    if topic is None:
        if key != "command_topic":
            raise _no_state()
        raise NotUnderstood("没有指令主题", "it has no command topic")
    return checked_topic(topic)


def checked_topic(topic: object) -> str:
    """A topic that a profile can name. Raises `NotUnderstood`."""
    if not isinstance(topic, str) or not 0 < len(topic) <= TEXT_LIMIT or topic != topic.strip():
        raise NotUnderstood("主题无法使用", f"a topic of up to {TEXT_LIMIT} characters is expected")
    if set(topic) & set("+#{}") or not topic.isprintable():
        raise NotUnderstood("主题中有通配符或花括号", "a topic here has no wildcards, braces or control characters")
    return topic


def _no_state() -> NotUnderstood:
    return NotUnderstood("没有状态主题，无法确认", "it has no state topic: nothing would confirm what it does")


def _template(entity: Entity, *keys: str) -> Template:
    given = next((entity.config[key] for key in keys if entity.config.get(key) is not None), None)
    return WHOLE if given is None else read_template(_text(given, keys[0]))


def _without(entity: Entity, *keys: str) -> None:
    for key in keys:
        if entity.config.get(key) is not None:
            raise NotUnderstood(f"不支持 {key}", f"{key} is not read")


def _named(entity: Entity, zh: str = "", en: str = "") -> dict[str, object]:
    known = NAMES.get(_word(entity, "device_class"))
    own = entity.name or (known[1] if known else entity.about.name)
    chinese = known[0] if known and (entity.name is None or slug(own) == slug(known[1])) else own
    return {"name": {"zh": f"{chinese} {zh}".strip(), "en": f"{own} {en}".strip()}}


def _urgency(entity: Entity) -> dict[str, object]:
    if _word(entity, "device_class") in ALARMING:
        return {"group": "alarm"}
    return {"group": "meter"} if _word(entity, "state_class") in ("total", "total_increasing") else {}


def _unit(given: object, *, relative: bool = False) -> dict[str, str]:
    unit = given.strip() if isinstance(given, str) else ""
    if not unit or len(unit) > 20 or not unit.isprintable():
        return {}
    return {"unit": "%RH" if relative and unit == "%" else UNITS.get(unit, unit)}


def _word(entity: Entity, key: str) -> str:
    """A text of the announcement, "" if it is none."""
    word = entity.config.get(key)
    return word if isinstance(word, str) else ""


def _map(entity: Entity, template: Template, on: str, off: str) -> dict[str, bool]:
    return _said_map(template, entity.config.get(on, "ON"), entity.config.get(off, "OFF"))


def _said_map(template: Template, on: object, off: object) -> dict[str, bool]:
    words: dict[str, bool] = {}
    for given, means in ((on, True), (off, False)):
        for word in _words(given, template):
            if words.setdefault(word, means) != means:
                raise NotUnderstood("开和关是同一个词", "on and off are the same word")
    return words


def _words(given: object, template: Template) -> Iterator[str]:
    """How a state's word may stand in the payload; JSON's true reads as "True" in a template's result."""
    word = _text(given, "payload")
    yield word
    if template.path and word in {"True", "False"}:
        yield word.lower()


def _stated(
    states: list[tuple[str, object]], texts: Mapping[str, tuple[str, str]], template: Template
) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for label, given in states:
        if given is None:
            continue
        zh, en = texts[label]
        for word in _words(given, template):
            if word in found:
                raise NotUnderstood("两个状态是同一个词", "two states are the same word")
            found[word] = {"label": label, "zh": zh, "en": en}
    return found


def _labels(words: Mapping[str, None]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    taken: set[str] = set()
    for word in words:
        label = slug(word, "word")
        number = 2
        while label in taken:
            label, number = f"{slug(word, 'word')}_{number}", number + 1
        taken.add(label)
        found[word] = {"label": label, "zh": word, "en": word}
    return found


def _switch_payloads(config: Mapping[str, object]) -> SwitchPayloads:
    return SwitchPayloads(_payload(config.get("payload_on", "ON")), _payload(config.get("payload_off", "OFF")))


def _payload(payload: object) -> str:
    text = _text(payload, "payload")
    if "{value}" in text:
        raise NotUnderstood("指令内容无法使用", "this payload cannot be sent as it stands")
    return text


def _text(given: object, what: str) -> str:
    if isinstance(given, bool):
        return "true" if given else "false"
    text = str(given) if isinstance(given, int) and abs(given) < 10**15 else given
    if not isinstance(text, str) or not text.strip() or len(text) > TEXT_LIMIT or not text.isprintable():
        raise NotUnderstood(f"{what} 应为简短文本", f"{what} must be a short text")
    return text.strip()


def _figure(config: Mapping[str, object], key: str, default: float) -> float:
    given = config.get(key, default)
    if isinstance(given, bool) or not isinstance(given, int | float) or not abs(given) < 1e12:
        raise NotUnderstood(f"{key} 应为数值", f"{key} must be a number")
    return float(given)

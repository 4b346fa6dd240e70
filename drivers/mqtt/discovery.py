"""Home Assistant's MQTT discovery, as devices announce themselves by it. Pure.

Source: home-assistant.io, integration "MQTT", "MQTT Discovery": topics `<prefix>/<component>/[<node>/]<object>/config`
and `<prefix>/device/[<node>/]<object>/config`, base topic `~`, abbreviated keys. What is not read is refused in words;
nothing that a stranger sends raises anything but `NotUnderstood`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from drivers.mqtt.mapping import Refused, document_of
from drivers.mqtt.templates import NotUnderstood

PREFIX = "homeassistant"
LIMIT = 256 * 1024
"""Bytes of one announcement: a whole device with many parts is one message."""

PARTS_LIMIT = 200
"""Parts of one announcement."""

COMPONENTS = ("sensor", "binary_sensor", "switch", "light", "lock", "cover", "number")

KEYS: Mapping[str, str] = {
    "avty": "availability",
    "avty_mode": "availability_mode",
    "avty_t": "availability_topic",
    "avty_tpl": "availability_template",
    "cmd_t": "command_topic",
    "cmd_tpl": "command_template",
    "cmps": "components",
    "cod_form": "code_format",
    "dev": "device",
    "dev_cla": "device_class",
    "e": "encoding",
    "exp_aft": "expire_after",
    "obj_id": "object_id",
    "off_dly": "off_delay",
    "ops": "options",
    "p": "platform",
    "pl_avail": "payload_available",
    "pl_cls": "payload_close",
    "pl_lock": "payload_lock",
    "pl_not_avail": "payload_not_available",
    "pl_off": "payload_off",
    "pl_on": "payload_on",
    "pl_open": "payload_open",
    "pl_stop": "payload_stop",
    "pl_unlk": "payload_unlock",
    "pos_t": "position_topic",
    "pos_tpl": "position_template",
    "stat_cla": "state_class",
    "stat_clsd": "state_closed",
    "stat_closing": "state_closing",
    "stat_jam": "state_jammed",
    "stat_locked": "state_locked",
    "stat_locking": "state_locking",
    "stat_off": "state_off",
    "stat_on": "state_on",
    "stat_open": "state_open",
    "stat_opening": "state_opening",
    "stat_stopped": "state_stopped",
    "stat_t": "state_topic",
    "stat_tpl": "state_template",
    "stat_unlocked": "state_unlocked",
    "stat_unlocking": "state_unlocking",
    "stat_val_tpl": "state_value_template",
    "uniq_id": "unique_id",
    "unit_of_meas": "unit_of_measurement",
    "val_tpl": "value_template",
}
"""Abbreviated keys that say something here; all others are left as they are, and not read."""

AVAILABILITY_KEYS: Mapping[str, str] = {
    "t": "topic",
    "pl_avail": "payload_available",
    "pl_not_avail": "payload_not_available",
    "val_tpl": "value_template",
}

DEVICE_KEYS: Mapping[str, str] = {
    "cns": "connections",
    "ids": "identifiers",
    "mdl": "model",
    "mdl_id": "model_id",
    "mf": "manufacturer",
    "sa": "suggested_area",
}

SHARED = (
    "availability",
    "availability_mode",
    "availability_template",
    "availability_topic",
    "command_topic",
    "encoding",
    "payload_available",
    "payload_not_available",
    "state_topic",
)
"""What a whole device's announcement may say once for all its parts."""

_TOPIC = re.compile(
    r"(?P<component>[a-z_]{1,40})/(?:(?P<node>[A-Za-z0-9_-]{1,100})/)?(?P<object>[A-Za-z0-9_-]{1,100})/config"
)


@dataclass(frozen=True, slots=True)
class About:
    """The device that a part belongs to. `key`: the same for all its parts."""

    key: str
    name: str
    vendor: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class Entity:
    """One part of a device: what Home Assistant calls an entity. `config`: full keys, whole topics."""

    component: str
    object: str
    name: str | None
    about: About
    config: Mapping[str, Any]


def patterns(prefix: str = PREFIX) -> list[str]:
    """What to subscribe to."""
    return [f"{prefix}/+/+/config", f"{prefix}/+/+/+/config"]


def read_announcement(topic: str, payload: bytes, prefix: str = PREFIX) -> list[Entity]:
    """The parts that a retained message announces; none if it takes something away. Raises `NotUnderstood`."""
    begin = f"{prefix}/"
    found = _TOPIC.fullmatch(topic[len(begin) :]) if topic.startswith(begin) else None
    if found is None:
        raise NotUnderstood("主题不是发现主题", "the topic is no discovery topic")
    if not payload.strip():
        return []
    document = document_of(payload, LIMIT)
    if isinstance(document, Refused):
        raise NotUnderstood(f"报文无法读取：{document.why}", document.why)
    if not isinstance(document, dict):
        raise NotUnderstood("应为 JSON 对象", "a JSON object is expected")
    if found["component"] == "device":
        return list(_parts(document, found["object"]))
    config = _whole(document)
    return [_entity(found["component"], found["object"], config, _about(config, found["node"] or found["object"]))]


def _parts(document: dict[str, object], fallback: str) -> Iterator[Entity]:
    whole = _whole(document)
    about = _about(whole, fallback)
    parts = whole.get("components")
    if not isinstance(parts, dict) or len(parts) > PARTS_LIMIT:
        raise NotUnderstood(
            f"components 应为最多 {PARTS_LIMIT} 项的对象",
            f"`components` must be an object of up to {PARTS_LIMIT} parts",
        )
    shared = {key: whole[key] for key in SHARED if key in whole}
    for key, part in parts.items():
        if not isinstance(part, dict):
            raise NotUnderstood("components 的每一项应为对象", "every part of `components` must be an object")
        config = shared | _whole(part, base=document.get("~"))
        component = config.get("platform")
        if not isinstance(component, str):
            raise NotUnderstood("部件缺少 platform", "a part has no platform")
        if set(part) - {"p", "platform"}:  # a part with nothing but its platform is one that was taken away
            yield _entity(component, key, config, about)


def _entity(component: str, object_: str, config: dict[str, object], about: About) -> Entity:
    name = config.get("name")
    own = config.get("object_id")
    # Bridges number what they announce; where the object's own id is given, it is what people know.
    word = own if isinstance(own, str) and object_.isdigit() else object_
    return Entity(component, word[:100], _said(name) if isinstance(name, str) else None, about, config)


def _about(config: Mapping[str, object], fallback: str) -> About:
    device = config.get("device")
    if not isinstance(device, dict):
        unique = config.get("unique_id")
        key = unique if isinstance(unique, str) and unique else fallback
        name = config.get("name")
        return About(key[:200], _said(name) if isinstance(name, str) else fallback)
    device = {DEVICE_KEYS.get(key, key): value for key, value in device.items()}
    key = " ".join(_flat(device.get("identifiers") or device.get("connections")))[:200] or fallback
    name = device.get("name")
    vendor, model = device.get("manufacturer"), device.get("model")
    return About(
        key,
        _said(name) if isinstance(name, str) and _said(name) else key,
        _said(vendor) if isinstance(vendor, str) else "",
        _said(model) if isinstance(model, str) else "",
    )


def _flat(keys: object) -> Iterator[str]:
    """Identifiers (a text or a list of them) and connections (a list of pairs) as texts."""
    for key in keys[:8] if isinstance(keys, list) else [keys]:
        if isinstance(key, list):
            yield ":".join(str(part) for part in key[:2] if isinstance(part, str))
        elif isinstance(key, str):
            yield key


def _whole(document: dict[str, object], base: object = None) -> dict[str, object]:
    """Full keys, and `~` replaced by the base topic."""
    config: dict[str, object] = {}
    base = document.get("~", base)
    for key, value in document.items():
        config[KEYS.get(key, key)] = value
    places = config.pop("availability", None)
    told: list[dict[str, object]] = [
        {AVAILABILITY_KEYS.get(key, key): value for key, value in place.items()}
        for place in (places if isinstance(places, list) else [places])
        if isinstance(place, dict)
    ]
    if places is not None:
        config["availability"] = told
    if isinstance(base, str):
        for key, value in config.items():
            if key.endswith("topic"):
                config[key] = _based(value, base)
        for place in told:
            place["topic"] = _based(place.get("topic"), base)
    return config


def _based(topic: object, base: str) -> object:
    if not isinstance(topic, str):
        return topic
    if topic.startswith("~"):
        return base + topic[1:]
    return topic[:-1] + base if topic.endswith("~") else topic


def _said(text: str) -> str:
    """A text for people: one line, nothing that cannot be printed."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:120]

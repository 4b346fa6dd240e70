"""What strangers publish: payloads of Tasmota, Zigbee2MQTT and ESPHome products, spoiled; JSON made to hurt."""

from __future__ import annotations

import json
import math
from random import Random
from typing import Any

from drivers.mqtt.mapping import Available, Refusal, Topics, Values
from drivers.profiles.files import load
from tests.torture.frames import mutated, noise

_PROFILES = {
    name: load(name)
    for name in (
        "tasmota_plug",
        "tasmota_relay4",
        "zigbee2mqtt_sjcgq11lm",
        "zigbee2mqtt_plug",
        "esphome_relay_board",
        "esphome_climate_node",
        "mqtt_leak_sensor",
    )
}
_TOPICS = Topics({name: (f"d/{name}", profile) for name, profile in _PROFILES.items()})
_ALL = _TOPICS.topics
_SOUND = (
    b'{"Time":"2026-01-01T00:00:00","ENERGY":{"Total":3.185,"Power":160,"Factor":0.95,"Voltage":228,"Current":0.7}}',
    b'{"battery":97,"device_temperature":24,"linkquality":120,"voltage":3015,"water_leak":false}',
    b'{"state":"ON","power":12.5,"energy":0.01}',
    b'{"POWER1":"ON","POWER2":"OFF","Wifi":{"RSSI":80}}',
    b'{"state":"online"}',
    b"21.5",
    b"ON",
    b"nan",
)
_ODD: tuple[Any, ...] = (
    0,
    -1,
    1e308,
    10**40,
    True,
    None,
    "",
    "NaN",
    "1e999",
    "\x00",
    "\ud800",
    [],
    {},
    1.5,
    "ON",
    "true",
)


def one(rng: Random) -> None:
    """One payload under one topic."""
    topic = rng.choice(_ALL)
    payload = _payload(rng)
    for meaning in _TOPICS.read(topic, payload):
        match meaning:
            case Values():
                for worth in meaning.seen:
                    point = _PROFILES[meaning.device].points[worth.point]
                    assert (worth.value is None) == (worth.quality == "bad"), worth
                    if point.type == "number" and worth.value is not None:
                        assert isinstance(worth.value, float), worth
                        assert math.isfinite(worth.value), worth
                        assert point.low is None or worth.value >= point.low, worth
                        assert point.high is None or worth.value <= point.high, worth
                    elif point.type == "flag":
                        assert worth.value in (True, False, None), worth
            case Available():
                assert b"nline" in payload or b"ffline" in payload or b"\\u" in payload, payload
            case Refusal():
                assert len(meaning.why) < 2000, meaning


def _payload(rng: Random) -> bytes:
    match rng.randrange(8):
        case 0:
            return noise(rng)
        case 1:
            return json.dumps(_made_up(rng, 4)).encode()
        case 2:
            depth = rng.choice((5, 33, 300, 3000))
            return b'{"a":' * depth + b"1" + b"}" * rng.choice((depth, 0))
        case 3:
            key = rng.choice(("state", "power", "water_leak", "ENERGY"))
            return f'{{"{key}":{json.dumps(rng.choice(_ODD))},"{key}":{json.dumps(rng.choice(_ODD))}}}'.encode()
        case 4:
            return rng.choice(_SOUND)
        case 5:
            return (
                b'{"power":' + rng.choice((b"9" * rng.randint(1, 6000), b"1e400", b"-0", b"NaN", b"01", b"1.")) + b"}"
            )
        case _:
            return mutated(rng, rng.choice(_SOUND))


def _made_up(rng: Random, depth: int) -> Any:
    if depth == 0 or rng.random() < 0.4:
        return rng.choice(_ODD)
    if rng.random() < 0.3:
        return [_made_up(rng, depth - 1) for _ in range(rng.randrange(3))]
    keys = ("state", "power", "ENERGY", "Power", "water_leak", "battery", "POWER1", "leak", "x.y", "")
    return {rng.choice(keys): _made_up(rng, depth - 1) for _ in range(rng.randrange(4))}

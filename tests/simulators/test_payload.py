"""What sensors publish, mapped back as their profiles say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contract.readings import Value
from drivers.profiles.files import load
from simulators.mqtt.payload import availability, payloads


def said(profile: str, values: dict[str, Value], **options: bool) -> dict[str, Any]:
    published = payloads(load(profile), "garage/x", values.get, **options)
    return {topic: json.loads(body) for topic, body in published.items()}


def test_points_of_one_topic_share_a_document() -> None:
    assert said("mqtt_climate_sensor", {"temperature": 21.5, "humidity": 61.0}) == {
        "garage/x/state": {"temperature": 21.5, "humidity": 61.0}
    }


@pytest.mark.parametrize(("wet", "word"), [(True, True), (False, False)])
def test_a_flag_is_said_in_the_products_own_word(wet: bool, word: object) -> None:
    assert said("mqtt_leak_sensor", {"leak": wet, "battery": 94.0})["garage/x/state"] == {"leak": word, "battery": 94.0}


def test_a_value_of_the_wrong_type_is_nothing_that_a_reader_expects() -> None:
    assert said("mqtt_co_sensor", {"co": 12.0}, wrong_type=True) == {"garage/x/state": {"co": [12.0]}}


def test_availability_is_said_in_words() -> None:
    profile = load("mqtt_co_sensor")
    assert availability(profile, "garage/co-1", online=True) == {"garage/co-1/availability": b"online"}
    assert availability(profile, "garage/co-1", online=False) == {"garage/co-1/availability": b"offline"}

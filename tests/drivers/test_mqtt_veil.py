"""What locks, keypads and cameras say over MQTT: PINs and codes are told nobody, numbers whom they may."""

from __future__ import annotations

import json

import pytest

from contract.speech import Speech
from drivers.listening import Eyes, Seen
from drivers.mqtt.overhear import Messages
from drivers.tap import Chunk

FITTER = Eyes(secrets=False, numbers=True, plates=True)
NOBODY = Eyes(secrets=False, numbers=False, plates=False)
NO_CARDS = Eyes(secrets=False, numbers=False, plates=True)


def seen(topic: str, payload: str, eyes: Eyes) -> Seen:
    [one] = Messages({}, Speech("en"), eyes).hear(Chunk(1.0, "in", payload.encode(), topic))
    return one


SECRET = [
    ("z/lock", '{"pin":{"value":"1234"}}'),
    ("z/lock", '{"codes":{"1":"1234"}}'),
    ("z/lock", '{"codes":{"1234":"Wang"}}'),
    ("z/lock", '{"codes":[["x"],["1234"]]}'),
    ("z/lock", '{"state":"LOCK","users":{"1":{"pin_code":"1234"}}}'),
    *(
        ("z/lock", json.dumps({name: value}))
        for value in ("1234", 1234, ["1234"], {"a": {"b": "1234"}})
        for name in (
            "pin", "PIN", "pins", "pin1", "pincode", "PINCode", "PINcode", "pinCode", "pin-code", "PIN_CODES",
            "userpin", "userPin", "userPINs", "user_pin", "masterpin", "pinnumber", "code", "codes", "code_1",
            "usercodes", "accessCode", "unlock-code", "password", "passWord", "Pass_Word", "passwd", "wifipwd",
            "passcode", "secret", "clientSecret", "token", "authTokens", "key", "keys", "network_key", "apikey", "psk",
            "开锁密码",
        )
    ),
    ("z/lock/pin_code/set", "1234"),
    ("z/lock/codes/2/set", '{"value":"1234"}'),
    ("z/lock/codes/1234/set", "on"),
    ("z/password/lock/x", '["1234"]'),
    ("z/lock", '{"pin":"1234","pin":null}'),
    ("z/lock", '{"a":{"pin":"1234"},"a":null}'),
    ("z/lock", '{"pin":"1234"'),
    ("z/lock", "user=3&pin=1234"),
    ("z/lock", json.dumps({"sent": '{"pin":"1234"}'})),
    ("z/lock", '"pin: 1234"'),
    ("z/lock", "[" * 100_000 + '{"pin":"1234"}'),
]  # fmt: skip


@pytest.mark.parametrize(("topic", "payload"), SECRET)
@pytest.mark.parametrize("eyes", [FITTER, NOBODY])
def test_codes_are_told_nobody(topic: str, payload: str, eyes: Eyes) -> None:
    one = seen(topic, payload, eyes)
    assert "1234" not in one.words and "1234" not in str(one.fields) and one.raw == b""


@pytest.mark.parametrize(
    ("topic", "payload", "number"),
    [
        ("z/reader", '{"cardno":"1234567"}', "1234567"),
        ("z/reader", '{"cardNo":1234567}', "1234567"),
        ("z/reader", '{"CARDS":["1234567"]}', "1234567"),
        ("z/reader", '{"credential":{"kind":"x","value":"1234567"}}', "1234567"),
        ("z/reader", '{"tagid":"1234567","uid":"1234567"}', "1234567"),
        ("z/reader", '{"card":"1234"}', "1234"),
        ("z/reader/card", "1234567", "1234567"),
        ("z/cards/1234567/seen", "on", "1234567"),
        ("z/reader", "card=1234567", "1234567"),
    ],
)
def test_numbers_of_cards_are_told_whom_they_may(topic: str, payload: str, number: str) -> None:
    for eyes in (NOBODY, NO_CARDS):
        one = seen(topic, payload, eyes)
        assert number not in one.words and number not in str(one.fields) and one.raw == b""
    told = seen(topic, payload, FITTER)
    assert (told.words, told.raw) == (f"{topic} {payload}", payload.encode())


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("z/camera", '{"plate":{"text":"A1"}}'),
        ("z/camera", '{"licensePlate":"A1"}'),
        ("z/camera", '{"recognized_license_plate":"A1"}'),
        ("z/camera", '{"sub_label":["A1",0.9]}'),
        ("z/camera/plate/last", '{"text":"A1"}'),
    ],
)
def test_plates_are_told_whom_they_may(topic: str, payload: str) -> None:
    one = seen(topic, payload, NOBODY)
    assert "A1" not in one.words and one.raw == b""
    told = seen(topic, payload, NO_CARDS)
    assert (told.words, told.raw) == (f"{topic} {payload}", payload.encode())


def test_of_a_number_one_knows_the_end() -> None:
    assert seen("z/reader", '{"cardno":"04A1B2C3"}', NOBODY).words == 'z/reader {"cardno": "••••B2C3"}'
    assert seen("z/reader/uid", "04A1B2C3", NOBODY).words == "z/reader/uid ••••B2C3"


def test_a_name_that_hides_is_enough_to_keep_the_bytes() -> None:
    one = seen("z/lock", '{"pin":null, "state":"LOCK"}', FITTER)
    assert (one.words, one.raw) == ('z/lock {"pin": null, "state": "LOCK"}', b"")


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("z/pump_in/spinning", '{"pump_in":7,"pumpIn":7,"spinning":true,"topspin":1,"ping":12,"opinion":1}'),
        ("z/sensor", '{"template":1,"voltage":230,"stage":2,"uuid":"u-1","discarded":3,"passing":1,"monitor":4}'),
        ("z/lock", '{"action":"pin_code_added","state":"LOCK", "battery":91}'),
        ("z/plug/set", "ON"),
        ("z/empty", ""),
    ],
)
def test_all_else_is_told_as_it_was_sent(topic: str, payload: str) -> None:
    one = seen(topic, payload, NOBODY)
    assert (one.words, one.raw) == (f"{topic} {payload}", payload.encode())

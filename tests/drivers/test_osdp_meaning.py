"""Commands in the library's words, and the bytes that come of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from drivers.osdp import meaning
from drivers.osdp.meaning import CannotSay, CardSeen, Commanded, KeysPressed, Online, Secured, StatusTold, told

EVENTS: dict[str, tuple[dict[str, Any], object]] = {
    "a card": (
        {"event": 1, "reader_no": 0, "format": 1, "direction": 0, "length": 26, "data": b"\x80\x004@"},
        CardSeen(bytes.fromhex("80003440"), 26),
    ),
    "keys": ({"event": 2, "reader_no": 0, "data": b"12\r"}, KeysPressed(b"12\r")),
    "tampered": ({"event": 4, "type": 2, "report": b"\x01\x00"}, StatusTold("local", (1, 0))),
    "inputs": ({"event": 4, "type": 0, "report": b"\x00\x01"}, StatusTold("inputs", (0, 1))),
    "outputs": ({"event": 4, "type": 1, "report": b"\x01"}, StatusTold("outputs", (1,))),
    "of a remote reader": ({"event": 4, "type": 3, "report": b"\x01"}, None),
    "done": ({"event": 5, "type": 0, "arg0": 2, "arg1": 1}, Commanded(2, True)),
    "secure": ({"event": 5, "type": 1, "arg0": 1, "arg1": 0}, Secured(True, False)),
    "secure by the default key": ({"event": 5, "type": 1, "arg0": 1, "arg1": 1}, Secured(True, True)),
    "given up": ({"event": 5, "type": 2, "arg0": 0, "arg1": -77}, Online(False)),
    "of a maker": ({"event": 3, "vendor_code": 1, "data": b""}, None),
}


@pytest.mark.parametrize("name", EVENTS)
def test_events(name: str) -> None:
    event, means = EVENTS[name]
    assert told(event) == means


@pytest.mark.parametrize(
    "saying",
    [
        lambda: meaning.output(0, on=True, for_s=25.6),
        lambda: meaning.lamp("mauve"),
        lambda: meaning.lamp("red", for_s=60.0),
        lambda: meaning.beep(0),
        lambda: meaning.beep(21),
        lambda: meaning.text(""),
        lambda: meaning.text("欢迎"),
        lambda: meaning.text("x" * 33),
    ],
)
def test_what_cannot_be_said(saying: Callable[[], object]) -> None:
    with pytest.raises(CannotSay):
        saying()


def test_a_pulse_is_never_shorter_than_asked() -> None:
    assert meaning.output(1, on=True, for_s=0.25)["timer_count"] == 3
    assert meaning.output(1, on=True, for_s=0.3)["timer_count"] == 3


def test_what_a_reader_shows_for_a_decision() -> None:
    lamp, buzzer = meaning.SHOWN["denied"]
    assert (lamp["on_color"], lamp["off_color"], lamp["temporary"]) == (1, 0, True)
    assert buzzer["rep_count"] == 3
    lamp, buzzer = meaning.SHOWN["granted"]
    assert (lamp["on_color"], lamp["off_color"], buzzer["rep_count"]) == (2, 2, 1)

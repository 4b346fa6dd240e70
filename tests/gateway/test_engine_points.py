"""Latest values: what changed, what is stored, what a lost device leaves behind."""

from __future__ import annotations

import pytest

from contract.readings import Quality, Reading, Value
from gateway.engine.desk.points import KEEP_EVERY_MS, UNREAD, Points


def reading(value: Value, at: int = 1000, quality: Quality = "good", point: str = "pump-1.flow") -> Reading:
    return Reading(point=point, value=value, quality=quality, at=at)


# situation, readings one after the other, what the last of them changed, whether the last is stored
SITUATIONS = [
    ("first value", [reading(1.0)], True, True),
    ("first value is unreadable", [reading(None, quality="bad")], True, True),
    ("same number again", [reading(1.0), reading(1.0, 2000)], False, True),
    ("another number", [reading(1.0), reading(1.5, 2000)], True, True),
    ("same flag again", [reading(True), reading(True, 2000)], False, False),
    ("same flag a minute later", [reading(True), reading(True, 1000 + KEEP_EVERY_MS)], False, True),
    ("another flag", [reading(True), reading(False, 2000)], True, True),
    ("same label again", [reading("open"), reading("open", 2000)], False, False),
    ("same value, worse quality", [reading(1.0), reading(1.0, 2000, "stale")], True, True),
]


@pytest.mark.parametrize(("readings", "changed", "kept"), [s[1:] for s in SITUATIONS], ids=[s[0] for s in SITUATIONS])
def test_readings_change_and_are_kept(readings: list[Reading], changed: bool, kept: bool) -> None:
    points = Points(["pump-1.flow"])
    for one in readings[:-1]:
        points.apply([one])
    applied = points.apply(readings[-1:])
    assert (applied.changed == ["pump-1.flow"]) is changed
    assert (applied.keep == readings[-1:]) is kept


def test_a_bad_reading_leaves_no_value_behind() -> None:
    points = Points(["pump-1.flow"])
    points.apply([reading(3.0)])
    points.apply([reading(None, 2000, "bad")])
    assert points.value("pump-1.flow") == (None, "bad", 2000)


def test_a_lost_device_keeps_its_values_as_stale_and_touches_no_other() -> None:
    points = Points(["pump-1.flow", "pump-1.head", "pump-10.flow"])
    points.apply([reading(3.0), reading(5.0, point="pump-10.flow")])
    applied = points.lose("pump-1", 9000)
    assert points.value("pump-1.flow") == (3.0, "stale", 9000)
    assert points.value("pump-10.flow") == (5.0, "good", 1000)
    assert applied.changed == ["pump-1.flow"]


def test_values_from_before_a_restart_are_shown_as_stale_and_never_over_fresh_ones() -> None:
    points = Points(["pump-1.flow", "pump-1.head"])
    points.apply([reading(3.0, 5000)])
    points.recall([reading(1.0, 1000), reading(7.0, 1000, point="pump-1.head"), reading(1.0, point="gone.x")])
    assert points.value("pump-1.flow") == (3.0, "good", 5000)
    assert points.value("pump-1.head") == (7.0, "stale", 1000)
    assert points.value("gone.x") == UNREAD

"""What is worth a report."""

from __future__ import annotations

from drivers.changes import HEARTBEAT_S, Changes, Worth
from tests.drivers.products import product

POINTS = product(
    "points:\n"
    "  a: {fc: 3, address: 0, name: {zh: 甲, en: A}}\n"
    "  b: {fc: 3, address: 1, deadband: 0.5, name: {zh: 乙, en: B}}\n"
).points


def told(changes: Changes, point: str, value: float | str | None, now: float) -> bool:
    quality = "bad" if value is None else "good"
    return bool(changes.news([Worth(point, value, quality)], now, 1000))  # type: ignore[arg-type]


def test_a_value_is_told_when_it_changes_and_once_in_a_while() -> None:
    changes = Changes("d", POINTS)
    assert told(changes, "a", 1, 0.0)
    assert not told(changes, "a", 1, 1.0)
    assert told(changes, "a", 2, 2.0)
    assert not told(changes, "a", 2, 2.0 + HEARTBEAT_S - 0.1)
    assert told(changes, "a", 2, 2.0 + HEARTBEAT_S)


def test_a_change_of_quality_is_a_change() -> None:
    changes = Changes("d", POINTS)
    assert told(changes, "a", 1, 0.0)
    assert told(changes, "a", None, 0.1)
    assert not told(changes, "a", None, 0.2)
    assert told(changes, "a", 1, 0.3)


def test_small_changes_wait_for_the_heartbeat_but_add_up() -> None:
    changes = Changes("d", POINTS)
    assert told(changes, "b", 1.0, 0.0)
    assert not told(changes, "b", 1.4, 0.1)
    assert told(changes, "b", 1.5, 0.2)
    assert not told(changes, "b", 1.1, 0.3)
    assert told(changes, "b", None, 0.4)


def test_after_an_absence_everything_is_news() -> None:
    changes = Changes("d", POINTS)
    assert told(changes, "a", 1, 0.0)
    changes.forget()
    reading = changes.news([Worth("a", 1, "good")], 0.1, 1234)[0]
    assert (reading.point, reading.value, reading.quality, reading.at) == ("d.a", 1, "good", 1234)

"""Frigate's messages: many about one car are one read, with the best plate."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.camera.frigate import CARS_LIMIT, PAYLOAD_LIMIT, SETTLE_S, Cameras, Meaning, Presence, Refused
from drivers.reports import ClockTold, PlateRead

ID = "1757347331.12-abc123"


def cameras() -> Cameras:
    return Cameras({"cam": "gate_in", "far": "site2/gate_in"})


def update(plate: str, score: float, camera: str = "gate_in", **more: Any) -> bytes:
    said = {"type": "lpr", "id": ID, "name": None, "plate": plate, "score": score, "camera": camera}
    return json.dumps(said | {"timestamp": 1_795_000_000.25} | more).encode()


def event(kind: str, **more: Any) -> bytes:
    after = {"id": ID, "camera": "gate_in", "label": "car", "frame_time": 1_795_000_001.0, "false_positive": False}
    return json.dumps({"type": kind, "before": {}, "after": after | more}).encode()


def seen(found: list[Meaning]) -> list[tuple[str, float, str]]:
    return [(read.plate, read.confidence, read.plate_id) for read in found if isinstance(read, PlateRead)]


def test_a_sure_plate_is_told_at_once_and_once() -> None:
    here = cameras()
    [read] = here.read("frigate/tracked_object_update", update("沪A12345", 0.95), 0.0)
    assert read == PlateRead("cam", "沪A12345", ID, 0.95, seen_at=1_795_000_000_250)
    for score in (0.95, 0.97, 0.5):
        assert here.read("frigate/tracked_object_update", update("沪A12345", score), 0.1) == []
    assert here.read("frigate/events", event("end", recognized_license_plate="沪A12345"), 9.0) == []
    assert here.due() is None


def test_the_best_of_several_doubtful_plates_is_told_when_it_had_its_time() -> None:
    here = cameras()
    for plate, score in (("沪A1234", 0.4), ("沪A12345", 0.8), ("沪A1Z345", 0.6)):
        assert here.read("frigate/tracked_object_update", update(plate, score), 1.0) == []
    assert here.due() == 1.0 + SETTLE_S
    assert here.tick(1.0) == []
    assert seen([*here.tick(1.0 + SETTLE_S)]) == [("沪A12345", 0.8, ID)]
    assert here.due() is None


def test_a_doubtful_plate_that_becomes_sure_is_told_once_more() -> None:
    here = cameras()
    here.read("frigate/tracked_object_update", update("沪A12345", 0.7), 0.0)
    assert seen([*here.tick(SETTLE_S)]) == [("沪A12345", 0.7, ID)]
    assert here.read("frigate/tracked_object_update", update("沪A12345", 0.8), 3.0) == []
    again = here.read("frigate/tracked_object_update", update("沪A12345", 0.96), 4.0)
    assert seen(again) == [("沪A12345", 0.96, f"{ID}-2")]
    assert here.read("frigate/tracked_object_update", update("沪A12345", 0.99), 5.0) == []


def test_the_end_of_the_object_waits_no_longer() -> None:
    here = cameras()
    here.read("frigate/events", event("update", recognized_license_plate=["沪A12345", 0.7]), 0.0)
    found = here.read("frigate/events", event("end", recognized_license_plate=["沪A12345", 0.7]), 0.1)
    assert seen(found) == [("沪A12345", 0.7, ID)]


def test_what_is_no_read() -> None:
    here = cameras()
    for topic, payload in [
        ("frigate/tracked_object_update", update("沪A12345", 0.95, camera="elsewhere")),
        ("frigate/tracked_object_update", update("", 0.95)),
        ("frigate/tracked_object_update", update("unknown", 0.95)),
        ("frigate/tracked_object_update", json.dumps({"type": "description", "id": ID}).encode()),
        ("frigate/events", event("new")),
        ("frigate/events", event("new", false_positive=True, recognized_license_plate=["X", 0.99])),
        ("frigate/stats", b"{}"),
    ]:
        assert here.read(topic, payload, 0.0) == [], payload
    assert here.read("frigate/tracked_object_update", update("沪A12345", 0.95), 0.0, retained=True) == []


def test_each_prefix_has_its_own_cameras() -> None:
    here = cameras()
    assert here.knows("site2/events")
    assert not here.knows("elsewhere/events")
    [read] = here.read("site2/tracked_object_update", update("沪A12345", 0.95), 0.0)
    assert isinstance(read, PlateRead)
    assert read.camera == "far"
    assert "frigate/tracked_object_update" in here.topics
    assert len(here.topics) == 8


def test_frigate_says_who_is_there() -> None:
    here = cameras()
    assert here.read("frigate/available", b"online", 0.0) == [Presence("cam", True)]
    assert here.read("frigate/available", b"offline", 0.0) == [Presence("cam", False, "it says that it is offline")]
    stats = {"cameras": {"gate_in": {"camera_fps": 0.0}, "other": {"camera_fps": 5.0}}}
    assert here.read("frigate/stats", json.dumps(stats).encode(), 0.0) == [
        Presence("cam", False, "Frigate says that it gives no frames")
    ]
    stats["cameras"]["gate_in"]["camera_fps"] = 5.1
    assert here.read("frigate/stats", json.dumps(stats).encode(), 0.0) == [Presence("cam", True)]
    told = json.dumps({**stats, "service": {"last_updated": 1_795_000_000}}).encode()
    assert here.read("frigate/stats", told, 0.0) == [Presence("cam", True), ClockTold("cam", 1_795_000_000_000)]
    # What the broker kept is of another time.
    assert here.read("frigate/stats", told, 0.0, retained=True) == [Presence("cam", True)]


WRONG = [
    ("available", b"perhaps"),
    ("events", b"{"),
    ("events", b"[]"),
    ("events", b"{}"),
    ("events", json.dumps({"after": {"camera": "gate_in"}}).encode()),
    ("tracked_object_update", update("沪A12345", 2.0)),
    ("tracked_object_update", update("沪A12345", 0.9, id=7)),
    ("tracked_object_update", update("沪A12345", 0.9).replace(b"plate", b"plait")),
    ("tracked_object_update", b"\xff\xfe"),
    ("stats", b"[" * 100_000),
    ("events", b" " * (PAYLOAD_LIMIT + 1)),
]


@pytest.mark.parametrize(("word", "payload"), WRONG, ids=[str(n) for n in range(len(WRONG))])
def test_what_is_refused(word: str, payload: bytes) -> None:
    [meaning] = cameras().read(f"frigate/{word}", payload, 0.0)
    assert isinstance(meaning, Refused)


@given(st.lists(st.tuples(st.sampled_from(["A", "B"]), st.floats(0, 1), st.floats(0, 0.3)), max_size=30))
def test_one_car_is_at_most_two_reads_and_the_last_is_the_best(said: list[tuple[str, float, float]]) -> None:
    here, now, found = cameras(), 0.0, []
    for plate, score, pause in said:
        now += pause
        found += seen(here.read("frigate/tracked_object_update", update(f"沪A1234{plate}", score), now))
        found += seen([*here.tick(now)])
    found += seen([*here.tick(now + SETTLE_S)])
    assert len(found) == len({key for _, _, key in found}) <= 2
    if said:
        assert found
    if len(found) == 2:
        assert found[0][1] < found[1][1]


def test_cars_that_are_remembered_are_bounded() -> None:
    here = cameras()
    for number in range(3 * CARS_LIMIT):
        here.read("frigate/tracked_object_update", update("沪A12345", 0.5, id=str(number)), 0.0)
    assert len(here.tick(SETTLE_S)) == CARS_LIMIT

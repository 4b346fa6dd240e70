"""Cameras of every make in a site file: where each hangs, what a lane can ask of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.sites import broken, loaded
from tests.simulators.camera_site import SITE


def test_a_lane_for_each_make(tmp_path: Path) -> None:
    site = loaded(tmp_path, SITE).site
    assert {lane.camera for lane in site.lanes.values()} == {"zhen", "hik", "its", "dah", "pic"}
    display = site.lanes["lane-zhen"].display
    assert display is not None
    assert (display.speaks, display.shows, display.granted) == ("board", "board", "欢迎光临")


def test_how_late_a_read_may_come(tmp_path: Path) -> None:
    patient = SITE.replace("    camera: zhen\n", "    camera: zhen\n    fresh_s: 120\n")
    lanes = loaded(tmp_path, patient).site.lanes
    assert (lanes["lane-zhen"].fresh_s, lanes["lane-hik"].fresh_s) == (120, 30)


# what is wrong: old text, new text → where, words of the sentence
MISTAKES = [
    (
        "a read that may come when its car is gone",
        "camera: zhen\n",
        "camera: zhen\n    fresh_s: 600\n",
        {"lanes.lane-zhen.fresh_s": "120"},
    ),
    (
        "a read that may take no time",
        "camera: zhen\n",
        "camera: zhen\n    fresh_s: 0\n",
        {"lanes.lane-zhen.fresh_s": "5"},
    ),
    (
        "a camera that lifts nothing",
        "camera: zhen\n    barrier",
        "camera: hik\n    barrier",
        {"lanes.lane-zhen.barrier": "opens no barrier", "lanes.lane-zhen.display": "shows and says nothing"},
    ),
    (
        "two cameras on one stream",
        "bus: pictured-net}",
        "bus: dahua-net}",
        {"devices.pic.bus": "the one camera of dahua-net"},
    ),
    (
        "two streams of one camera",
        "host: 127.0.0.1, port: 2,",
        "host: 127.0.0.1, port: 1,",
        {"buses.pictured-net.port": "already owns this line"},
    ),
    (
        "a camera that pushes on a stream",
        "{profile: dahua_traffic, bus: dahua-net}",
        "{profile: dahua_itsapi, bus: dahua-net}",
        {"devices.dah.bus": "a http-push bus"},
    ),
    (
        "a Frigate camera without its name",
        "{profile: dahua_itsapi, bus: cams}",
        "{profile: frigate_lpr, bus: cams}",
        {"devices.its.topic": "is missing"},
    ),
    (
        "words that no board shows",
        "shows: board}",
        "shows: board, granted: ''}",
        {"lanes.lane-zhen.display.granted": ""},
    ),
    ("a relay as a camera", "camera: its", "camera: relays", {"lanes.lane-its.camera": "a plate camera"}),
]


@pytest.mark.parametrize(("old", "new", "expected"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES])
def test_mistakes(tmp_path: Path, old: str, new: str, expected: dict[str, str]) -> None:
    assert SITE.count(old) == 1
    found = {mistake.where: str(mistake) for mistake in broken(tmp_path, SITE.replace(old, new))}
    for where, words in expected.items():
        assert words in found[where]


def test_the_test_bench_is_whole() -> None:
    from config import load_site  # noqa: PLC0415

    site = load_site(Path(__file__).parents[2] / "config" / "sites" / "buses.yaml").site
    assert len(site.lanes) >= 6

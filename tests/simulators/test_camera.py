"""The camera: its body as the vendor says, its picture, its obedience, what it does while nobody answers."""

from __future__ import annotations

import io
import json
import socket
import time
from pathlib import Path

import pytest
from PIL import Image

from simulators.camera.picture import HEIGHT, WIDTH, colour_of, shot
from simulators.camera.zhenshi import NO_PLATE, CameraIdentity, PushVerdict, Seen, plate_body, verdict
from tests.simulators.stage import Catcher, catching, picture, simulated, until

CAMERA = CameraIdentity("gate-in-cam", "sim-1")


def test_the_picture_is_a_scene_with_its_plate_cut_out() -> None:
    taken = shot("沪A12345", "2026-11-22 08:00:00", 3)
    scene, plate = Image.open(io.BytesIO(taken.scene)), Image.open(io.BytesIO(taken.plate))
    assert scene.size == (WIDTH, HEIGHT)
    assert 40_000 < len(taken.scene) < 100_000
    left, top, right, bottom = taken.place
    seen = scene.convert("RGB").crop((left, top, right, bottom)).resize(plate.size)
    # The plate is where the read says: mostly blue, as the cut-out is.
    for image in (seen, plate.convert("RGB")):
        red, green, blue = image.resize((1, 1)).getpixel((0, 0))  # type: ignore[misc]
        assert blue > red + 30
        assert blue > green + 20


def test_two_plates_make_two_pictures() -> None:
    assert shot("沪A12345", "x", 1).plate != shot("粤B88888", "x", 1).plate


@pytest.mark.parametrize(
    ("plate", "colour"),
    [("沪A12345", "blue"), ("沪AD12345", "green"), ("沪A1234警", "white"), ("沪A123学", "yellow"), ("", "blue")],
)
def test_a_plates_colour_follows_its_form(plate: str, colour: str) -> None:
    assert colour_of(plate) == colour
    assert shot(plate, "x", 1).scene


def test_the_body_is_the_vendors() -> None:
    seen = Seen("粤Z9065澳", 21085, 1_686_299_994_687, 96, shot("粤Z9065澳", "x", 1))
    body = json.loads(plate_body(CAMERA, seen))["AlarmInfoPlate"]
    result = body["result"]["PlateResult"]
    assert body["serialno"] == "sim-1"
    assert (result["license"], result["plateid"], result["confidence"], result["isoffline"]) == (
        "粤Z9065澳",
        21085,
        96,
        0,
    )
    # The instant of the vendor's own example: 2023-06-09 16:39:54.687 in China.
    assert result["timeStamp"]["Timeval"] == {
        "decyear": 2023, "decmon": 6, "decday": 9, "dechour": 16, "decmin": 39, "decsec": 54,
        "sec": 1686299994, "usec": 687000,
    }  # fmt: skip
    assert json.loads(plate_body(CAMERA, seen, replayed=True))["AlarmInfoPlate"]["result"]["PlateResult"]["isoffline"]


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b'{"Response_AlarmInfoPlate":{"info":"ok","content":"retransfer_stop","is_pay":"true"}}', (True, True)),
        (200, b'{"Response_AlarmInfoPlate":{"info":"no"}}', (True, False)),
        (200, b"{}", (False, False)),
        (200, b"ok", (False, False)),
        (200, b"[]", (False, False)),
        (503, b'{"Response_AlarmInfoPlate":{"info":"ok"}}', (False, False)),
    ],
)
def test_what_an_answer_means_to_the_camera(status: int, body: bytes, expected: tuple[bool, bool]) -> None:
    assert verdict(status, body) == PushVerdict(*expected)


async def test_a_car_is_pushed_with_its_picture(tmp_path: Path) -> None:
    with catching() as gateway:
        async with simulated(tmp_path, gateway.url) as stage:
            said = await stage.post("/sim/lanes/gate-in/drive-up", {"plate": "沪a 12345"})
            assert said["sent"] is True
            read = gateway.reads[-1]
            assert gateway.paths[-1] == "/push/gate-in-cam"
            assert (read["license"], read["plateid"], read["isoffline"]) == ("沪A12345", said["plateid"], 0)
            assert Image.open(io.BytesIO(picture(read))).size == (WIDTH, HEIGHT)
            await until(lambda: gateway.heartbeats)
            assert b'name="serialno"' in gateway.heartbeats[0]


async def test_the_last_read_is_played_once_more(tmp_path: Path) -> None:
    with catching() as gateway:
        async with simulated(tmp_path, gateway.url) as stage:
            await stage.post("/sim/lanes/gate-in/drive-up", {"plate": "沪A12345"})
            said = await stage.post("/sim/lanes/gate-in/replay", {})
            assert said["sent"] is True
            assert gateway.reads[0] == gateway.reads[1]
            await stage.post("/sim/lanes/gate-in/replay", {"ago_s": 86_400})
            first, old = (read["timeStamp"]["Timeval"]["sec"] for read in gateway.reads[1:])
            assert first - old == 86_400
            assert (gateway.reads[2]["license"], gateway.reads[2]["isoffline"]) == ("沪A12345", 0)
            assert gateway.reads[2]["plateid"] != gateway.reads[0]["plateid"]


async def test_the_answer_lifts_only_where_the_camera_is_the_actuator(tmp_path: Path) -> None:
    site = _site_with_camera_barrier(tmp_path)
    with catching() as gateway:
        gateway.answer = {"Response_AlarmInfoPlate": {"info": "ok"}}
        async with simulated(tmp_path, gateway.url, site) as stage:
            for lane in ("by-camera", "by-relay"):
                await stage.post(f"/sim/lanes/{lane}/drive-up", {"plate": "沪A12345"})
            await until(lambda: stage.site.lanes["by-camera"].arm.position == 1)
            assert stage.site.lanes["by-relay"].arm.opens == 0
        async with simulated(tmp_path, gateway.url, site) as stage:
            gateway.answer = {"Response_AlarmInfoPlate": {"info": "no"}}
            await stage.post("/sim/lanes/by-camera/drive-up", {"plate": "沪A12345"})
            assert stage.site.lanes["by-camera"].arm.opens == 0


async def test_reads_wait_in_the_camera_and_come_as_stored_ones(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with simulated(tmp_path, f"http://127.0.0.1:{port}") as stage:
        for plate in ("沪A00001", "沪A00002"):
            said = await stage.post("/sim/lanes/gate-in/drive-up", {"plate": plate})
            assert (said["sent"], said["stored"]) == (False, True)
        with catching(port) as gateway:
            await until(lambda: len(gateway.reads) == 2, within_s=15)
            assert gateway.plates() == ["沪A00001", "沪A00002"]
            assert [read["isoffline"] for read in gateway.reads] == [1, 1]


async def test_an_answer_without_the_object_is_tried_again_and_then_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulators.camera.push.wires.RETRY_S", 0.01)
    with catching() as gateway:
        gateway.answer = None
        async with simulated(tmp_path, gateway.url) as stage:
            said = await stage.post("/sim/lanes/gate-in/drive-up", {"plate": "沪A12345"})
            assert said["stored"] is True
            assert gateway.plates()[:3] == ["沪A12345"] * 3
            assert len({read["plateid"] for read in gateway.reads}) == 1
            gateway.answer = {"Response_AlarmInfoPlate": {"info": "no"}}
            await until(lambda: gateway.reads[-1]["isoffline"] == 1, within_s=15)


@pytest.mark.parametrize("fault", ["repeat", "blind", "missing", "corrupt", "replay", "offline", "silent", "clock-off"])
async def test_faults_of_a_camera(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    monkeypatch.setattr("simulators.camera.push.wires.RETRY_S", 0.01)
    with catching() as gateway:
        async with simulated(tmp_path, gateway.url) as stage:
            await stage.post("/sim/faults", {"device": "gate-in-cam", "fault": fault})
            said = await stage.post("/sim/lanes/gate-in/drive-up", {"plate": "沪A12345"})
            _judge(gateway, fault, said["sent"])


def _judge(gateway: Catcher, fault: str, sent: bool) -> None:
    if fault == "repeat":
        assert gateway.plates() == ["沪A12345"] * 3
        assert len({read["plateid"] for read in gateway.reads}) == 1
    elif fault == "blind":
        assert gateway.plates() == [NO_PLATE]
    elif fault == "missing":
        assert "license" not in gateway.reads[0]
        assert "imageFile" in gateway.reads[0]
    elif fault == "corrupt":
        assert gateway.broken
        assert not gateway.reads
    elif fault == "replay":
        assert [read["isoffline"] for read in gateway.reads] == [1]
    elif fault == "clock-off":
        assert gateway.reads[0]["timeStamp"]["Timeval"]["sec"] > time.time() + 6_000
    else:
        assert sent is False
        assert not gateway.reads


def _site_with_camera_barrier(folder: Path) -> Path:
    path = folder / "yard.yaml"
    path.write_text(
        """
site: yard
name: {zh: 院, en: Yard}
gateway: yard-gw
buses:
  cams: {kind: http-push}
  net: {kind: modbus-tcp, host: 127.0.0.1}
devices:
  cam-1: {profile: zhenshi_plate_camera, bus: cams}
  cam-2: {profile: zhenshi_plate_camera, bus: cams}
  relay: {profile: waveshare_eth_relay8_di8, bus: net}
lanes:
  by-camera: {name: {zh: 一, en: One}, direction: in, camera: cam-1, barrier: {kind: camera}}
  by-relay:
    name: {zh: 二, en: Two}
    direction: in
    camera: cam-2
    barrier: {kind: relay, open: {device: relay, output: relay_1}}
"""
    )
    return path

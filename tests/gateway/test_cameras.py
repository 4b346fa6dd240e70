"""Plate cameras of every make against a real gateway process: decided, recorded, lifted, and never lost when killed."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract.pictures import picture_id
from simulators.camera.push.wires import Camera, HttpPushWire
from simulators.demo.programs import free_port
from tests.drivers.camera_bodies import HIKVISION_TYPE, JPEG, dahua_at, hikvision, hikvision_at, timeval
from tests.drivers.test_camera import push
from tests.gateway.process import ROOT, WITHIN_S, Ends, Gateway
from tests.simulators.camera_site import camera_site
from tests.simulators.stage import Stage, simulated, until

MAKES = ("zhen", "hik", "its", "dah", "pic")


class CameraGateway(Gateway):
    """The gateway of the camera yard."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ends = Ends()
        self.data = folder / "gateway"
        self.data.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.push_port = free_port()
        self.push_url = f"http://127.0.0.1:{self.push_port}"
        self.env = {}
        self.program = ("-m", "gateway")
        self.process = None
        self.site = camera_site(folder)

    async def start(self, *more: str) -> None:
        """Starts the process and waits until it says that it is ready."""
        with (self.folder / "gateway.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, *self.program, "--site", str(self.site), "--data", str(self.data)),
                *("--port", str(self.port), "--push-port", str(self.push_port), *more),
                cwd=ROOT,
                stdout=log,
                stderr=log,
            )
        await self.until(self._ready)

    def said(self, kind: str, source: str) -> list[dict[str, Any]]:
        """What the journal holds of one kind about one thing."""
        return [data for _, found, of, data in self.rows() if (found, of) == (kind, source)]

    async def soon(self, kind: str, source: str, count: int = 1) -> list[dict[str, Any]]:
        """The same, as soon as there are so many."""
        await until(lambda: len(self.said(kind, source)) >= count, WITHIN_S)
        return self.said(kind, source)


@asynccontextmanager
async def yard(folder: Path) -> AsyncIterator[tuple[CameraGateway, Stage]]:
    """The gateway and the simulators of the camera yard, both running."""
    gateway = CameraGateway(folder)
    await gateway.hold()
    try:
        async with simulated(folder, gateway.push_url, gateway.site) as stage:
            await gateway.start("--wires", str(folder / "wires.json"))
            yield gateway, stage
    finally:
        if gateway.process is not None and gateway.process.returncode is None:
            await gateway.end(signal.SIGKILL)


def camera(stage: Stage, id_: str) -> Camera:
    wire = stage.running._wires["cams"]
    assert isinstance(wire, HttpPushWire)
    return wire.cameras[id_]


def _opens(stage: Stage, make: str) -> int:
    return stage.site.lanes[f"lane-{make}"].arm.opens


async def test_a_car_at_each_make_is_let_in_and_its_picture_kept(tmp_path: Path) -> None:
    async with yard(tmp_path) as (gateway, stage):
        await gateway.soon("device.found", "dah")
        await gateway.soon("device.found", "pic")
        for make in MAKES:
            said = await stage.post(f"/sim/lanes/lane-{make}/drive-up", {"plate": "沪A12345"})
            assert said["sent"] is True
        for make in MAKES:
            [seen] = await gateway.soon("plate.seen", f"lane-{make}")
            assert (seen["plate"], seen["camera"], seen["replayed"]) == ("沪A12345", make, False)
            await gateway.soon("access.granted", f"lane-{make}")
            await until(partial(_opens, stage, make), WITHIN_S)
            if make == "dah":
                assert seen["picture"] is None
            else:
                assert (gateway.data / "pictures" / "waiting" / f"{seen['picture']}.jpg").exists()
        # Loops on the camera's own inputs: it drove through.
        await gateway.soon("passage.made", "lane-zhen")
        # The board beside the lane showed the plate and spoke.
        shown = [each for each in camera(stage, "zhen").shown if isinstance(each, bytes)]
        assert any("沪A12345".encode("gb18030") in frame for frame in shown)
        assert any("欢迎光临".encode("gb18030") in frame for frame in shown)


async def test_a_guard_opens_a_barrier_that_only_its_camera_moves(tmp_path: Path) -> None:
    async with yard(tmp_path) as (gateway, stage), gateway.client() as guard:
        await gateway.soon("device.found", "zhen")
        command = {"site": "makes", "target": "lane-zhen", "kind": "barrier.open", "reason": "访客来访"}
        assert (await guard.post("/api/commands", json=command)).status_code == 202
        await gateway.soon("command.done", "lane-zhen")
        await until(lambda: stage.site.lanes["lane-zhen"].arm.opens == 1, WITHIN_S)

        # Off the network, it fetches nothing: the command fails in words, and nothing is lifted when it comes back.
        await stage.post("/sim/faults", {"device": "zhen", "fault": "offline"})
        assert (await guard.post("/api/commands", json=command)).status_code == 202
        [failed] = await gateway.soon("command.failed", "lane-zhen")
        assert failed["why"]["zh"]
        await stage.api.delete("/sim/faults")
        said = await stage.post("/sim/lanes/lane-zhen/drive-up", {"plate": "粤B88888"})
        assert said["sent"] is True
        await until(lambda: stage.site.lanes["lane-zhen"].arm.opens == 2, WITHIN_S)  # by the read, not by the command
        assert len(gateway.said("command.done", "lane-zhen")) == 1


@pytest.mark.parametrize("make", ["zhen", "hik", "its"])
async def test_what_comes_again_as_stored_is_recorded_and_lifts_nothing(tmp_path: Path, make: str) -> None:
    async with yard(tmp_path) as (gateway, stage):
        await gateway.soon("device.found", make)
        await stage.post("/sim/faults", {"device": make, "fault": "replay"})
        await stage.post(f"/sim/lanes/lane-{make}/drive-up", {"plate": "沪A12345"})
        [seen] = await gateway.soon("plate.seen", f"lane-{make}")
        assert seen["replayed"] is True
        await stage.api.delete("/sim/faults")
        await stage.post(f"/sim/lanes/lane-{make}/drive-up", {"plate": "苏E54321"})
        await gateway.soon("access.granted", f"lane-{make}")
        plates = [data["credential"]["value"] for data in gateway.said("access.granted", f"lane-{make}")]
        assert plates == ["苏E54321"]


@pytest.mark.parametrize(("fault", "make"), [("wrong-namespace", "hik"), ("missing", "its"), ("corrupt", "hik")])
async def test_what_cannot_be_read_is_answered_and_told(tmp_path: Path, fault: str, make: str) -> None:
    async with yard(tmp_path) as (gateway, stage):
        await gateway.soon("device.found", make)
        await stage.post("/sim/faults", {"device": make, "fault": fault})
        said = await stage.post(f"/sim/lanes/lane-{make}/drive-up", {"plate": "沪A12345"})
        assert said["sent"] is True  # it was answered, so that it does not come for ever
        await gateway.soon("input.refused", make)
        assert gateway.said("plate.seen", f"lane-{make}") == []


async def test_empty_pictures_cost_no_read(tmp_path: Path) -> None:
    async with yard(tmp_path) as (gateway, stage):
        await gateway.soon("device.found", "hik")
        await stage.post("/sim/faults", {"device": "hik", "fault": "empty-picture"})
        await stage.post("/sim/lanes/lane-hik/drive-up", {"plate": "沪A12345"})
        [seen] = await gateway.soon("plate.seen", "lane-hik")
        assert (seen["plate"], seen["picture"]) == ("沪A12345", None)


BODIES: list[tuple[str, str, Callable[[int], bytes], str]] = [
    ("hik", "沪A12345", lambda at: hikvision(hikvision_at(at)), HIKVISION_TYPE),
    ("zhen", "粤Z9065澳", lambda at: push(timeStamp=timeval(at)), "application/json"),
    ("its", "沪A12345", lambda at: json.dumps({"Events": [dahua_at(at)]}).encode(), "application/json"),
]


@pytest.mark.parametrize(("device", "plate", "body_at", "kind"), BODIES, ids=[device for device, *_ in BODIES])
async def test_what_was_answered_is_in_the_journal_whatever_happens_next(
    tmp_path: Path, device: str, plate: str, body_at: Callable[[int], bytes], kind: str
) -> None:
    body = body_at(time.time_ns() // 1_000_000)
    gateway = CameraGateway(tmp_path)
    await gateway.hold()
    await gateway.start()
    try:
        async with httpx.AsyncClient() as camera_client:
            answer = await camera_client.post(
                f"{gateway.push_url}/push/{device}", content=body, headers={"Content-Type": kind}
            )
            assert gateway.process is not None
            gateway.process.kill()
            await gateway.process.wait()
        assert answer.status_code == 200
        await gateway.start()
        [seen] = gateway.said("plate.seen", f"lane-{device}")
        assert (seen["plate"], seen["camera"]) == (plate, device)
        assert len(gateway.said("access.granted", f"lane-{device}")) == 1
        if device != "its":
            kept = gateway.data / "pictures" / "waiting" / f"{seen['picture']}.jpg"
            assert picture_id(kept.read_bytes()) == seen["picture"]
        if device == "hik":
            assert kept.read_bytes() == JPEG
        # Had the camera never heard the answer, it would send it again: nothing is recorded twice or lifted again.
        async with httpx.AsyncClient() as camera_client:
            again = await camera_client.post(
                f"{gateway.push_url}/push/{device}", content=body, headers={"Content-Type": kind}
            )
        assert again.status_code == 200
        assert b'"ok"' not in again.content
        assert len(gateway.said("plate.seen", f"lane-{device}")) == 1
    finally:
        if gateway.process is not None and gateway.process.returncode is None:
            await gateway.end(signal.SIGKILL)

"""`/push` of plate cameras: what is answered to whom on which port, and what a camera's word brings about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from drivers.camera.plates import BODY_LIMIT
from drivers.camera.push.wires import HttpPushBus
from gateway.settings import Listening, Settings
from gateway.web.push import allowed_networks
from gateway.web.serving import unheard
from tests.gateway.engine_site import MORNING
from tests.gateway.test_web_site import site
from web.addresses import lies_in

COUNTS = iter(range(10_000))


def plate_push(plate: str = "沪A12345", **changes: Any) -> dict[str, Any]:
    result = {
        "license": plate,
        "confidence": 96,
        "colorType": 1,
        "plateid": next(COUNTS),
        "isoffline": 0,
        "timeStamp": {"Timeval": {"sec": MORNING // 1000, "usec": 0}},
    } | changes
    return {"AlarmInfoPlate": {"result": {"PlateResult": result}, "serialno": "fe71e106-57263272"}}


def answered(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    body = answer.json()["Response_AlarmInfoPlate"]
    assert body["content"] == "retransfer_stop"
    info: str = body["info"]
    return info


async def test_only_a_camera_that_is_the_actuator_is_answered_ok(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        assert answered(await there.camera.post("/push/cam-side", json=plate_push())) == "ok"
        assert answered(await there.camera.post("/push/cam-in", json=plate_push())) == "no"
        assert answered(await there.camera.post("/push/cam-side", json=plate_push("苏E54321"))) == "no"
        assert answered(await there.camera.post("/push/cam-side", json=plate_push(isoffline=1))) == "no"
        await there.here.settle()
        assert there.here.sent == [("write", "barrier-in", "open", True)]


async def test_a_heartbeat_is_answered_and_finds_the_camera(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        form = {"device_name": (None, "R5"), "serialno": (None, "fe71"), "port": (None, "80")}
        assert answered(await there.camera.post("/push/cam-in", files=form)) == "no"
        await there.here.settle()
        assert [source for _, source, _ in await there.here.events("device.found")] == ["cam-in"]


# what a camera sends that cannot be read: it is answered all the same, and said once
BROKEN = [
    ("missing fields", json.dumps({"AlarmInfoPlate": {"result": {}}}).encode()),
    ("no JSON", b"\xff\xfe not json"),
    ("nothing at all", b""),
    ("a wrong type", json.dumps(plate_push(confidence=[1])).encode()),
    ("too much", json.dumps(plate_push(imageFile="A" * BODY_LIMIT)).encode()),
]


@pytest.mark.parametrize("body", [b[1] for b in BROKEN], ids=[b[0] for b in BROKEN])
async def test_a_push_that_cannot_be_read_is_answered_all_the_same(tmp_path: Path, body: bytes) -> None:
    async with site(tmp_path) as there:
        headers = {"Content-Type": "application/json"}
        assert answered(await there.camera.post("/push/cam-side", content=body, headers=headers)) == "no"
        await there.here.settle()
        assert len(await there.here.events("input.refused")) == 1
        assert there.here.sent == []


async def test_the_consoles_port_takes_no_pushes_and_says_where_they_go(tmp_path: Path) -> None:
    async with site(tmp_path, push_port=8082) as there:
        refused = await there.client.post("/push/cam-side", json=plate_push(), headers={"Accept-Language": "en"})
        assert (refused.status_code, refused.json()["error"]["message"]) == (404, "Cameras push to port 8082")
        await there.here.settle()
        [(_, source, data)] = await there.here.events("input.refused")
        assert source == "cam-side"
        assert "push to port 8082" in data["why"]
        # One with its picture is told too, and nothing of it is read.
        large = plate_push(imageFile="x" * 900_000)
        assert (await there.client.post("/push/cam-side", json=large)).status_code == 404
        await there.here.settle()
        assert there.here.engine.refusals.counts["cam-side"] == 2
        assert there.here.sent == []


@pytest.mark.parametrize(
    ("host", "allow", "deaf"),
    [
        ("127.0.0.1", ["192.168.10.0/24"], True),
        ("localhost", ["127.0.0.0/8", "192.168.10.51/32"], True),
        ("::1", ["0.0.0.0/0"], True),
        ("127.0.0.1", [], False),
        ("127.0.0.1", ["127.0.0.2/32"], False),
        ("0.0.0.0", ["192.168.10.0/24"], False),
        ("192.168.10.1", ["192.168.10.0/24"], False),
    ],
)
async def test_cameras_that_cannot_reach_their_port_are_told_of(
    tmp_path: Path, host: str, allow: list[str], deaf: bool
) -> None:
    settings = Settings(tmp_path / "site.yaml", tmp_path, pushes=Listening(host, 8082))
    async with site(tmp_path) as there:
        loaded = there.here.engine.site
        buses = {**loaded.buses, "cams": HttpPushBus(kind="http-push", allow=allow)}
        found = unheard(loaded.model_copy(update={"buses": buses}), settings)
    assert (found is not None) is deaf
    assert found is None or f"8082 for pushes listens on {host} alone" in found.en


async def test_the_consoles_port_takes_pushes_where_the_settings_say_so(tmp_path: Path) -> None:
    async with site(tmp_path, pushes_too=True) as there:
        assert answered(await there.client.post("/push/cam-side", json=plate_push())) == "ok"
        assert (await there.client.get("/healthz")).status_code == 200


async def test_the_cameras_port_knows_pushes_and_nothing_else(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        for path in ("/", "/healthz", "/metrics", "/api/about", "/api/openapi.json", "/assets/x.js"):
            assert (await there.camera.get(path)).status_code == 404, path
        assert (await there.camera.post("/api/session", json={"username": "guard"})).status_code == 404


async def test_pushes_from_elsewhere_or_for_nothing_are_refused_and_counted(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        app: Any = there.camera._transport.app  # type: ignore[attr-defined]
        stranger = httpx.ASGITransport(app, client=("203.0.113.9", 1))
        async with httpx.AsyncClient(transport=stranger, base_url="http://gateway") as client:
            assert (await client.post("/push/cam-side", json=plate_push())).status_code == 403
        assert (await there.camera.post("/push/nobody", json=plate_push())).status_code == 404
        assert (await there.camera.post("/push/pump-1", json=plate_push())).status_code == 404
        await there.here.settle()
        assert there.here.engine.refusals.counts["push"] == 3
        assert await there.here.events("access.granted") == []


@pytest.mark.parametrize(
    ("allow", "address", "taken"),
    [
        ([], "127.0.0.1", True),
        ([], "::1", True),
        ([], "192.168.10.5", False),
        (["192.168.10.0/24"], "192.168.10.5", True),
        (["192.168.10.0/24"], "::ffff:192.168.10.5", True),
        (["192.168.10.0/24"], "192.168.11.5", False),
        (["192.168.10.0/24"], "not an address", False),
    ],
)
def test_addresses_that_cameras_may_come_from(allow: list[str], address: str, taken: bool) -> None:
    assert lies_in(address, allowed_networks(allow)) is taken

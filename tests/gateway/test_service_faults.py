"""The gateway as a real process on a bad day: a file full of mistakes, a clock in 1970, a full disk, odd cameras."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract.instants import milliseconds
from drivers.camera.plates import BODY_LIMIT
from gateway.clock import PLAUSIBLE_FROM_MS, machine_wall_ms
from tests.config.sites import SITE, TEN, instead, line_of
from tests.gateway.process import CARD, ROOT, Gateway, hut
from tests.gateway.room import room_of

# --- A site file


async def test_ten_mistakes_are_said_by_the_process_in_both_languages(tmp_path: Path) -> None:
    text = SITE
    for old, new in TEN:
        text = instead(old, new, text)
    path = tmp_path / "site.yaml"
    path.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "gateway", "--site", str(path), "--check"]
    checked = await asyncio.to_thread(
        subprocess.run, command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (checked.returncode, checked.stdout) == (1, "")
    said = checked.stderr.splitlines()
    for language in (said[: len(TEN)], said[len(TEN) :]):
        assert [line.split(":")[1] for line in language] == sorted((str(line_of(SITE, old)) for old, _ in TEN), key=int)
    assert "是否想写 modbus-rtu？" in checked.stderr
    assert "did you mean modbus-rtu?" in checked.stderr


# --- A machine without a battery

IN_1970 = """
import os, runpy, sys, time
told, began = {told!r}, time.time_ns()
now = time.time_ns
def machine():
    return now() if os.path.exists(told) else now() - began
time.time_ns = machine
time.time = lambda: machine() / 1e9
sys.argv[0] = "gateway"
runpy.run_module("gateway", run_name="__main__")
"""
"""The gateway on a machine whose wall clock says 1970 until a time server is heard (the file `told` appears)."""


def moments(gateway: Gateway) -> list[tuple[int, str, bool]]:
    """(Unix ms, kind, doubtful) of every event in the journal."""
    with contextlib.closing(sqlite3.connect(f"file:{gateway.data / 'journal.sqlite'}?mode=ro", uri=True)) as db:
        return [tuple(row) for row in db.execute("SELECT at, kind, doubtful FROM events ORDER BY id")]


async def clock_alarm(client: httpx.AsyncClient) -> str:
    """The state of the alarm about the clock, "" if there is none."""
    answer = await client.get("/api/alarms")
    assert answer.status_code == 200, answer.text
    alarms = answer.json()["items"]
    return next((alarm["state"] for alarm in alarms if alarm["rule"] == "clock.doubtful"), "")


@pytest.mark.parametrize("lived_before", [True, False], ids=["a journal from before", "a new gateway"])
async def test_a_machine_that_starts_in_1970(tmp_path: Path, lived_before: bool) -> None:
    """Doors open, no event is of 1970 nor older than the last before it, and the doubt ends when the time is known."""
    told = tmp_path / "told"
    async with hut(tmp_path) as gateway:
        pulses = 0
        if lived_before:
            await gateway.start()
            gateway.ends.reader.present(CARD)
            await gateway.ends.pulsed()
            assert await gateway.end() == 0
            pulses = 1
        before = moments(gateway) if lived_before else []
        gateway.program = ("-c", IN_1970.format(told=str(told)))
        await gateway.start()
        gateway.ends.reader.present(CARD)
        await gateway.ends.pulsed(pulses + 1)
        async with gateway.client() as client:
            assert await clock_alarm(client) == "active"
            [granted] = (await client.get("/api/events", params={"kind": "access.granted", "limit": 1})).json()["items"]
            last = before[-1][0] if before else PLAUSIBLE_FROM_MS
            assert last <= milliseconds(granted["at"]) <= machine_wall_ms()
        told.touch()
        gateway.ends.reader.present(CARD)
        await gateway.ends.pulsed(pulses + 2)
        async with gateway.client() as client:

            async def over() -> bool:
                return await clock_alarm(client) in {"", "cleared"}

            await gateway.until(over)
        assert await gateway.end() == 0
        after = moments(gateway)[len(before) :]
        times = [at for at, _, _ in moments(gateway)]
        assert times == sorted(times)
        kinds = [kind for _, kind, _ in after]
        assert kinds.count("clock.doubted") == kinds.count("clock.trusted") == 1
        in_doubt = [kind for _, kind, doubtful in after if doubtful]
        # The doubt is one stretch: everything up to the moment when the time is known, and nothing after it.
        assert in_doubt == kinds[: len(in_doubt)]
        assert {"clock.doubted", "access.granted"} <= set(in_doubt)
        assert "clock.trusted" in kinds[len(in_doubt) :]
        assert len(gateway.rows()) == len(times)


# --- A disk without room


async def test_a_full_disk_locks_nobody_in_and_is_told(tmp_path: Path) -> None:
    async with hut(tmp_path) as gateway, room_of(gateway) as room:
        await gateway.start()
        async with gateway.client() as client:
            room.take()

            async def stalled() -> bool:
                # Each goes through; what the disk had left over takes the first of them.
                pulses = len(gateway.ends.coils)
                gateway.ends.reader.present(CARD)
                await gateway.ends.pulsed(pulses + 1)
                return (await client.get("/readyz")).status_code == 503

            await gateway.until(stalled)
            for _ in range(5):
                pulses = len(gateway.ends.coils)
                gateway.ends.reader.present(CARD)
                await gateway.ends.pulsed(pulses + 1)
            alarms = (await client.get("/api/alarms", params={"state": "active"})).json()["items"]
            assert [alarm["rule"] for alarm in alarms] == ["recording.stalled"]
            assert (await client.get("/healthz")).status_code == 200
            room.give()

            async def recording() -> bool:
                told = await client.get("/api/alarms", params={"state": "active"})
                return (await client.get("/readyz")).status_code == 200 and not told.json()["items"]

            await gateway.until(recording)
        assert await gateway.end() == 0
        kinds = gateway.kinds()
        assert kinds.count("access.granted") == len(gateway.ends.coils)
        assert kinds.count("recording.stalled") == kinds.count("alarm.raised") == kinds.count("alarm.cleared") == 1


# --- Cameras

PLATE = {"license": "沪A12345", "confidence": 96, "plateid": 1}

BROKEN: list[tuple[str, bytes]] = [
    ("no JSON", b"AlarmInfoPlate=1"),
    ("no text", b"\xff\xfe\x00\x81"),
    ("nothing", b""),
    ("no plate", json.dumps({"AlarmInfoPlate": {"result": {"PlateResult": {"plateid": 1}}}}).encode()),
    ("no result", json.dumps({"AlarmInfoPlate": {}}).encode()),
    ("a list", json.dumps([{"AlarmInfoPlate": PLATE}]).encode()),
    ("wrong types", json.dumps({"AlarmInfoPlate": {"result": {"PlateResult": PLATE | {"license": 7}}}}).encode()),
    ("deep", b'{"AlarmInfoPlate":' + b"[" * 100_000),
    ("too much", json.dumps({"AlarmInfoPlate": {"result": {"PlateResult": PLATE}}}).encode() + b" " * BODY_LIMIT),
]


async def test_odd_pushes_are_answered_and_foreign_ones_are_not_taken(tmp_path: Path) -> None:
    """Every push of the site's camera gets an answer of its own form, or the camera sends it for ever."""
    async with hut(tmp_path) as gateway:
        text = gateway.site.read_text(encoding="utf-8")
        text = text.replace("buses:", "buses:\n  cams: {kind: http-push, allow: [127.0.0.2/32, 192.168.10.0/24]}")
        text = text.replace("devices:", "devices:\n  cam: {profile: zhenshi_plate_camera, bus: cams}")
        lane = "lanes:\n  gate: {name: {zh: 道, en: Lane}, direction: in, camera: cam, barrier: {kind: camera}}\n"
        gateway.site.write_text(text + lane, encoding="utf-8")
        await gateway.start()
        whole = json.dumps({"AlarmInfoPlate": {"result": {"PlateResult": PLATE}}}).encode()
        json_type = {"Content-Type": "application/json"}
        pretends = json_type | {"X-Forwarded-For": "127.0.0.2", "Forwarded": "for=127.0.0.2"}
        for address in ("127.0.0.3", "127.0.0.1"):
            elsewhere = httpx.AsyncHTTPTransport(local_address=address)
            async with httpx.AsyncClient(base_url=gateway.push_url, transport=elsewhere) as stranger:
                for headers in (json_type, pretends):
                    assert (await stranger.post("/push/cam", content=whole, headers=headers)).status_code == 403
        camera = httpx.AsyncHTTPTransport(local_address="127.0.0.2")
        async with httpx.AsyncClient(base_url=gateway.push_url, transport=camera) as there:
            for what, body in BROKEN:
                answer = await there.post("/push/cam", content=body, headers=json_type)
                assert answer.status_code == 200, what
                assert verdict(answer) == "no", what
            assert (await there.post("/push/front-in", content=whole, headers=json_type)).status_code == 404
            # The camera is this lane's actuator: what it is answered is whether it lifts.
            assert verdict(await there.post("/push/cam", content=whole, headers=json_type)) == "no"
            assert (await there.get("/healthz")).status_code == 404  # nothing but pushes is there
        async with httpx.AsyncClient(base_url=gateway.url) as console:
            figures = (await console.get("/metrics")).text.splitlines()
        assert f'gatehouse_gateway_inputs_refused_total{{wire="cam"}} {len(BROKEN)}.0' in figures
        assert 'gatehouse_gateway_inputs_refused_total{wire="push"} 6.0' in figures
        assert await gateway.end() == 0
        seen = [(kind, data.get("rule")) for _, kind, source, data in gateway.rows() if source == "gate"]
        assert [kind for kind, _ in seen] == ["plate.seen", "access.denied"]
        said = [data["why"] for _, kind, source, data in gateway.rows() if (kind, source) == ("input.refused", "cam")]
        assert len(said) == 1
        # That cameras of another machine cannot come is said before any of them could be refused.
        first = next(
            data["why"] for _, kind, source, data in gateway.rows() if (kind, source) == ("input.refused", "push")
        )
        assert "set --push-host" in first


def verdict(answer: httpx.Response) -> str:
    """What a camera reads in an answer."""
    body: dict[str, Any] = answer.json()["Response_AlarmInfoPlate"]
    assert body["content"] == "retransfer_stop"
    return str(body["info"])

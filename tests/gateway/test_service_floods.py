"""A gateway whose web servers are flooded from outside: a lost wire comes back, cameras' pushes go through."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx

from tests.floods import HalfOpen
from tests.gateway.process import CARD, Gateway, hut

DESCRIPTORS = 1024
"""What a service has where nobody sets a limit: half-open connections of one attacker are more."""

HALF_OPEN = 1500
ATTACKERS = [f"127.0.3.{number}" for number in range(1, 5)]

LIMITED = (
    "import resource, runpy; resource.setrlimit(resource.RLIMIT_NOFILE, ({0}, {0}));"
    " runpy.run_module('gateway', run_name='__main__', alter_sys=True)"
)


def with_camera(gateway: Gateway) -> None:
    text = gateway.site.read_text(encoding="utf-8")
    text = text.replace("buses:", "buses:\n  cams: {kind: http-push, allow: [127.0.0.2/32]}")
    text = text.replace("devices:", "devices:\n  cam: {profile: zhenshi_plate_camera, bus: cams}")
    lane = "lanes:\n  gate: {name: {zh: 道, en: Lane}, direction: in, camera: cam, barrier: {kind: camera}}\n"
    gateway.site.write_text(text + lane, encoding="utf-8")


def push(number: int) -> bytes:
    plate = {"license": f"沪A{number:05}", "confidence": 96, "plateid": number}
    return json.dumps({"AlarmInfoPlate": {"result": {"PlateResult": plate}}}).encode()


async def test_half_open_connections_cut_no_wire_no_push_and_no_console(tmp_path: Path) -> None:
    async with hut(tmp_path) as gateway:
        with_camera(gateway)
        gateway.program = ("-c", LIMITED.format(DESCRIPTORS))
        await gateway.start()
        camera = httpx.AsyncHTTPTransport(local_address="127.0.0.2")
        async with (
            HalfOpen((gateway.port, gateway.push_port), HALF_OPEN, ATTACKERS),
            httpx.AsyncClient(base_url=gateway.push_url, transport=camera, timeout=30) as pushing,
        ):
            gateway.ends.reader.drop()
            pushes = [
                asyncio.create_task(pushing.post("/push/cam", content=push(number), headers={"Connection": "close"}))
                for number in range(1, 4)
            ]
            await gateway.dialled()
            gateway.ends.reader.present(CARD)
            await gateway.ends.pulsed()
            assert [(await each).status_code for each in pushes] == [200] * 3
            async with gateway.client() as guard:  # from an address of its own the console answers
                doors = (await guard.get("/api/doors")).json()["items"]
                assert [door["id"] for door in doors] == ["front"]
                figures = (await guard.get("/metrics")).text
        assert "Too many open files" not in gateway.log()
        assert 'gatehouse_web_connections_refused_total{full="address",server="console"}' in figures
        assert await gateway.end() == 0
        kinds = gateway.kinds()
        assert (kinds.count("access.granted"), kinds.count("plate.seen")) == (1, 3)
        told = [data for _, kind, source, data in gateway.rows() if (kind, source) == ("input.refused", "console")]
        assert told, "the site is told of it"
        assert len(told) <= 2, "but not of every connection"
        assert "127.0.3." in told[0]["why"]


async def test_floods_of_bodies_cut_nothing_and_are_bounded(tmp_path: Path) -> None:
    async with hut(tmp_path) as gateway:
        with_camera(gateway)
        await gateway.start()
        attacker = httpx.AsyncHTTPTransport(local_address="127.0.3.1", limits=httpx.Limits(max_connections=200))
        camera = httpx.AsyncHTTPTransport(local_address="127.0.0.2")
        async with (
            httpx.AsyncClient(transport=attacker, timeout=60) as flood,
            httpx.AsyncClient(base_url=gateway.push_url, transport=camera, timeout=30) as pushing,
        ):
            body = b'{"username": "' + b"x" * 8_000_000 + b'"}'
            floods = [
                asyncio.create_task(flood.post(url, content=body, headers={"Content-Type": "application/json"}))
                for url in (f"{gateway.url}/api/session", f"{gateway.url}/api/commands", f"{gateway.push_url}/push/cam")
                for _ in range(66)
            ]
            pushed = await pushing.post("/push/cam", content=push(1))
            gateway.ends.reader.present(CARD)
            await gateway.ends.pulsed()
            answers = await asyncio.gather(*floods, return_exceptions=True)
        assert pushed.status_code == 200
        statuses = {answer.status_code for answer in answers if isinstance(answer, httpx.Response)}
        assert statuses <= {401, 403, 413, 503}
        assert await gateway.end() == 0

"""`/push` for cameras of every make: what is answered, when the disk holds it up, and what a camera is commanded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from contract.instants import instant
from contract.limits import PICTURE_LIMIT
from contract.pictures import picture_id
from drivers.camera.push.bus import PushBus
from drivers.installed import Gateway
from drivers.opening import open_bus
from gateway.break_glass.account import Sealed
from gateway.engine.desk.timers import LoopTimers
from gateway.engine.lanes.lanes import WAITING_LIMIT
from gateway.engine.lanes.reads import OLD_BURST
from gateway.web.app import push_app
from gateway.web.push import AT_ONCE
from gateway.web.served import People, Served
from tests.drivers.camera_bodies import (
    CUT_OUT,
    HIKVISION_TYPE,
    JPEG,
    dahua_at,
    hikvision,
    hikvision_at,
    timeval,
    tollgate_at,
)
from tests.drivers.test_camera import push
from tests.gateway.disks import FaultyDisk
from tests.gateway.engine_site import Album, Yard, yard
from tests.gateway.test_web_site import Alone
from tests.simulators.camera_site import SITE
from web.server.bodies import Bodies

JSON = {"Content-Type": "application/json"}
BEAT = {"heartbeat": "1", "serialno": "fe71"}


class Cameras:
    """The camera yard with its web server."""

    def __init__(self, here: Yard, client: httpx.AsyncClient) -> None:
        self.here = here
        self.client = client

    async def hik(self, plate: str = "沪A12345", **more: Any) -> httpx.Response:
        """A Hikvision camera pushes; each plate with a UUID of its own."""
        xml = hikvision_at(self.now).replace("沪A12345", plate).replace("000000000004", plate)
        return await self.send("hik", hikvision(xml, **more), HIKVISION_TYPE)

    @property
    def now(self) -> int:
        """What time it is, Unix ms."""
        return self.here.time.machine_ms

    async def its(self, *events: dict[str, Any]) -> httpx.Response:
        """A Dahua camera pushes these events, or one car."""
        return await self.send("its", json.dumps({"Events": events or [dahua_at(self.now)]}).encode())

    async def send(self, device: str, body: bytes, kind: str = "application/json") -> httpx.Response:
        """Any push."""
        return await self.client.post(f"/push/{device}", content=body, headers={"Content-Type": kind})

    async def zhen(self, **changes: Any) -> dict[str, Any]:
        """A 臻识 camera pushes; what it is answered."""
        return answered(await self.send("zhen", push(**({"timeStamp": timeval(self.now)} | changes))))

    async def beat(self) -> dict[str, Any]:
        """A heartbeat of the 臻识 camera; what it is answered."""
        return answered(await self.send("zhen", json.dumps(BEAT).encode()))


def answered(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200
    said: dict[str, Any] = answer.json()["Response_AlarmInfoPlate"]
    return said


@asynccontextmanager
async def cameras(folder: Path, disk: FaultyDisk | None = None) -> AsyncIterator[Cameras]:
    async with yard(folder, site=SITE, rules="rules: {}", disk=disk, at_rest=False) as here:
        engine = here.engine
        site, loaded = engine.site, engine.loaded
        devices = {id: (device, loaded.profile_of(id)) for id, device in site.devices.items() if device.bus == "cams"}
        wired = Gateway(engine.report, engine.clock.wall_ms, folder)
        bus = open_bus("cams", site.buses["cams"], devices, sink=wired.sink, clock=wired.clock, folder=folder)
        assert isinstance(bus, PushBus)
        engine.buses.add(bus)
        served = Served(
            engine=engine,
            journal=here.journal,
            readings=here.shelf,
            pictures=Album(folder),
            people=People({}, {}),
            link=Alone(),
            sealed=Sealed(folder, engine.clock, LoopTimers(), lambda: None, lambda _: None),
            clock=engine.clock,
            software="0.0.0",
        )
        transport = httpx.ASGITransport(push_app(served), client=("127.0.0.1", 50_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway", timeout=30) as client:
            try:
                yield Cameras(here, client)
            finally:
                if disk is not None:
                    disk.heal()


async def test_each_make_is_answered_in_its_own_words(tmp_path: Path) -> None:
    async with cameras(tmp_path) as there:
        hik = await there.hik()
        assert (hik.status_code, hik.headers["content-type"]) == (200, "application/xml")
        assert ElementTree.fromstring(hik.text).findtext("statusString") == "OK"
        its = await there.its()
        assert (its.status_code, its.json()["Result"]) == (200, True)
        assert (await there.zhen())["info"] == "ok"
        for device in ("hik", "its", "zhen"):
            assert (await there.send(device, b"nonsense", "text/plain")).status_code == 200
        await there.here.settle()
        assert sorted(source for _, source, _ in await there.here.events("input.refused")) == ["hik", "its", "zhen"]
        assert len(await there.here.events("plate.seen")) == 3


async def test_the_scene_is_kept_or_the_cut_out_where_it_is_too_large(tmp_path: Path) -> None:
    async with cameras(tmp_path) as there:
        await there.hik("沪A00001")
        await there.hik("沪A00002", scene=JPEG + bytes(PICTURE_LIMIT))
        kept = [data["picture"] for _, _, data in await there.here.events("plate.seen")]
        assert kept == [picture_id(JPEG), picture_id(CUT_OUT)]
        assert all((tmp_path / f"{picture}.jpg").exists() for picture in kept)


async def test_several_cars_in_one_push(tmp_path: Path) -> None:
    async with cameras(tmp_path) as there:
        one, over = dahua_at(there.now), dahua_at(there.now, Action="Stop")
        await there.its(one, over, dahua_at(there.now, EventID=4712, TrafficCar={"PlateNumber": "苏E54321"}))
        assert [data["plate"] for _, _, data in await there.here.events("plate.seen")] == ["沪A12345", "苏E54321"]


async def test_what_was_recorded_fresh_is_not_recorded_again_as_stored(tmp_path: Path) -> None:
    async with cameras(tmp_path) as there:
        await there.zhen()
        said = await there.zhen(isoffline=1)
        assert (said["info"], said["ContinuePushOffline"]["continue"]) == ("no", 1)
        assert len(await there.here.events("plate.seen")) == 1
        await there.zhen(isoffline=1, plateid=21086)
        assert [data["replayed"] for _, _, data in await there.here.events("plate.seen")] == [False, True]


# --- Reads that are not of now

YEAR_MS = 365 * 86_400_000

Body = Callable[[int], tuple[str, bytes, str]]
BODIES: dict[str, Body] = {
    # form of a push: its device, body and type, of a car at this time (Unix ms)
    "zhenshi": lambda at: ("zhen", push(timeStamp=timeval(at)), "application/json"),
    "hikvision": lambda at: ("hik", hikvision(hikvision_at(at)), HIKVISION_TYPE),
    "hikvision in local time": lambda at: ("hik", hikvision(hikvision_at(at, offset=False)), HIKVISION_TYPE),
    "dahua": lambda at: ("its", json.dumps({"Events": [dahua_at(at)]}).encode(), "application/json"),
    "dahua in local time": lambda at: ("its", json.dumps({"Events": [dahua_at(at, real=False)]}).encode(), "text/json"),
    "dahua with a picture": lambda at: ("its", json.dumps(tollgate_at(at)).encode(), "application/json"),
}


@pytest.mark.parametrize("form", BODIES)
@pytest.mark.parametrize(("by_ms", "code"), [(-YEAR_MS, "replayed_old"), (10 * YEAR_MS, "replayed_ahead")])
async def test_a_push_of_another_time_is_recorded_and_lifts_nothing(
    tmp_path: Path, form: str, by_ms: int, code: str
) -> None:
    async with cameras(tmp_path) as there:
        device, body, kind = BODIES[form](there.now + by_ms)
        assert (await there.send(device, body, kind)).status_code == 200
        [(_, _, seen)] = await there.here.events("plate.seen")
        assert (seen["replayed"], seen["reason"]["code"]) == (True, code)
        assert await there.here.events("access.granted", "access.denied") == []
        assert there.here.sent == []
        # The camera's own read of now is decided upon, and told with its instant, in whatever zone it was written.
        device, body, kind = BODIES[form](there.now)
        answer = await there.send(device, body, kind)
        assert (b'"ok"' in answer.content) is (device == "zhen")
        assert len(await there.here.events("access.granted")) == 1
        seen = (await there.here.events("plate.seen"))[-1][2]
        assert (seen["replayed"], seen["reason"], seen["seen_at"]) == (False, None, instant(there.now))


async def test_the_same_bytes_lift_once_whatever_comes_between_and_however_late(tmp_path: Path) -> None:
    async with cameras(tmp_path) as there:
        body = push(timeStamp=timeval(there.now))
        assert answered(await there.send("zhen", body))["info"] == "ok"
        for number in range(34):
            await there.here.wait(2)
            assert (await there.zhen(plateid=number, license=f"苏E{number:05}", confidence=10))["info"] == "no"
        for wait_s in (0, 20, 600, 86_400):
            await there.here.wait(wait_s)
            assert answered(await there.send("zhen", body))["info"] == "no"
        assert len(await there.here.events("access.granted")) == 1
        assert (await there.zhen(plateid=99))["info"] == "ok"


async def test_a_camera_is_asked_to_keep_what_is_more_than_can_be_recorded(tmp_path: Path) -> None:
    async with cameras(tmp_path) as there:
        codes = [
            (await there.send("zhen", push(isoffline=1, plateid=number, imageFile=""))).status_code
            for number in range(OLD_BURST + 1)
        ]
        assert set(codes[:-1]) == {200}
        assert codes[-1] == 503
        await there.here.wait(1)
        assert (await there.send("zhen", push(isoffline=1, plateid=OLD_BURST, imageFile=""))).status_code == 200
        assert len(await there.here.events("plate.seen")) == OLD_BURST + 1


# --- The disk


async def test_a_read_that_is_not_on_the_disk_is_not_taken_but_a_lift_does_not_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.web.push.DISK_S", 0.2)
    disk = FaultyDisk()
    async with cameras(tmp_path, disk) as there:
        disk.hang_syncs()
        hik = await there.hik()
        assert hik.status_code == 503
        its = await there.its()
        assert its.status_code == 503
        # Its camera is the actuator: recording must not lock people in.
        assert (await there.zhen())["info"] == "ok"
        stored = await there.send("zhen", push(isoffline=1, plateid=7))
        assert stored.status_code == 503
        assert stored.json()["Response_AlarmInfoPlate"]["ContinuePushOffline"] == {"plateid": 7, "continue": 0}
        disk.heal()
        # The camera kept it and sends it again: taken now, and recorded once.
        assert (await there.hik()).status_code == 200
        assert len([1 for _, source, _ in await there.here.events("plate.seen") if source == "lane-hik"]) == 1


async def test_more_than_can_be_recorded_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.web.push.DISK_S", 0.2)
    disk = FaultyDisk()
    async with cameras(tmp_path, disk) as there:
        disk.hang_commits()
        pushes = [there.hik(f"沪A{number:05}") for number in range(WAITING_LIMIT + 4)]
        codes = [answer.status_code for answer in await asyncio.gather(*pushes)]
        assert set(codes) == {503}


# --- What a camera is commanded


async def test_a_command_goes_out_with_the_heartbeat_of_a_camera_that_asks(tmp_path: Path) -> None:
    async with cameras(tmp_path) as there:
        assert (await there.beat())["info"] == "no"
        command = asyncio.create_task(there.here.command("barrier.open", "lane-zhen", local=True))
        answer: dict[str, Any] = {}
        while answer.get("info") != "ok":
            answer = await there.beat()
        await command
        [(_, source, _)] = await there.here.events("command.done")
        assert source == "lane-zhen"
        assert (await there.beat())["info"] == "no"


async def test_a_command_that_nobody_fetches_fails_in_words(tmp_path: Path) -> None:
    async with cameras(tmp_path) as there:
        await there.here.command("barrier.open", "lane-zhen", local=True, ttl_ms=200)
        [(_, _, data)] = await there.here.events("command.failed")
        assert "comet" in data["why"]["zh"]
        assert "comet" in data["why"]["en"]


async def test_an_input_of_the_camera_is_the_lanes_loop(tmp_path: Path) -> None:
    async with cameras(tmp_path) as there:
        trigger = {"AlarmGioIn": {"result": {"TriggerResult": {"source": 0, "value": 1}}, "serialno": "x"}}
        await there.send("zhen", json.dumps(trigger).encode())
        await there.here.settle()
        assert there.here.engine.lanes.item("lane-zhen")["loops"]["before"] is True


# --- Strangers at an address that is allowed


async def test_a_command_is_not_given_to_somebody_else_who_asks_for_the_camera(tmp_path: Path) -> None:
    async with cameras(tmp_path) as there:
        app = there.client._transport.app  # type: ignore[attr-defined]
        transport = httpx.ASGITransport(app, client=("127.0.0.2", 50_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as thief:
            await there.beat()
            await there.beat()
            command = asyncio.create_task(there.here.command("barrier.open", "lane-zhen", local=True, ttl_ms=1_500))
            told = []
            while not command.done():
                for _ in range(3):
                    stolen = await thief.post("/push/zhen", content=json.dumps(BEAT), headers=JSON)
                    told.append(answered(stolen)["info"])
            assert set(told) == {"no"}
            [(_, _, data)] = await there.here.events("command.failed")
            assert "address" in data["why"]["en"]
            assert "地址" in data["why"]["zh"]
        refused = [data["why"] for _, source, data in await there.here.events("input.refused") if source == "zhen"]
        assert "127.0.0.2 speaks for it, 127.0.0.1 did before" in refused[0]


async def test_a_push_that_drips_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.web.push.BODY_S", 0.05)
    go_on = asyncio.Event()

    async def drips() -> AsyncIterator[bytes]:
        yield b"{"
        await go_on.wait()

    async with cameras(tmp_path) as there:
        answer = await there.client.post("/push/zhen", content=drips(), headers=JSON)
        assert (answer.status_code, answer.headers["connection"]) == (408, "close")
        go_on.set()
        assert (await there.zhen())["info"] == "ok"
        assert there.here.engine.refusals.counts["zhen"] == 1


async def test_no_camera_holds_more_pushes_than_a_few(tmp_path: Path) -> None:
    go_on = asyncio.Event()

    async def waits() -> AsyncIterator[bytes]:
        yield b"{"
        await go_on.wait()
        yield b'"heartbeat": "1"}'

    async with cameras(tmp_path) as there:
        held = [asyncio.create_task(there.client.post("/push/zhen", content=waits(), headers=JSON)) for _ in range(10)]
        done, waiting = set[asyncio.Task[httpx.Response]](), set(held)
        while len(waiting) > AT_ONCE:
            more, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            done |= more
        assert {task.result().status_code for task in done} == {503}
        assert (await there.hik()).status_code == 200, "other cameras are not concerned"
        go_on.set()
        assert {answer.status_code for answer in await asyncio.gather(*waiting)} == {200}
        assert (await there.zhen())["info"] == "ok"


async def test_who_drips_from_another_address_does_not_keep_the_camera_out(tmp_path: Path) -> None:
    go_on = asyncio.Event()
    begun = asyncio.Semaphore(0)

    async def drips() -> AsyncIterator[bytes]:
        yield b"{"
        begun.release()
        await go_on.wait()
        yield b'"heartbeat": "1"}'

    async with cameras(tmp_path) as there:
        app: Any = there.client._transport.app  # type: ignore[attr-defined]
        stranger = httpx.ASGITransport(app, client=("127.0.0.9", 1))
        async with httpx.AsyncClient(transport=stranger, base_url="http://gateway") as other:
            held = [
                asyncio.create_task(other.post("/push/zhen", content=drips(), headers=JSON)) for _ in range(AT_ONCE)
            ]
            for _ in held:
                await begun.acquire()
            assert (await other.post("/push/zhen", json={"heartbeat": "1"})).status_code == 503
            assert (await there.zhen())["info"] == "ok"
            go_on.set()
            await asyncio.gather(*held)
        assert not app.state.pushes


async def test_pushes_at_once_do_not_add_up_to_the_machines_memory(tmp_path: Path) -> None:
    go_on = asyncio.Event()

    async def large() -> AsyncIterator[bytes]:
        yield b"{" + b" " * 100_000
        await go_on.wait()
        yield b'"heartbeat": "1"}'

    async with cameras(tmp_path) as there:
        transport: Any = there.client._transport
        bodies = transport.app.state.bodies = Bodies(10_000_000, 250_000)
        held = [
            asyncio.create_task(there.client.post(f"/push/{device}", content=large(), headers=JSON))
            for device in ("zhen", "hik", "its")
        ]
        done, waiting = await asyncio.wait(held, return_when=asyncio.FIRST_COMPLETED)
        assert [task.result().status_code for task in done] == [503]  # it comes again with what it has
        assert bodies.held <= 250_000
        go_on.set()
        assert {(await task).status_code for task in waiting} == {200}
        assert bodies.held == 0
        assert (await there.zhen())["info"] == "ok"


async def test_a_push_without_end_is_not_read_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.web.push.READ_LIMIT", 1_000_000)
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 100_000
            yield b" " * 100_000

    async with cameras(tmp_path) as there:
        assert (await there.client.post("/push/zhen", content=endless(), headers=JSON)).status_code == 413
        assert read <= 1_200_000

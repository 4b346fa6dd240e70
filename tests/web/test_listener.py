"""Who floods a server from outside, on real sockets: others are served meanwhile, and what it may take is bounded."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Iterator
from typing import Annotated

import httpx
import pytest
import structlog
from fastapi import APIRouter, Body
from starlette.requests import Request

from tests.certificates import Signed, signed
from tests.web.servers import house, serving, until
from web.headers import BodyLimit
from web.server import descriptors
from web.server.bodies import Bodies
from web.server.room import MOMENT_S, Limits
from web.server.server import Doorway

HALF = b"GET /healthz HTTP/1.1\r\nX-a: "
FLOOD = 200
LIMITS = Limits(in_all=24, each=8)


@contextlib.contextmanager
def closed(writers: list[asyncio.StreamWriter]) -> Iterator[None]:
    try:
        yield
    finally:
        for writer in writers:
            writer.close()


async def half_open(port: int, address: str, first: bytes = HALF) -> asyncio.StreamWriter:
    _, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
    with contextlib.suppress(ConnectionError):
        writer.write(first)
        await writer.drain()
    return writer


async def answered(port: int, address: str) -> bool:
    transport = httpx.AsyncHTTPTransport(local_address=address)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        return (await client.get("/healthz")).status_code == 200


@pytest.mark.parametrize("attackers", [1, 50], ids=["from one address", "from fifty"])
async def test_half_open_connections_keep_nobody_out_and_take_no_more_than_their_share(attackers: int) -> None:
    refused: list[str] = []
    async with serving(house().app, Doorway(limits=LIMITS, on_refused=refused.append)) as server:
        assert server.listener is not None
        writers: list[asyncio.StreamWriter] = []
        with closed(writers):
            for number in range(FLOOD):
                writers.append(await half_open(server.port, f"127.0.1.{1 + number % attackers}"))
                if number % 20 == 0:
                    assert await answered(server.port, "127.0.0.2")
            await asyncio.sleep(MOMENT_S)
            assert await answered(server.port, "127.0.1.1")  # who shares the flood's address is served too
            room = server.listener.room
            assert room.count <= (LIMITS.in_all if attackers > 1 else LIMITS.each)
            assert len(server.server_state.connections) <= LIMITS.in_all
            assert sum(int(words.split()[0]) for words in refused) >= FLOOD - LIMITS.in_all
            assert "127.0.1." in refused[0]
    assert server.listener.room.count == 0


async def test_a_flood_takes_a_tenth_of_the_loops_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(house().app, Doorway(limits=LIMITS)) as server:
        listener = server.listener
        assert listener is not None
        loop = asyncio.get_running_loop()

        def slow(_: float) -> bool:
            time.sleep(0.008)  # as long as so many connections may take
            return True

        monkeypatch.setattr(listener, "_accept_some", slow)
        listener._accept()
        assert listener._rest is not None
        assert listener._rest.when() - loop.time() >= 0.06
        monkeypatch.undo()
        assert await answered(server.port, "127.0.0.1")


async def test_a_flood_is_told_in_the_figures() -> None:
    app = house().app
    async with serving(app, Doorway(name="flooded", limits=LIMITS)) as server:
        writers: list[asyncio.StreamWriter] = []
        with closed(writers):
            writers += [await half_open(server.port, "127.0.1.1") for _ in range(LIMITS.each + 5)]
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
                figures = (await client.get("/metrics")).text
    assert 'gatehouse_web_connections_refused_total{full="address",server="flooded"} 5.0' in figures
    assert 'gatehouse_web_connections{server="flooded"}' in figures


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Signed:
    return signed(tmp_path_factory.mktemp("tls"))


async def test_who_begins_tls_and_stops_keeps_nobody_out(certificate: Signed) -> None:
    files = {"certificate": str(certificate.certificate), "key": str(certificate.key)}
    async with serving(house().app, Doorway(limits=LIMITS, **files)) as server:  # type: ignore[arg-type]
        assert server.listener is not None
        writers: list[asyncio.StreamWriter] = []
        with closed(writers):
            for number in range(60):
                first = b"" if number % 2 else b"\x16\x03\x01\x02"
                writers.append(await half_open(server.port, f"127.0.1.{1 + number % 9}", first))
            trust = ssl.create_default_context(cafile=certificate.ca)
            async with httpx.AsyncClient(base_url=f"https://127.0.0.1:{server.port}", verify=trust) as client:
                assert (await client.get("/healthz")).headers["strict-transport-security"]
            assert server.listener.room.count <= LIMITS.in_all


ECHO = APIRouter()


@ECHO.post("/api/echo", name="echo")
async def echo(request: Request, body: Annotated[list[str], Body()]) -> int:
    held: asyncio.Event = request.app.state.held
    await held.wait()
    return len(body)


async def test_bodies_at_once_are_bounded_in_memory_and_another_address_has_its_part() -> None:
    place = house(routers=[ECHO])
    place.app.state.held = asyncio.Event()
    bodies = Bodies(1_000_000, 400_000)
    [limit] = [each for each in place.app.user_middleware if BodyLimit.__name__ == getattr(each.cls, "__name__", "")]
    limit.kwargs["bodies"] = bodies
    body = ["x" * 90_000]
    async with place.client("10.0.0.1") as flood, place.client("10.0.0.2") as other:
        sent = [asyncio.create_task(flood.post("/api/echo", json=body)) for _ in range(FLOOD)]
        await until(lambda: sum(task.done() for task in sent) == FLOOD - 4)
        assert bodies.held <= 400_000
        waits = asyncio.create_task(other.post("/api/echo", json=body))
        await until(lambda: bodies.held > 400_000)
        place.app.state.held.set()
        assert (await waits).status_code == 200
        answers = [await task for task in sent]
    assert sorted({answer.status_code for answer in answers}) == [200, 503]
    refused = next(answer for answer in answers if answer.status_code == 503)
    assert (refused.json()["error"]["code"], refused.headers["retry-after"]) == ("busy", "1")
    assert bodies.held == 0


async def test_little_is_read_of_who_is_not_signed_in() -> None:
    async with house().client() as client:
        body = {"username": "x" * 20_000, "password": "y"}
        assert (await client.post("/api/session", json=body)).status_code == 413


@pytest.mark.parametrize(("trusted", "seen"), [("", "127.0.0.5"), ("127.0.0.4", "127.0.0.5"), ("127.0.0.5", "9.9.9.9")])
async def test_a_proxy_is_believed_only_where_the_settings_name_it(trusted: str, seen: str) -> None:
    router = APIRouter()

    @router.get("/api/who")
    async def who(request: Request) -> str:
        return request.client.host if request.client else ""

    async with serving(house(routers=[router]).app, Doorway(trusted_proxies=trusted)) as server:
        proxy = httpx.AsyncHTTPTransport(local_address="127.0.0.5")
        async with httpx.AsyncClient(transport=proxy, base_url=f"http://127.0.0.1:{server.port}") as client:
            answer = await client.get("/api/who", headers={"X-Forwarded-For": "9.9.9.9"})
    assert answer.json() == seen


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded"])
async def test_a_proxy_of_this_machine_that_nobody_named_gets_no_figures_and_is_told_of_once(header: str) -> None:
    async with (
        serving(house().app, Doorway()) as server,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client,
    ):
        with structlog.testing.capture_logs() as said:
            for _ in range(2):
                assert (await client.get("/metrics", headers={header: "127.0.0.1"})).status_code == 404
                assert (await client.get("/healthz", headers={header: "192.0.2.1"})).status_code == 200
        assert (await client.get("/metrics")).status_code == 200
    assert len([line for line in said if "is not believed" in line["event"]]) == 1


@pytest.mark.parametrize(
    ("header", "speaks_for", "status"),
    [("X-Forwarded-For", "192.0.2.1", 404), ("X-Forwarded-For", "127.0.0.1", 200), ("X-Real-IP", "192.0.2.1", 404)],
)
async def test_of_a_proxy_that_is_named_the_figures_go_by_whom_it_speaks_for(
    header: str, speaks_for: str, status: int
) -> None:
    place = house(trusted_proxies="127.0.0.1")
    async with (
        serving(place.app, Doorway(trusted_proxies="127.0.0.1")) as server,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client,
    ):
        with structlog.testing.capture_logs() as said:
            assert (await client.get("/metrics", headers={header: speaks_for})).status_code == status
    assert any("is not believed" in line["event"] for line in said) is (header == "X-Real-IP")


def test_half_of_the_descriptors_stay_for_wires_files_and_uplink(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda which: (100, 100))
    assert descriptors.for_outside(256, 128) == (33, 16)
    monkeypatch.setattr("resource.getrlimit", lambda which: (1024, 4096))
    assert descriptors.for_outside(256, 128) == (256, 128)


def test_the_limit_is_raised_as_far_as_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int]] = []
    monkeypatch.setattr("resource.getrlimit", lambda which: (1024, 4096))
    monkeypatch.setattr("resource.setrlimit", lambda which, limits: told.append(limits))
    assert descriptors.raise_limit() == 4096
    assert told == [(4096, 4096)]

    def refuses(which: int, limits: tuple[int, int]) -> None:
        raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr("resource.setrlimit", refuses)
    assert descriptors.raise_limit() == 1024

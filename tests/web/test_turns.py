"""Whose request begins next: each address in turn, and a flood has its share of the loop's time and no more."""

from __future__ import annotations

import asyncio
import time

import pytest
from fastapi import APIRouter, FastAPI, Request

from tests.web.servers import serving
from web.server.server import Doorway
from web.server.turns import PAGE_S, Turns

HOLDS_S = 0.005


async def test_addresses_take_turns_and_each_keeps_its_own_order() -> None:
    turns, begun, all_begun = Turns(rests=0.0), [], asyncio.Event()

    def ask(address: str, what: str) -> None:
        def begin() -> None:
            begun.append(what)
            if len(begun) == 6:
                all_begun.set()

        turns.ask(address, begin)

    for what in ("a1", "a2", "a3", "a4"):
        ask("a", what)
    ask("b", "b1")
    ask("c", "c1")
    async with asyncio.timeout(20):
        await all_begun.wait()
    assert begun == ["a1", "a2", "b1", "c1", "a3", "a4"]


async def test_whoever_comes_alone_begins_at_once() -> None:
    turns, begun = Turns(rests=9.0), []
    turns.ask("a", lambda: begun.append("a"))
    assert begun == ["a"]


@pytest.mark.parametrize("rests", [1.0, 9.0])
async def test_a_flood_has_its_share_of_the_loops_time(rests: float) -> None:
    """Bounds from below: a slow machine makes what is measured larger."""
    number = round(2 * PAGE_S / HOLDS_S)
    turns, left, done = Turns(rests), iter(range(number)), asyncio.Event()

    def hold() -> None:
        time.sleep(HOLDS_S)
        if next(left, None) == number - 1:
            done.set()

    began = time.monotonic()
    for each in range(number):
        turns.ask(f"attacker-{each % 8}", hold)
    async with asyncio.timeout(60):
        await done.wait()
    took = time.monotonic() - began
    assert took >= number * HOLDS_S * 1.9, "after each the loop belongs to others for as long"
    if rests > 1.0:
        beyond = number * HOLDS_S - PAGE_S / (1 - 1 / (rests + 1))
        assert took >= beyond * rests


async def test_one_that_fails_takes_no_turn_from_others() -> None:
    turns, begun = Turns(rests=0.0), asyncio.Event()

    def fail() -> None:
        raise RuntimeError("a protocol's own fault")

    with pytest.raises(RuntimeError):
        turns.ask("a", fail)
    turns.ask("b", begun.set)
    async with asyncio.timeout(20):
        await begun.wait()


HEAD = b"POST /work HTTP/1.1\r\nHost: house\r\nContent-Length: 1\r\n\r\n"


async def one_after_the_other(port: int, number: int, late: bool) -> None:
    """Requests of one connection; `late`: the body comes when the head has been taken, else with the next head."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HEAD)
    for _ in range(number):
        if late:
            await asyncio.sleep(0.002)
            writer.write(b"x")
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(4)
        writer.write(HEAD if late else b"x" + HEAD)
    writer.close()


@pytest.mark.parametrize("late", [True, False], ids=["a body that comes late", "a head behind an answered body"])
async def test_no_way_of_asking_takes_more_than_the_share(late: bool) -> None:
    router = APIRouter()

    @router.post("/work")
    async def work(request: Request) -> int:
        if late:
            await request.body()
        time.sleep(HOLDS_S)  # noqa: ASYNC251 - it is to hold the loop
        return 1234

    app = FastAPI()
    app.include_router(router)
    rests, connections, each = 3.0, 8, 15
    async with serving(app, Doorway(turns=Turns(rests))) as server:
        began = time.monotonic()
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            for _ in range(connections):
                group.create_task(one_after_the_other(server.port, each, late))
    took = time.monotonic() - began
    beyond = connections * each * HOLDS_S - PAGE_S / (1 - 1 / (rests + 1))
    assert took >= beyond * rests


async def test_who_asked_in_time_is_answered_however_long_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not he who is slow: he is neither closed nor gives way to others."""
    monkeypatch.setattr("web.server.patience.HEAD_S", 0.05)
    app = FastAPI()

    @app.get("/work")
    async def work() -> int:
        time.sleep(HOLDS_S)  # noqa: ASYNC251 - it is to hold the loop
        return 1234

    async def ask(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /work HTTP/1.1\r\nHost: house\r\nConnection: close\r\n\r\n")
        return await reader.read()

    async with serving(app, Doorway(turns=Turns(9.0))) as server:
        async with asyncio.timeout(60):
            answers = await asyncio.gather(*(ask(server.port) for _ in range(60)))
    assert all(b" 200 " in answer for answer in answers)


async def test_whoever_waits_for_his_turn_too_long_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.server.patience.QUEUED_S", 0.05)
    turns = Turns(9.0)
    async with serving(FastAPI(), Doorway(turns=turns)) as server:
        for _ in range(4):
            turns.charge(PAGE_S)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: house\r\n\r\n")
        async with asyncio.timeout(20):
            assert (await reader.read()).startswith(b"HTTP/1.1 503 ")
        writer.close()

"""Answers remembered in memory: bounded, for a day, and not of what was refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from contract.texts import Text
from tests.web.servers import Clock
from web.asked import Body
from web.errors import Refusal, add_error_answers
from web.once import DAY_S, MemoryOnce, OnceRoute


class Said(Body):
    """A body."""

    word: str = ""


class OneUser:
    """`Sessions`, as far as remembering goes: who asks is in a header."""

    async def session_of(self, request: Any) -> Any:
        return None, type("User", (), {"id": request.headers.get("X-Who", "wang")})()


class Counting:
    """A server with one route, which counts how often it did something."""

    def __init__(self, **limits: int) -> None:
        self.done = 0
        self.refuse = False
        self.hold: asyncio.Event | None = None
        self.begun = asyncio.Event()
        self.clock = Clock()
        router = APIRouter(route_class=OnceRoute)

        @router.post("/api/things", status_code=201)
        async def make(body: Said) -> dict[str, int]:
            self.begun.set()
            if self.hold is not None:
                await self.hold.wait()
            if self.refuse:
                raise Refusal(409, "conflict", Text("不行", "no"))
            self.done += 1
            return {"made": self.done}

        self.app = FastAPI()
        self.app.state.once = MemoryOnce(OneUser(), lambda: self.clock.monotonic, **limits)  # type: ignore[arg-type]
        add_error_answers(self.app)
        self.app.include_router(router)

    async def post(
        self, client: httpx.AsyncClient, key: str = "k", who: str = "wang", word: str = ""
    ) -> httpx.Response:
        headers = {"Idempotency-Key": key, "X-Who": who}
        return await client.post("/api/things", json={"word": word}, headers=headers)


@asynccontextmanager
async def counting(**limits: int) -> AsyncIterator[tuple[Counting, Callable[..., Any]]]:
    server = Counting(**limits)
    transport = httpx.ASGITransport(server.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.example") as client:

        async def post(**asked: str) -> httpx.Response:
            return await server.post(client, **asked)

        yield server, post


async def test_a_twin_waits_for_the_first() -> None:
    async with counting() as (server, post):
        server.hold = asyncio.Event()
        twins = [asyncio.create_task(post()) for _ in range(3)]
        await server.begun.wait()
        server.hold.set()
        assert [answer.json() for answer in await asyncio.gather(*twins)] == [{"made": 1}] * 3


async def test_a_twin_of_what_was_refused_asks_for_itself() -> None:
    async with counting() as (server, post):
        server.refuse, server.hold = True, asyncio.Event()
        twins = [asyncio.create_task(post()) for _ in range(2)]
        await server.begun.wait()
        server.hold.set()
        assert [answer.status_code for answer in await asyncio.gather(*twins)] == [409, 409]
        server.refuse = False
        assert (await post()).status_code == 201


async def test_the_newest_of_each_account_are_remembered() -> None:
    async with counting(most=2) as (_, post):
        await post(who="li")
        for key in ("a", "b", "c"):
            await post(key=key)
        assert (await post(who="li")).headers["Idempotency-Replayed"] == "true"
        assert "Idempotency-Replayed" in (await post(key="c")).headers
        assert "Idempotency-Replayed" not in (await post(key="a")).headers


async def test_a_day_later_it_is_another_act() -> None:
    async with counting() as (server, post):
        await post()
        server.clock.sleep(DAY_S - 1)
        assert (await post()).json() == {"made": 1}
        server.clock.sleep(2)
        assert (await post()).json() == {"made": 2}


@pytest.mark.parametrize("key", ["", "x" * 129])
async def test_a_key_has_a_length(key: str) -> None:
    async with counting() as (_, post):
        answer = await post(key=key)
        assert (answer.status_code, list(answer.json()["error"]["fields"])) == (422, ["Idempotency-Key"])


async def test_other_words_are_another_request() -> None:
    async with counting() as (server, post):
        await post(word="a")
        assert (await post(word="b")).status_code == 422
        assert server.done == 1

"""Refusals and reads are told: the first at once, the rest of a minute as one, whoever floods."""

from __future__ import annotations

import asyncio
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends
from starlette.requests import Request

from contract.facts.people import RecordsRead, RequestRefused
from tests.web.servers import house
from web.session.sessions import Able, SignedInUser
from web.users import User
from web.witness import Told, Witness

router = APIRouter()


@router.get("/api/for-admins/{id}")
async def for_admins(id: str, user: Annotated[User, Depends(Able("changes.accounts"))]) -> str:
    return "ok"


@router.get("/api/people")
async def people(request: Request, user: SignedInUser) -> str:
    request.app.state.witness.read(request, user, "holders", None, records=3, id="h-1")
    return "ok"


class Book:
    """Where it is recorded."""

    def __init__(self, quiet_s: float = 3600) -> None:
        self.told: list[Told] = []
        self.witness = Witness(self.record, quiet_s=quiet_s)

    async def record(self, told: Told) -> None:
        self.told.append(told)


@pytest.fixture
def book() -> Book:
    return Book()


async def test_a_hundred_refusals_are_two_events(book: Book) -> None:
    place = house(routers=[router])
    place.app.state.on_forbidden = book.witness.refused
    await place.add("wang", "correct horse")
    token = (await place.sessions.sign_in("wang", "correct horse", "192.0.2.1")).token
    async with place.client(Authorization=f"Bearer {token}") as client:
        for number in range(100):
            assert (await client.get(f"/api/for-admins/{number}")).status_code == 403
        async with place.client() as stranger:
            assert (await stranger.get("/api/for-admins/1")).status_code == 401
    await book.witness.close()
    first, rest = book.told
    assert (first.kind, first.source, first.site) == ("request.refused", "id-wang", "a")
    assert isinstance(first.data, RequestRefused)
    assert isinstance(rest.data, RequestRefused)
    assert (first.data.request, first.data.times, rest.data.times) == ("GET /api/for-admins/{id}", 1, 99)
    assert (first.data.by.id, first.data.address) == ("id-wang", "192.0.2.7")


async def test_reads_are_summed_by_account_and_kind(book: Book) -> None:
    place = house(routers=[router])
    place.app.state.witness = book.witness
    tokens = []
    for name in ("wang", "song"):
        await place.add(name, "correct horse")
        tokens.append((await place.sessions.sign_in(name, "correct horse", "192.0.2.1")).token)
    for token in tokens:
        async with place.client(Authorization=f"Bearer {token}") as client:
            for _ in range(5):
                assert (await client.get("/api/people")).status_code == 200
    await book.witness.close()
    seen = [(told.source, told.data) for told in book.told]
    assert all(isinstance(data, RecordsRead) and data.ids == ["h-1"] for _, data in seen)
    counts = sorted((who, data.times, data.records) for who, data in seen if isinstance(data, RecordsRead))
    assert counts == [("id-song", 1, 3), ("id-song", 4, 12), ("id-wang", 1, 3), ("id-wang", 4, 12)]


async def test_the_rest_of_a_minute_is_told_at_its_end_and_then_it_is_quiet() -> None:
    book = Book(quiet_s=0.01)
    place = house(routers=[router])
    place.app.state.witness = book.witness
    await place.add("wang", "correct horse")
    token = (await place.sessions.sign_in("wang", "correct horse", "192.0.2.1")).token
    async with place.client(Authorization=f"Bearer {token}") as client:
        await client.get("/api/people")
        await client.get("/api/people")
    while book.witness._waiting:  # noqa: ASYNC110 - its timers have no event
        await asyncio.sleep(0.005)
    await book.witness.close()
    assert sum(told.data.times for told in book.told if isinstance(told.data, RecordsRead)) == 2


async def test_what_cannot_be_recorded_stops_nobody() -> None:
    async def full(told: Told) -> None:
        raise OSError("the disk is full")

    place = house(routers=[router])
    place.app.state.witness = witness = Witness(full)
    await place.add("wang", "correct horse")
    token = (await place.sessions.sign_in("wang", "correct horse", "192.0.2.1")).token
    async with place.client(Authorization=f"Bearer {token}") as client:
        assert (await client.get("/api/people")).status_code == 200
    await witness.close()

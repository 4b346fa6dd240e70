"""Requests that the database cannot answer: the person's fault, or only for the moment; never a bare 500."""

from __future__ import annotations

import httpx
import pytest
from sqlalchemy.exc import DBAPIError

from hub.app import Hub
from hub.database.transactions import Database
from hub.settings import Settings
from simulators.demo.programs import free_port
from tests.hub.office import office
from web.sealing import Seal


@pytest.mark.parametrize(
    "path",
    [
        "/api/readings?site=demo&point=pump-1.flow&to=0001-01-01T00:00:00Z",
        "/api/readings?site=demo&point=pump-1.flow&from=0001-01-01T00:00:00%2B14:00",
    ],
)
async def test_what_makes_no_sense_to_the_database_is_invalid(database: Database, path: str) -> None:
    async with office(database) as hub, hub.signed_in("root", "admin", "*") as client:
        answer = await client.get(path)
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "invalid"


@pytest.mark.parametrize(
    ("noun", "key"),
    [
        ("alarms", '[1,"x","y"]'),
        ("alarms", '[1,"2026-01-01T00:00:00","y"]'),
        ("alarms", '[99999999999,"2026-01-01T00:00:00Z","y"]'),
        ("tickets", '["x","y"]'),
        ("tickets", '[1,"y"]'),
        ("tickets", "{}"),
        ("holders", '["\\u0000","a","b"]'),
    ],
)
async def test_a_cursor_of_ours_that_makes_no_sense_is_invalid(database: Database, noun: str, key: str) -> None:
    """No server gives such a one, not even another version; the types are looked at all the same."""
    async with office(database) as hub, hub.signed_in("root", "admin", "*") as client:
        cursor = Seal(database.key, "cursor").seal(key)
        answer = await client.get(f"/api/{noun}", params={"cursor": cursor})
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "invalid"


async def test_while_postgresql_is_away_people_are_told_to_come_again() -> None:
    hub = Hub(Settings(f"postgresql://gatehouse@127.0.0.1:{free_port()}/gatehouse"))
    transport = httpx.ASGITransport(hub.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.example") as client:
        answer = await client.post("/api/session", json={"username": "wang", "password": "x"})
    await hub.database.close()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert answer.json()["error"]["code"] == "unavailable"


async def test_errors_do_not_repeat_what_was_sent(database: Database) -> None:
    with pytest.raises(DBAPIError) as found:
        async with database.transaction() as conn:
            await conn.exec_driver_sql("SELECT CAST($1 AS text)", ("\x00 a hash",))
    assert "a hash" not in str(found.value)

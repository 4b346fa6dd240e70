"""Who may accept work that no device vouches for: by the accounts as they are now, read once."""

from __future__ import annotations

from sqlalchemy import event as sqlalchemy_event

from hub.database.transactions import Database
from tests.hub.office import office


async def test_who_else_could_accept_is_read_once_for_all_that_waits(database: Database) -> None:
    read: list[str] = []
    async with (
        office(database) as hub,
        hub.signed_in("song", "maintenance") as song,
        hub.signed_in("mei", "manager") as mei,
    ):

        def listen(_conn: object, _cursor: object, statement: str, *_: object) -> None:
            if "FROM accounts" in statement and "accounts.role IN" in statement:
                read.append(statement)

        async def listed() -> int:
            read.clear()
            assert (await mei.get("/api/tickets")).status_code == 200
            return len(read)

        body = {"site": "demo", "title": "路灯不亮"}
        paths = [f"/api/tickets/{(await mei.post('/api/tickets', json=body)).json()['id']}" for _ in range(3)]
        sqlalchemy_event.listen(database.engine.sync_engine, "before_cursor_execute", listen)
        assert await listed() == 0
        for path in paths:
            await song.post(f"{path}/take")
        assert await listed() == 0
        for path in paths:
            await song.post(f"{path}/finish")
        assert await listed() == 1
        for path in paths:
            assert (await mei.post(f"{path}/accept")).json()["state"] == "closed"
        assert await listed() == 0


async def test_whoever_answers_for_the_site_now_is_told_that_they_may_accept(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("song", "maintenance") as song:
        body = {"site": "demo", "title": "路灯不亮"}
        path = f"/api/tickets/{(await song.post('/api/tickets', json=body)).json()['id']}"
        for step in ("take", "finish"):
            await song.post(f"{path}/{step}")
        # He did it as a technician, and is the only manager now: the record of then says nothing of that.
        async with database.transaction() as conn:
            await conn.exec_driver_sql("UPDATE accounts SET role = 'manager' WHERE username = 'song'")
        assert "accept" in (await song.get(path)).json()["can"]
        assert "accept" in (await song.get("/api/tickets")).json()["items"][0]["can"]
        await hub.account("mei", "manager", "demo")
        assert "accept" not in (await song.get(path)).json()["can"]
        assert (await song.post(f"{path}/accept")).json()["error"]["code"] == "ticket_own"
        async with database.transaction() as conn:
            await conn.exec_driver_sql("UPDATE accounts SET sites = '[\"north\"]' WHERE username = 'mei'")
        assert (await song.post(f"{path}/accept")).json()["state"] == "closed"

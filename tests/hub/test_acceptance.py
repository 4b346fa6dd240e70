"""Who may accept work that no device vouches for: never whoever had a hand in it, whatever they are by now."""

from __future__ import annotations

from hub.database.transactions import Database
from tests.hub.office import office


async def test_who_did_it_never_accepts_it_whatever_they_are_by_now(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("song", "maintenance") as song:
        body = {"site": "demo", "title": "路灯不亮"}
        path = f"/api/tickets/{(await song.post('/api/tickets', json=body)).json()['id']}"
        for step in ("take", "finish"):
            await song.post(f"{path}/{step}")
        # He did it as a technician, and is the only one now who answers for the site.
        async with database.transaction() as conn:
            await conn.exec_driver_sql("UPDATE accounts SET role = 'manager' WHERE username = 'song'")
        assert "accept" not in (await song.get(path)).json()["can"]
        assert "accept" not in (await song.get("/api/tickets")).json()["items"][0]["can"]
        assert (await song.post(f"{path}/accept")).json()["error"]["code"] == "ticket_own"
        async with hub.signed_in("mei", "manager") as mei:
            assert "accept" in (await mei.get(path)).json()["can"]
            assert (await mei.post(f"{path}/accept")).json()["state"] == "closed"

"""Whatever a signed-in person's program sends, the hub answers with words, never with 5xx."""

from __future__ import annotations

import pytest

from hub.database.transactions import Database
from tests.hub.office import office
from tests.web.hostile import EACH, SEEDS, answers, report


@pytest.mark.parametrize("seed", SEEDS)
async def test_no_request_breaks_the_hub(database: Database, seed: int) -> None:
    async with office(database) as hub:
        alarm = await hub.raise_alarm(ticket=True)
        await hub.account("root", "admin", "*")
        other = await hub.account("wang", "guard", "demo")
        known = ["demo", "lobby-a", "gate-in", "pump-1.flow", "always", "04A1B2C3D4E5F6", "沪A12345", alarm, other]
        async with hub.client("root") as client:

            async def sign_in() -> None:
                client.headers["Authorization"] = f"Bearer {await hub.token('root')}"

            found = [one async for one in answers(hub.app, client, sign_in, seed=seed, known=known)]
            # The session has survived all of it, or the rest was asked by nobody.
            assert (await client.get("/api/session")).status_code == 200
        assert not any(one.broken for one in found), report(found, seed)
        # They came past the door: not all were strangers' requests, and some were taken.
        assert sum(one.status == 401 for one in found) <= 2 * EACH
        assert sum(one.status < 300 for one in found) > len(found) // 20

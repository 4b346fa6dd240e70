"""A gateway that stays away: its alarm rings here, and ends when it is back."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from hub.database.transactions import Database
from hub.ingest.away import AWAY, AWAY_S
from hub.jobs.job import Again, Done, Work
from tests.hub.senders import Journal, Sent, enrolled, rows
from tests.hub.test_gateways import heard, presence_of


async def alarms(database: Database) -> list[tuple[object, ...]]:
    return list(await rows(database, "SELECT rule, source, state, severity FROM alarms WHERE gateway = ''"))


async def looked(database: Database) -> object:
    return await AWAY.work(Work(database=database, now=datetime.now(UTC)))


async def test_it_rings_after_a_while_and_ends_when_the_gateway_is_back(database: Database) -> None:
    for gateway in ("gw-1", "gw-2", "gw-3"):  # the third was never heard of: it is not lost
        await enrolled(database, gateway)
    gateways, now = presence_of(database, Sent()), int(time.time() * 1000)
    ago = now - int(AWAY_S * 1000) - 1000
    for gateway, at_ms in (("gw-1", ago), ("gw-2", now)):
        await gateways.seen(heard(Journal(gateway).presence(at_ms=at_ms), at_ms, gateway))
    assert await looked(database) == Done()
    for gateway in ("gw-1", "gw-2"):
        await gateways.lost(gateway, "last will")
    assert await rows(database, "SELECT due_at > now() FROM jobs WHERE name = 'gateways.away'") == [(True,)]

    # The second may only be restarting: it has some seconds left.
    again = await looked(database)
    assert isinstance(again, Again) and 0 < again.in_s <= AWAY_S + 1
    assert await alarms(database) == [("gateway.lost", "gw-1", "active", "major")]
    await looked(database)
    assert len(await alarms(database)) == 1

    await gateways.seen(heard(Journal("gw-1").presence("alive", at_ms=now + 1), now + 1, "gw-1"))
    assert await alarms(database) == [("gateway.lost", "gw-1", "cleared", "major")]
    assert isinstance(await looked(database), Again)

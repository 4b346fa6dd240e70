"""What events make of tickets: gateways raise them, a cleared alarm closes what is done."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from contract.kinds import AlarmCleared, TicketRaised
from hub.events.stored import Projection, StoredEvent
from hub.orm import session_on
from hub.tickets import service


async def on_raised(conn: AsyncConnection, event: StoredEvent) -> None:
    """A gateway raised a ticket."""
    data = event.typed()
    assert isinstance(data, TicketRaised)
    async with session_on(conn) as session:
        await service.raised(session, event, data)


async def on_cleared(conn: AsyncConnection, event: StoredEvent) -> None:
    """A device is back to normal."""
    data = event.typed()
    assert isinstance(data, AlarmCleared)
    async with session_on(conn) as session:
        await service.close_done(session, data.alarm)


PROJECTIONS: dict[str, Projection] = {"ticket.raised": on_raised, "alarm.cleared": on_cleared}
"""To be run after those of the alarms."""

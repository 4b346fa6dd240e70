"""What events make of tickets: gateways raise them, a cleared alarm closes what is done."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from contract.facts.alarms import AlarmCleared, AlarmRaised, TicketRaised
from contract.standing import AlarmsStated, AlarmStanding, TicketStanding
from hub.database.event import Projection, StoredEvent
from hub.database.orm import session_on
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
        await service.tell_of(session, data.alarm)


async def on_alarm(conn: AsyncConnection, event: StoredEvent) -> None:
    """An alarm begins, or is back before anybody saw that it was gone: its ticket says no more that it is over."""
    data = event.typed()
    assert isinstance(data, AlarmRaised)
    async with session_on(conn) as session:
        await service.tell_of(session, data.alarm)


async def on_stated(conn: AsyncConnection, event: StoredEvent) -> None:
    """A gateway said which alarms stand: tickets never heard of are opened, and done work is closed if it may be."""
    data = event.typed()
    assert isinstance(data, AlarmsStated)
    async with session_on(conn) as session:
        for alarm in data.alarms:
            if alarm.ticket is not None:
                await service.raised(session, event, _raised(alarm, alarm.ticket))
        await service.close_over(session, event.site or "")


def _raised(alarm: AlarmStanding, ticket: TicketStanding) -> TicketRaised:
    return TicketRaised(
        ticket=ticket.ticket,
        alarm=alarm.alarm,
        cause=alarm.rule,
        asset=alarm.asset,
        severity=alarm.severity,
        title=ticket.title,
        place=ticket.place,
        response=alarm.response,
    )


PROJECTIONS: dict[str, Projection] = {
    "ticket.raised": on_raised,
    "alarm.raised": on_alarm,
    "alarm.cleared": on_cleared,
    "alarms.stated": on_stated,
}
"""To be run after those of the alarms."""

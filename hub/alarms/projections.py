"""What `alarm.*` events make of the alarms."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from contract.kinds import AlarmAcknowledged, AlarmCleared, AlarmRaised, AlarmShelved, AlarmUnshelved
from hub.alarms import service
from hub.db import outcome
from hub.events.stored import Projection, StoredEvent
from hub.orm import session_on


async def on_alarm(conn: AsyncConnection, event: StoredEvent) -> None:
    """One event of one alarm."""
    data = event.typed()
    async with session_on(conn) as session:
        match data:
            case AlarmRaised():
                row = await service.raise_alarm(session, event, data)
            case AlarmCleared() | AlarmAcknowledged() | AlarmShelved() | AlarmUnshelved():
                row = await service.change_alarm(session, event, data)
            case _:
                raise TypeError(f"{event.kind} is no event of an alarm")
        item = service.item_of(row)
    outcome(conn).state({"kind": "alarm", **item})


PROJECTIONS: dict[str, Projection] = dict.fromkeys(
    ("alarm.raised", "alarm.cleared", "alarm.acknowledged", "alarm.shelved", "alarm.unshelved"), on_alarm
)

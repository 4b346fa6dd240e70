"""What `alarm.*` events make of the alarms."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from contract.facts.alarms import AlarmAcknowledged, AlarmCleared, AlarmRaised, AlarmShelved, AlarmUnshelved
from contract.standing import AlarmsStated
from hub.alarms import service, standing
from hub.database.event import Projection, StoredEvent
from hub.database.orm import session_on
from hub.database.transactions import outcome


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


async def on_stated(conn: AsyncConnection, event: StoredEvent) -> None:
    """What a gateway says that stands."""
    data = event.typed()
    assert isinstance(data, AlarmsStated)
    async with session_on(conn) as session:
        changed = [service.item_of(row) for row in await standing.reconcile(session, event, data)]
    for item in changed:
        outcome(conn).state({"kind": "alarm", **item})


PROJECTIONS: dict[str, Projection] = {
    **dict.fromkeys(
        ("alarm.raised", "alarm.cleared", "alarm.acknowledged", "alarm.shelved", "alarm.unshelved"), on_alarm
    ),
    "alarms.stated": on_stated,
}

"""Makes the alarms of a site equal to what its gateway says that stands: what is unknown there ends, what lacks comes.

Alarms and their gateways part when either side loses records: an older journal put back, a journal begun anew, a hub
restored from a backup, a gateway replaced by another. Afterwards nobody would ever clear what only the hub has.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from contract.facts.alarms import AlarmForgotten
from contract.instants import Instant
from contract.standing import AlarmsStated, AlarmStanding
from contract.texts import Text
from hub.alarms.models import AlarmRow
from hub.alarms.service import CLOSED_FROM, person_of, ranked, text_of
from hub.database.event import StoredEvent, latest, to_datetime
from hub.database.transactions import connection
from hub.events import stream
from hub.gateways.service import gateway_of

FORGOTTEN = Text("网关已没有这条告警的记录，由总控台结束", "its gateway does not know it any more; the hub closed it")


async def reconcile(session: AsyncSession, event: StoredEvent, stated: AlarmsStated) -> list[AlarmRow]:
    """Bring the alarms in the range up to what the gateway stated; the rows that changed.

    Alarms that the hub itself raised (they have no gateway) are not a gateway's to end.
    """
    held = {row.id: row for row in await _held(session, event, stated)}
    changed: list[AlarmRow] = []
    for standing in stated.alarms:
        row = held.pop(standing.alarm, None) or await session.get(AlarmRow, standing.alarm)
        if row is not None and (row.site != event.site or not row.gateway):
            raise ValueError(f"alarm {standing.alarm} is not of gateway {event.gateway}")
        if row is None:
            row = AlarmRow(id=standing.alarm, site=event.site or "", **_fields(event, standing), rank=0)
        elif not _take_over(row, _fields(event, standing)):
            continue
        changed.append(ranked(session, row))
    for row in held.values():
        await _forget(session, row, event)
        changed.append(row)
    return changed


async def _held(session: AsyncSession, event: StoredEvent, stated: AlarmsStated) -> Sequence[AlarmRow]:
    """The open alarms that the statement is about: of its gateway, and of those that it replaces."""
    query = select(AlarmRow).where(AlarmRow.site == event.site, AlarmRow.rank < CLOSED_FROM, AlarmRow.gateway != "")
    query = query.where(col(AlarmRow.id) > stated.after)
    if stated.upto is not None:
        query = query.where(col(AlarmRow.id) <= stated.upto)
    if await gateway_of(await connection(session), event.site or "") != event.gateway:
        query = query.where(AlarmRow.gateway == event.gateway)
    return (await session.exec(query)).all()


def _fields(event: StoredEvent, standing: AlarmStanding) -> dict[str, Any]:
    return {
        "gateway": event.gateway or "",
        "rule": standing.rule,
        "source": standing.source,
        "asset": standing.asset,
        "severity": standing.severity,
        "state": standing.state,
        "message": text_of(standing.message),
        "response": None if standing.response is None else text_of(standing.response),
        "values": dict(standing.values),
        "raised_at": _past(event, standing.raised_at),
        "cleared_at": _past(event, standing.cleared_at),
        "acknowledged_at": _past(event, standing.acknowledged_at),
        "acknowledged_by": None if standing.acknowledged_by is None else person_of(standing.acknowledged_by),
        "shelved_until": None if standing.shelved_until is None else to_datetime(standing.shelved_until),
        "note": standing.note[:500],
    }


def _take_over(row: AlarmRow, fields: dict[str, Any]) -> bool:
    """Set what differs; whether anything did. When it was raised the hub has held since then."""
    differing = {name: value for name, value in fields.items() if name != "raised_at" and getattr(row, name) != value}
    for name, value in differing.items():
        setattr(row, name, value)
    return bool(differing)


async def _forget(session: AsyncSession, row: AlarmRow, event: StoredEvent) -> None:
    row.state = "closed"
    row.cleared_at = row.cleared_at or event.when
    row.shelved_until = None
    ranked(session, row)
    data = AlarmForgotten(alarm=row.id, rule=row.rule, why=FORGOTTEN)
    await stream.record(await connection(session), "alarm.forgotten", row.source, data, site=row.site)


def _past(event: StoredEvent, at: Instant | None) -> datetime | None:
    """What has happened when the hub hears of it happened no later than that."""
    return None if at is None else min(to_datetime(at), latest(event.received))

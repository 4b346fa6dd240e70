"""Makes the alarms of a site equal to what its gateway says that stands: what is unknown there ends, what lacks comes.

Alarms and their gateways part when either side loses records: an older journal put back, a journal begun anew, a hub
restored from a backup, a gateway replaced by another. Afterwards nobody would ever clear what only the hub has.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from contract.facts.alarms import AlarmForgotten
from contract.standing import AlarmsStated, AlarmStanding
from contract.texts import Text
from hub.alarms.models import AlarmRow
from hub.alarms.service import CLOSED_FROM, begin, episode_of, keep, unix_ms
from hub.database.event import StoredEvent, latest
from hub.database.transactions import connection
from hub.events import stream
from hub.gateways.service import gateway_of
from rules.alarms.episode import Episode, after, stated

FORGOTTEN = Text("网关已没有这条告警的记录，由总控台结束", "its gateway does not know it any more; the hub closed it")


async def reconcile(session: AsyncSession, event: StoredEvent, said: AlarmsStated) -> list[AlarmRow]:
    """Bring the alarms in the range up to what the gateway stated; the rows that changed.

    Alarms that the hub itself raised (they have no gateway) are not a gateway's to end.
    """
    held = {row.id: row for row in await _held(session, event, said)}
    changed: list[AlarmRow] = []
    for standing in said.alarms:
        row = held.pop(standing.alarm, None) or await session.get(AlarmRow, standing.alarm)
        if row is not None and (row.site != event.site or not row.gateway):
            raise ValueError(f"alarm {standing.alarm} is not of gateway {event.gateway}")
        episode = _heard(event, standing)
        if row is None:
            changed.append(begin(session, event, episode))
            continue
        # When it was raised the hub has held since then.
        known = episode_of(row)
        episode = replace(episode, raised_at=known.raised_at)
        if episode != known or row.gateway != event.gateway:
            row.gateway = event.gateway or ""
            changed.append(keep(session, row, episode))
    for row in held.values():
        changed.append(await _forget(session, row, event))
    return changed


async def _held(session: AsyncSession, event: StoredEvent, said: AlarmsStated) -> Sequence[AlarmRow]:
    """The open alarms that the statement is about: of its gateway, and of those that it replaces."""
    query = select(AlarmRow).where(AlarmRow.site == event.site, AlarmRow.rank < CLOSED_FROM, AlarmRow.gateway != "")
    query = query.where(col(AlarmRow.id) > said.after)
    if said.upto is not None:
        query = query.where(col(AlarmRow.id) <= said.upto)
    if await gateway_of(await connection(session), event.site or "") != event.gateway:
        query = query.where(AlarmRow.gateway == event.gateway)
    return (await session.exec(query)).all()


def _heard(event: StoredEvent, standing: AlarmStanding) -> Episode:
    """The episode as the gateway tells it: what has happened when the hub hears of it happened no later than that."""
    episode = stated(standing)
    heard = unix_ms(latest(event.received))
    return replace(
        episode,
        raised_at=min(episode.raised_at, heard),
        cleared_at=None if episode.cleared_at is None else min(episode.cleared_at, heard),
        acknowledged_at=None if episode.acknowledged_at is None else min(episode.acknowledged_at, heard),
    )


async def _forget(session: AsyncSession, row: AlarmRow, event: StoredEvent) -> AlarmRow:
    data = AlarmForgotten(alarm=row.id, rule=row.rule, why=FORGOTTEN)
    await stream.record(await connection(session), "alarm.forgotten", row.source, data, site=row.site)
    return keep(session, row, after(episode_of(row), data, unix_ms(event.when)))

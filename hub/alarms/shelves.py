"""Ends the shelf times of own alarms when they are over. Those of gateways end at their gateways."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text

from contract.facts.alarms import AlarmUnshelved
from contract.texts import Text
from hub.alarms.own import SHELVES, tell
from hub.database.transactions import Database
from hub.jobs.job import Again, Done, Job, Result, Retry, Work

_NEXT = text("SELECT min(shelved_until) FROM alarms WHERE gateway = '' AND state = 'shelved'")
_OVER = text(
    "SELECT id, site, source FROM alarms WHERE gateway = '' AND state = 'shelved' AND shelved_until <= :now ORDER BY id"
)


async def end_shelves(database: Database, now: datetime) -> float | None:
    """End what is over at `now`; seconds until the next one, None if there is none."""
    async with database.transaction() as conn:
        due = (await conn.execute(_NEXT)).scalar_one()
    if due is not None and due <= now:
        async with database.transaction(writes=True) as conn:
            for row in (await conn.execute(_OVER, {"now": now})).all():
                await tell(conn, "alarm.unshelved", row.site, row.source, AlarmUnshelved(alarm=row.id))
            due = (await conn.execute(_NEXT)).scalar_one()
    return None if due is None else max((due - now).total_seconds(), 0.05)


async def _end(work: Work) -> Result:
    wait_s = await end_shelves(work.database, work.now)
    return Done() if wait_s is None else Again(wait_s)


JOB = Job(
    name=SHELVES,
    text=Text("恢复暂停到期的告警提醒", "Wake alarms whose snooze is over"),
    work=_end,
    lease_s=10,
    retry=Retry(first_s=2, most_s=60, times=None),
)
"""Never given up: a fault would stay out of sight."""

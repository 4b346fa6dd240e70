"""Keeps the accounts' copies at the gateways from running out, and forgets sessions that nobody uses."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from contract.texts import Text
from hub.accounts import service
from hub.accounts.copies import COPY_LIVES
from hub.database.transactions import Database
from hub.jobs.job import Again, Job, Retry, Work

log = structlog.get_logger(__name__)

LONGEST_WAIT = min(COPY_LIVES.values()) / 4
"""An account that was opened meanwhile is renewed with at least this much of its first copy's life left."""

SESSION_IDLE = timedelta(days=7)
"""A session that nobody used for so long is forgotten."""


async def renew(database: Database, now: datetime, session_idle: timedelta) -> float:
    """Prolong what is due at `now`; seconds until the next time."""
    async with database.session(writes=True) as session:
        count = await service.renew_copies(session, now)
        await service.drop_old_sessions(session, now - session_idle)
        due = await service.next_renewal(session)
    if count:
        log.info("accounts.renewed", count=count)
    wait = LONGEST_WAIT if due is None else min(max(due - now, timedelta(minutes=1)), LONGEST_WAIT)
    return wait.total_seconds()


async def _renew(work: Work) -> Again:
    return Again(await renew(work.database, work.now, SESSION_IDLE))


RENEWAL = Job(
    name="accounts.renew",
    text=Text("续期网关上的账号副本", "Renew the accounts' copies at the gateways"),
    work=_renew,
    retry=Retry(first_s=60, most_s=600, times=None),
)
"""Never given up: without it nobody could sign in at a gateway that is alone."""

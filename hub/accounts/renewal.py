"""Keeps the accounts' copies at the gateways from running out, and forgets sessions that nobody uses."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import structlog

from hub.accounts import service
from hub.accounts.copies import COPY_LIVES
from hub.database.failures import passes
from hub.database.transactions import Database

log = structlog.get_logger(__name__)

LONGEST_WAIT = min(COPY_LIVES.values()) / 4
"""An account that was opened meanwhile is renewed with at least this much of its first copy's life left."""
RETRY_S = 60.0


async def run(database: Database, *, session_idle: timedelta = timedelta(days=7)) -> None:
    """Until cancelled: sleep until the next copy is due, at most a few hours, and prolong what is due."""
    while True:
        try:
            wait_s = await renew(database, datetime.now(UTC), session_idle)
        except Exception as error:
            if not passes(error):
                log.exception("accounts.not_renewed")
            wait_s = RETRY_S
        await asyncio.sleep(wait_s)


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

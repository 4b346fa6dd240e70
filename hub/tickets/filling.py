"""What tickets are found by that do not say it: of before the column, and what a hub of before opens or passes on.

The newest first, in bounded steps; an index holds those that are left: a start finds at once that there are none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import String, literal_column, text
from sqlalchemy import select as sa_select
from sqlmodel import col

from contract.texts import Text
from hub.database.rows import StatementRow
from hub.database.transactions import Database
from hub.jobs.job import Again, Done, Job, Result, Work
from hub.tickets.models import UNSAID, TicketRow
from hub.tickets.words import UNKNOWN, Called, called_at, words_of

STEP = 200
"""Tickets of one transaction, which keeps writers of the history waiting."""

PAUSE_S = 0.1
"""Between two: gateways have their turn."""

STEPS = 50
"""Of one run; layouts are read once in it."""

_WHO = "coalesce(assignee ->> 'name', '')"
_UNSAID = (
    sa_select(
        *(col(field) for field in (TicketRow.id, TicketRow.site, TicketRow.asset, TicketRow.place, TicketRow.title)),
        literal_column(_WHO, String).label("who"),
    )
    .where(text(UNSAID))
    .order_by(col(TicketRow.raised_at).desc(), col(TicketRow.id))
)
# One that has passed on meanwhile comes once more.
_SAY = text(f"UPDATE tickets SET found_by = :found_by WHERE id = :id AND {_WHO} = :who")


async def fill(database: Database, most: int = STEP, steps: int = STEPS) -> int:
    """Say it of at most `steps` times `most` tickets, with others' turns between the steps; of how many it was said.

    Fewer than that: there are no more.
    """
    known: dict[str, Called] = {}
    count = 0
    for _ in range(steps):
        async with database.transaction() as conn:
            rows = (await conn.execute(_UNSAID.limit(most))).all()
            known |= await called_at(conn, {row.site for row in rows} - set(known))
        if not rows:
            break
        said = await asyncio.to_thread(_said, cast("Sequence[StatementRow]", rows), known)
        async with database.transaction(writes=True) as conn:
            await conn.execute(_SAY, said)
        count += len(rows)
        if len(rows) < most:
            break
        await asyncio.sleep(PAUSE_S)
    return count


def _said(rows: Sequence[StatementRow], known: Mapping[str, Called]) -> list[dict[str, str]]:
    return [
        {
            "id": row.id,
            "who": row.who,
            "found_by": words_of(row.title, row.place, row.asset, row.who, known.get(row.site, UNKNOWN)),
        }
        for row in rows
    ]


async def _fill(work: Work) -> Result:
    filled = await fill(work.database, STEP, STEPS)
    return Done() if filled < STEP * STEPS else Again(PAUSE_S, f"{filled} tickets were filled in; there are more")


def _hourly(now: datetime) -> datetime:
    return now + timedelta(hours=1)


JOB = Job(
    name="tickets.fill",
    text=Text("整理工单的查找词", "Say by which words tickets are found"),
    work=_fill,
    schedule=_hourly,
)
"""When a hub starts, and hourly: another of before may go on beside it."""

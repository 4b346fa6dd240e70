"""Tickets as REST and the live stream give them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.tickets.models import TicketRow, TicketStepRow
from web import shapes
from web.moments import written

SHORT = 40
"""Values around the fault that lists and screens show: the whole is long."""


async def items_of(session: AsyncSession, rows: Sequence[TicketRow], *, history: bool = False) -> list[shapes.Ticket]:
    """Tickets with their steps. All values around the fault come with `history` only, otherwise the last of them."""
    steps = await _steps(session, [row.id for row in rows])
    return [_item(row, steps.get(row.id, []), history) for row in rows]


async def item_of(session: AsyncSession, row: TicketRow, *, history: bool = False) -> shapes.Ticket:
    """One ticket with its steps."""
    return (await items_of(session, [row], history=history))[0]


async def _steps(session: AsyncSession, tickets: Sequence[str]) -> dict[str, list[shapes.TicketStep]]:
    await session.flush()
    query = select(TicketStepRow).where(col(TicketStepRow.ticket).in_(tickets)).order_by(col(TicketStepRow.id))
    found: dict[str, list[shapes.TicketStep]] = {}
    for row in (await session.exec(query)).all():
        step: shapes.TicketStep = {"at": written(row.at), "by": row.by, "step": row.step, "text": row.text}
        found.setdefault(row.ticket, []).append(step)
    return found


def _item(row: TicketRow, steps: list[shapes.TicketStep], history: bool) -> shapes.Ticket:
    return {
        "id": row.id,
        "site": row.site,
        "number": row.number,
        "alarm": row.alarm,
        "asset": row.asset,
        "cause": row.cause,
        "severity": row.severity,
        "title": row.title,
        "response": row.response,
        "place": row.place,
        "state": row.state,
        "assignee": row.assignee,
        "raised_at": written(row.raised_at),
        "updated_at": written(row.updated_at),
        "closed_at": None if row.closed_at is None else written(row.closed_at),
        "count": row.count,
        "history": row.history if history else row.history[-SHORT:],
        "steps": steps,
    }

"""Tickets as the hub holds them, and who had to do with them: what REST and the live stream give is made of that."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.accounts.models import AccountRow
from hub.accounts.schemas import user_of
from hub.tickets.models import TicketRow, TicketStepRow
from rules.tickets.steps import ANSWERING, Involved
from web import shapes
from web.moments import written

SHORT = 40
"""Values around the fault that lists and screens show: the whole is long."""


async def items_of(
    session: AsyncSession, rows: Sequence[TicketRow], *, history: bool = False
) -> list[shapes.TicketHeld]:
    """Tickets with their steps. All values around the fault come with `history` only, otherwise the last of them."""
    steps = await _steps(session, [row.id for row in rows])
    return [_item(row, steps[row.id], await _involved(session, row, steps[row.id]), history) for row in rows]


async def item_of(session: AsyncSession, row: TicketRow, *, history: bool = False) -> shapes.TicketHeld:
    """One ticket with its steps."""
    return (await items_of(session, [row], history=history))[0]


async def involved(session: AsyncSession, row: TicketRow) -> Involved | None:
    """Who had to do with a ticket's work; None where a device vouches for it."""
    return None if row.alarm is not None else await _involved(session, row, (await _steps(session, [row.id]))[row.id])


async def nobody_else(session: AsyncSession, site: str, who: Involved) -> bool:
    """Whether nobody who did not do the work could accept it."""
    query = select(AccountRow).where(
        col(AccountRow.active),
        col(AccountRow.id).not_in(who.did_it),
        (col(AccountRow.id) == who.asked_for) | col(AccountRow.role).in_(ANSWERING),
    )
    return not any(user_of(account).may_see(site) for account in (await session.exec(query)).all())


async def _steps(session: AsyncSession, tickets: Sequence[str]) -> dict[str, list[TicketStepRow]]:
    """By ticket, the oldest first."""
    await session.flush()
    query = select(TicketStepRow).where(col(TicketStepRow.ticket).in_(tickets)).order_by(col(TicketStepRow.id))
    found: dict[str, list[TicketStepRow]] = {ticket: [] for ticket in tickets}
    for row in (await session.exec(query)).all():
        found[row.ticket].append(row)
    return found


async def _involved(session: AsyncSession, row: TicketRow, steps: Sequence[TicketStepRow]) -> Involved | None:
    """Whoever else there is is asked only where that decides: who answers for the site did the work, and it waits."""
    if row.alarm is not None:
        return None
    whose = {step.step: step.by for step in steps if step.by is not None}
    opened, doers = whose.get("opened"), [each for each in (row.assignee, whose.get("finished")) if each is not None]
    who = Involved(None if opened is None else opened["id"], frozenset(each["id"] for each in doers))
    if row.state != "done" or not any(each["role"] in ANSWERING for each in doers):
        return who
    return who._replace(nobody_else=await nobody_else(session, row.site, who))


def _item(
    row: TicketRow, steps: Sequence[TicketStepRow], involved: Involved | None, history: bool
) -> shapes.TicketHeld:
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
        "steps": [{"at": written(step.at), "by": step.by, "step": step.step, "text": step.text} for step in steps],
        "involved": None if involved is None else shapes.involved_of(involved),
    }

"""Tickets as the hub holds them, and who had to do with them: what REST and the live stream give is made of that."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.accounts.models import AccountRow
from hub.accounts.schemas import user_of
from hub.alarms.models import AlarmRow
from hub.tickets.models import TicketRow, TicketStepRow
from rules.tickets.steps import ANSWERING, Involved
from web import shapes
from web.moments import written
from web.users import User

SHORT = 40
"""Values around the fault that lists and screens show: the whole is long."""


async def items_of(
    session: AsyncSession, rows: Sequence[TicketRow], *, history: bool = False
) -> list[shapes.TicketHeld]:
    """Tickets with their steps. All values around the fault come with `history` only, otherwise the last of them."""
    steps = await _steps(session, [row.id for row in rows])
    involved = await _involved(session, rows, steps)
    recovered = await _recovered(session, rows)
    return [_item(row, steps[row.id], involved.get(row.id), recovered.get(row.alarm or ""), history) for row in rows]


async def item_of(session: AsyncSession, row: TicketRow, *, history: bool = False) -> shapes.TicketHeld:
    """One ticket with its steps."""
    return (await items_of(session, [row], history=history))[0]


async def involved(session: AsyncSession, row: TicketRow) -> Involved | None:
    """Who had to do with a ticket's work; None where a device vouches for it."""
    if row.alarm is not None:
        return None
    return (await _involved(session, [row], await _steps(session, [row.id])))[row.id]


async def _steps(session: AsyncSession, tickets: Sequence[str]) -> dict[str, list[TicketStepRow]]:
    """By ticket, the oldest first."""
    await session.flush()
    query = select(TicketStepRow).where(col(TicketStepRow.ticket).in_(tickets)).order_by(col(TicketStepRow.id))
    found: dict[str, list[TicketStepRow]] = {ticket: [] for ticket in tickets}
    for row in (await session.exec(query)).all():
        found[row.ticket].append(row)
    return found


async def _recovered(session: AsyncSession, rows: Sequence[TicketRow]) -> dict[str, datetime]:
    """By alarm, of those that are over: since when."""
    alarms = {row.alarm for row in rows if row.alarm is not None}
    if not alarms:
        return {}
    query = select(AlarmRow.id, AlarmRow.cleared_at).where(col(AlarmRow.id).in_(alarms))
    return {alarm: at for alarm, at in (await session.exec(query)).all() if at is not None}


async def _involved(
    session: AsyncSession, rows: Sequence[TicketRow], steps: Mapping[str, Sequence[TicketStepRow]]
) -> dict[str, Involved]:
    """By ticket, of those that no device vouches for. Where work waits, by the roles that people have now.

    An account that changes moves no ticket: screens hear of it with the ticket's next step, a request knows at once.
    """
    found = {row.id: _who(row, steps[row.id]) for row in rows if row.alarm is None}
    waiting = [row for row in rows if row.id in found and row.state == "done"]
    if waiting:
        users = await _accepting(session, {found[row.id].asked_for for row in waiting})
        for row in waiting:
            who = found[row.id]
            found[row.id] = who._replace(nobody_else=not any(_could_accept(user, row.site, who) for user in users))
    return found


def _who(row: TicketRow, steps: Sequence[TicketStepRow]) -> Involved:
    whose = {step.step: step.by for step in steps if step.by is not None}
    opened, doers = whose.get("opened"), [each for each in (row.assignee, whose.get("finished")) if each is not None]
    return Involved(None if opened is None else opened["id"], frozenset(each["id"] for each in doers))


async def _accepting(session: AsyncSession, asked_for: Collection[str | None]) -> list[User]:
    """Who answers for a site, and these who asked for work: in one read for all tickets."""
    query = select(AccountRow).where(
        col(AccountRow.active), col(AccountRow.role).in_(ANSWERING) | col(AccountRow.id).in_(asked_for)
    )
    return [user_of(account) for account in (await session.exec(query)).all()]


def _could_accept(user: User, site: str, who: Involved) -> bool:
    """Whether they could accept work that they did not do."""
    theirs = user.role in ANSWERING or user.id == who.asked_for
    return theirs and user.id not in who.did_it and user.may_see(site)


def _item(
    row: TicketRow, steps: Sequence[TicketStepRow], involved: Involved | None, recovered: datetime | None, history: bool
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
        "recovered_at": None if recovered is None else written(recovered),
        "count": row.count,
        "history": row.history if history else row.history[-SHORT:],
        "first_history": row.first_history if history else None,
        "steps": [
            {
                "at": written(step.at),
                "by": step.by,
                "step": step.step,
                "text": step.text,
                "was": step.was,
                "to": step.to,
            }
            for step in steps
        ],
        "involved": None if involved is None else shapes.involved_of(involved),
    }

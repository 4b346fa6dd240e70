"""Tickets as the hub holds them, and in whose hand they are: what REST and the live stream give is made of that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.alarms.models import AlarmRow
from hub.tickets.kinds import repair
from hub.tickets.models import TicketRow, TicketStepRow
from rules.tickets.flow import Device, WorkInHand, hands
from web import shapes
from web.moments import written

SHORT = 40
"""Values around the fault that lists and screens show: the whole is long."""

_HAVING = frozenset({"taken", "taken_over", "finished"})
"""By these steps it was somebody's, or done by them."""


async def items_of(
    session: AsyncSession, rows: Sequence[TicketRow], *, history: bool = False
) -> list[shapes.TicketHeld]:
    """Tickets with their steps. All values around the fault come with `history` only, otherwise the last of them."""
    steps = await _steps(session, [row.id for row in rows])
    alarms = await _alarms(session, rows)
    return [_item(row, steps[row.id], alarms, history) for row in rows]


async def item_of(session: AsyncSession, row: TicketRow, *, history: bool = False) -> shapes.TicketHeld:
    """One ticket with its steps."""
    return (await items_of(session, [row], history=history))[0]


async def in_hand(session: AsyncSession, row: TicketRow) -> WorkInHand:
    """A ticket as the flow of its kind sees it."""
    steps, alarms = await _steps(session, [row.id]), await _alarms(session, [row])
    return _in_hand(row, steps[row.id], alarms)


async def _steps(session: AsyncSession, tickets: Sequence[str]) -> dict[str, list[TicketStepRow]]:
    """By ticket, the oldest first."""
    await session.flush()
    query = select(TicketStepRow).where(col(TicketStepRow.ticket).in_(tickets)).order_by(col(TicketStepRow.id))
    found: dict[str, list[TicketStepRow]] = {ticket: [] for ticket in tickets}
    for row in (await session.exec(query)).all():
        found[row.ticket].append(row)
    return found


async def _alarms(session: AsyncSession, rows: Sequence[TicketRow]) -> dict[str, datetime | None]:
    """The alarms of tickets, those that are known: since when each is over, None while it is not."""
    alarms = {row.alarm for row in rows if row.alarm is not None}
    if not alarms:
        return {}
    query = select(AlarmRow.id, AlarmRow.cleared_at).where(col(AlarmRow.id).in_(alarms))
    return {alarm: at for alarm, at in (await session.exec(query)).all()}  # noqa: C416 - rows, not pairs


def _in_hand(row: TicketRow, steps: Sequence[TicketStepRow], alarms: Mapping[str, datetime | None]) -> WorkInHand:
    opened = next((step.by for step in steps if step.step == "opened"), None)
    had = [step.to or step.by for step in steps if step.step in _HAVING] + [step.was for step in steps]
    # Of an alarm that is not known any more nothing is left that could be at fault.
    faulty = row.alarm is not None and alarms.get(row.alarm, row.raised_at) is None
    device: Device = "none" if row.alarm is None else "faulty" if faulty else "well"
    return WorkInHand(
        state=row.state,
        executor=None if row.assignee is None else row.assignee["id"],
        name="" if row.assignee is None else row.assignee["name"],
        requester=None if opened is None else opened["id"],
        executors=frozenset(each["id"] for each in (*had, row.assignee) if each is not None),
        device=device,
    )


def _item(
    row: TicketRow, steps: Sequence[TicketStepRow], alarms: Mapping[str, datetime | None], history: bool
) -> shapes.TicketHeld:
    recovered = alarms.get(row.alarm or "")
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
        "hands": shapes.hands_of(hands(repair(), _in_hand(row, steps, alarms))),
    }

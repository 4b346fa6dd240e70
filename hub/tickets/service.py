"""Tickets: raised by gateways and folded by cause, moved by people along `rules.tickets`, closed by the device itself.

Every function works inside the caller's transaction, opened with `writes=True`: each step is an event of the hub's
stream and a frame of the live stream, in the same commit.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import cast

from sqlalchemy import ColumnElement
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from contract.commands import Person
from contract.desired import Role
from contract.facts.alarms import TicketMoved, TicketPassed, TicketRaised
from contract.texts import Reason, Text
from hub.accounts.models import AccountRow
from hub.accounts.schemas import user_of
from hub.alarms.models import AlarmRow
from hub.database.event import StoredEvent
from hub.database.transactions import connection, outcome
from hub.events import stream
from hub.tickets import items, words
from hub.tickets.kinds import repair
from hub.tickets.models import TicketRaising, TicketRow, TicketStepRow
from hub.tickets.schemas import NewTicket, StepBody
from rules.alarms.episode import SEVERITIES
from rules.tickets import steps as rules
from rules.tickets.flow import Actor, Moved, StepSaid, move, own_step
from rules.tickets.kinds import OVER, WorkStep, roles
from web import shapes
from web.errors import Conflict, Forbidden, Invalid, Refusal

MANUAL = "manual"
"""The cause of what a person reported: such tickets are never folded."""

_OPENED = "ticket.opened"
_NOBODY = Text("没有这个可以接单的账号", "There is no such account that could take it")


async def raised(session: AsyncSession, event: StoredEvent, data: TicketRaised) -> None:
    """A gateway raised a ticket: it opens one, or goes into the one of the same cause. A repeat changes nothing."""
    if await session.get(TicketRaising, data.ticket) is not None:
        return
    site, at = event.site or "", event.when
    known = await _newest(session, rules.fold_key(site, data))
    verdict = rules.fold(None if known is None else repair().of(known.state))
    if known is None or verdict == "open":
        row = await _open(session, site, data, at)
        moved = _OPENED
    else:
        row = known
        row.count += 1
        row.alarm = data.alarm
        if data.history:
            row.first_history = row.first_history or row.history or None
            row.history = [list(point) for point in data.history]
        row.severity = min(row.severity, data.severity, key=SEVERITIES.index)
        moved = rules.STEP_EVENTS["fold"]
        if verdict == "reopen":
            step = _went(row, own_step(repair(), await items.in_hand(session, row), "device_faulty"))
            moved = rules.STEP_EVENTS[step]
    session.add(TicketRaising(id=data.ticket, ticket=row.id, alarm=data.alarm, at=at))
    await _moved(session, row, moved)


async def open_manual(session: AsyncSession, wanted: NewTicket, by: Person) -> TicketRow:
    """A person reports a fault or asks for work."""
    now = datetime.now(UTC)
    row = TicketRow(
        id=str(uuid.uuid4()),
        site=wanted.site,
        number=await _next_number(session, wanted.site),
        asset=wanted.asset,
        cause=MANUAL,
        severity=wanted.severity,
        title=wanted.title_text(),
        place=wanted.place,
        state="raised",
        raised_at=now,
        updated_at=now,
    )
    await _opened(session, row)
    await _moved(session, row, _OPENED, by, wanted.text)
    return row


async def step(session: AsyncSession, row: TicketRow, wanted: str, by: Person, said: StepBody) -> None:
    """A person moves a ticket; the refusal says why it may not be.

    Finished work closes once the alarm has cleared; without an alarm somebody else accepts it.
    """
    kind, work, text, before = repair(), await items.in_hand(session, row), said.said(), row.assignee
    moved = move(
        kind, work, wanted, Actor(by.id, by.role), StepSaid(text=text, gives_to=said.assignee, knows=said.holder)
    )
    if isinstance(moved, Reason):
        raise _refusal(moved)
    taken = kind.step(wanted)
    assert taken is not None
    if taken.does & {"assign", "take_over"}:
        row.assignee = await _assignee(session, row, by, said.assignee, roles(taken))
        row.found_by = words.passed(row.found_by, row.assignee["name"])
    _stands(row, moved)
    passed = before is not None and row.assignee is not None and before["id"] != row.assignee["id"]
    given = "assign" in taken.does and row.assignee is not None and row.assignee["id"] != by.id
    await _moved(
        session,
        row,
        rules.STEP_EVENTS[wanted],
        by,
        text,
        was=before if passed else None,
        to=row.assignee if passed or given else None,
    )
    if work.device == "well":
        await _settle(session, row)


async def close_done(session: AsyncSession, alarm: str) -> None:
    """An alarm has cleared: tickets whose work was done are closed."""
    query = select(TicketRow).where(TicketRow.alarm == alarm, *_waiting()).with_for_update()
    for row in (await session.exec(query)).all():
        await _settle(session, row)


async def tell_of(session: AsyncSession, alarm: str) -> None:
    """Screens that show work on this alarm are told how its device stands now."""
    query = select(TicketRow).where(TicketRow.alarm == alarm, TicketRow.state != "closed")
    rows = (await session.exec(query)).all()
    told = outcome(await connection(session))
    for item in await items.items_of(session, rows) if rows else ():
        told.state({"kind": "ticket", **item})


async def close_over(session: AsyncSession, site: str) -> None:
    """Of a site, tickets whose work is done and whose alarm is over, however that came, are closed."""
    query = (
        select(TicketRow)
        .join(AlarmRow, col(TicketRow.alarm) == col(AlarmRow.id))
        .where(TicketRow.site == site, *_waiting(), col(AlarmRow.cleared_at).is_not(None))
        .with_for_update(of=TicketRow)
    )
    for row in (await session.exec(query)).all():
        await _settle(session, row)


async def get(session: AsyncSession, ticket: str) -> TicketRow | None:
    """The ticket of that id, or the one that a gateway's raising of that id went into."""
    row = await session.get(TicketRow, ticket)
    if row is not None:
        return row
    raising = await session.get(TicketRaising, ticket)
    return None if raising is None else await session.get(TicketRow, raising.ticket)


async def _open(session: AsyncSession, site: str, data: TicketRaised, at: datetime) -> TicketRow:
    row = TicketRow(
        id=data.ticket,
        site=site,
        number=await _next_number(session, site),
        alarm=data.alarm,
        asset=data.asset,
        cause=data.cause,
        severity=data.severity,
        title=shapes.text_of(data.title),
        response=None if data.response is None else shapes.text_of(data.response),
        place=data.place[:200],
        state="raised",
        raised_at=at,
        updated_at=at,
        history=[list(point) for point in data.history],
    )
    await _opened(session, row)
    return row


async def _opened(session: AsyncSession, row: TicketRow) -> None:
    """Keep a new ticket, which nobody has, with what it is found by."""
    called = (await words.called_at(await connection(session), [row.site])).get(row.site, words.UNKNOWN)
    row.found_by = words.words_of(row.title, row.place, row.asset, "", called)
    session.add(row)
    await session.flush()


def _waiting() -> tuple[ColumnElement[bool], ...]:
    """Work that a device that recovers brings on; the second is as the indexes of open tickets say it."""
    states = {state for step in repair().steps if step.on == "device_well" for state in step.start}
    return col(TicketRow.state).in_(sorted(states)), col(TicketRow.state) != "closed"


async def _settle(session: AsyncSession, row: TicketRow) -> None:
    """The device is well: work that waited for that is over."""
    own = own_step(repair(), await items.in_hand(session, row), "device_well")
    if own is not None:
        await _moved(session, row, rules.STEP_EVENTS[_went(row, own)])


def _went(row: TicketRow, own: tuple[WorkStep, Moved] | None) -> str:
    """The ticket after a step of the hub's own, and which that was."""
    assert own is not None  # the kind is proven
    _stands(row, own[1])
    return own[0].id


def _stands(row: TicketRow, moved: Moved) -> None:
    over = repair().of(moved.state) in OVER
    if not over:
        row.closed_at = None
    elif row.closed_at is None:
        row.closed_at = datetime.now(UTC)
    row.state = cast("rules.TicketState", moved.state)


async def _moved(
    session: AsyncSession,
    row: TicketRow,
    kind: str,
    by: Person | None = None,
    text: str = "",
    *,
    was: shapes.Person | None = None,
    to: shapes.Person | None = None,
) -> None:
    """Record one step: in the ticket, in the history, on the screens."""
    now = datetime.now(UTC)
    row.updated_at = now
    session.add(row)
    session.add(
        TicketStepRow(
            ticket=row.id,
            at=now,
            by=None if by is None else shapes.person_of(by),
            step=kind.partition(".")[2],
            text=text,
            was=was,
            to=to,
        )
    )
    conn = await connection(session)
    data: TicketMoved | TicketPassed
    if by is not None and was is not None and to is not None:
        data = TicketPassed(
            ticket=row.id,
            state=row.state,
            by=by,
            was=Person(**was),
            to=Person(**to),
            text=text,
            alarm=row.alarm,
        )
    else:
        data = TicketMoved(ticket=row.id, state=row.state, by=by, text=text, alarm=row.alarm)
    await stream.record(conn, kind, row.asset or row.id, data, site=row.site)
    outcome(conn).state({"kind": "ticket", **await items.item_of(session, row)})


async def _newest(session: AsyncSession, key: rules.FoldKey) -> TicketRow | None:
    query = (
        select(TicketRow)
        .where(TicketRow.site == key.site, TicketRow.asset == key.asset, TicketRow.cause == key.cause)
        .order_by(col(TicketRow.number).desc())
        .limit(1)
        .with_for_update()
    )
    return (await session.exec(query)).first()


async def _next_number(session: AsyncSession, site: str) -> int:
    # Writers go one at a time (the history lock), so that the number after the highest is free.
    last = (await session.exec(select(func.max(TicketRow.number)).where(TicketRow.site == site))).one()
    return (last or 0) + 1


async def _assignee(
    session: AsyncSession, row: TicketRow, by: Person, wanted: str | None, working: frozenset[Role]
) -> shapes.Person:
    if wanted is None or wanted == by.id:
        return shapes.person_of(by)
    if by.role not in rules.ANSWERING:
        raise Forbidden
    account = await session.get(AccountRow, wanted)
    user = user_of(account) if account is not None and account.active else None
    if user is None or not user.may_see(row.site) or user.role not in working:
        raise Invalid({"assignee": _NOBODY})
    return {"id": user.id, "name": user.name, "role": user.role}


def _refusal(why: Reason) -> Refusal:
    text = Text(why.zh, why.en)
    match why.code:
        case "ticket_role":
            return Forbidden(text, why.code)
        case "ticket_text":
            return Invalid({"text": text}, text)
        case _:
            return Conflict(text, why.code)

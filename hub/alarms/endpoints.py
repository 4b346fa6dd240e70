"""`/api/alarms`: reading them; acknowledging and shelving are commands to their gateway."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from contract.commands import CommandKind
from contract.facts.alarms import Severity
from contract.readings import Value
from hub.alarms import own, service
from hub.alarms.models import AlarmRow
from hub.commands.schemas import CommandItem
from hub.commands.service import Args, AskedCommand
from hub.database.transactions import Reading, Writing, connection
from hub.shapes import PersonShape, TextShape
from rules.alarms.episode import STATES
from rules.alarms.rule import SHELVE_LIMIT_S
from web.asked import Body
from web.errors import NotFound
from web.once import OnceRoute
from web.paging import Limit, Moment, Page, Rank, SealedCursors, listed_words, sites_asked
from web.session.sessions import SignedInUser
from web.users import User

router = APIRouter(prefix="/api/alarms", tags=["alarms"], route_class=OnceRoute)

OPEN = "open"
"""In `state`: every state but closed."""

_TTL_S = 60
_ACK, _SHELVE, _UNSHELVE = "确认告警", "搁置告警", "取消搁置"
"""Reasons where the person gave no note of their own."""


class AlarmShape(BaseModel):
    """An alarm. `values`: the points that its rule looked at."""

    id: str
    site: str
    rule: str
    source: str
    asset: str
    severity: Severity
    state: Literal["active", "acknowledged", "cleared", "shelved", "closed"]
    message: TextShape
    response: TextShape | None
    values: dict[str, Value]
    raised_at: str
    cleared_at: str | None
    acknowledged_at: str | None
    acknowledged_by: PersonShape | None
    shelved_until: str | None
    note: str


class Note(Body):
    """What a person says about it."""

    note: Annotated[str, Field(max_length=500)] = ""


class Shelf(Note):
    """For how long (seconds), and why."""

    for_s: Annotated[int, Field(ge=60, le=SHELVE_LIMIT_S)]


@router.get("", response_model=Page[AlarmShape])
async def alarms(
    user: SignedInUser,
    session: Reading,
    cursors: SealedCursors,
    *,
    site: str | None = None,
    state: str | None = None,
    cursor: str = "",
    limit: Limit = 100,
) -> dict[str, Any]:
    """Alarms by state, then severity, then time. `state`: one or several, with commas; `open`: all but closed.

    `cursor`: the `next` of the page before.
    """
    states = listed_words("state", state, (*STATES, OPEN))
    if states is not None and OPEN in states:
        states = [*states, *(known for known in STATES if known != "closed")]
    after = cursors.key(cursor, Rank, Moment, str) if cursor else None
    rows = await service.listed(session, sites_asked(user, site), states, after, limit + 1)
    last = cursors.after(*service.sort_key(rows[limit - 1])) if len(rows) > limit else None
    return {"items": [service.item_of(row) for row in rows[:limit]], "next": last}


@router.get("/{alarm}", response_model=AlarmShape)
async def one_alarm(alarm: str, user: SignedInUser, session: Reading) -> dict[str, Any]:
    """One alarm."""
    return service.item_of(await _alarm(session, user, alarm))


@router.post("/{alarm}/ack", status_code=202, response_model=CommandItem)
async def acknowledge(alarm: str, user: SignedInUser, session: Writing, body: Note | None = None) -> dict[str, Any]:
    """Say that somebody has seen it. The state changes when the gateway's event comes back; an alarm of the hub's own
    changes at once."""
    note = (body or Note()).note.strip()
    return await _ask(session, user, alarm, "alarm.ack", args={"note": note}, reason=note or _ACK)


@router.post("/{alarm}/shelve", status_code=202, response_model=CommandItem)
async def shelve(alarm: str, body: Shelf, user: SignedInUser, session: Writing) -> dict[str, Any]:
    """Silence it for some time; then it returns by itself."""
    note = body.note.strip()
    return await _ask(
        session, user, alarm, "alarm.shelve", args={"for_s": body.for_s, "note": note}, reason=note or _SHELVE
    )


@router.post("/{alarm}/unshelve", status_code=202, response_model=CommandItem)
async def unshelve(alarm: str, user: SignedInUser, session: Writing, body: Note | None = None) -> dict[str, Any]:
    """End its shelf time."""
    note = (body or Note()).note.strip()
    return await _ask(session, user, alarm, "alarm.unshelve", args={}, reason=note or _UNSHELVE)


async def _ask(
    session: Writing, user: User, alarm: str, kind: CommandKind, *, args: Args, reason: str
) -> dict[str, Any]:
    row = await _alarm(session, user, alarm)
    service.check_state(kind, row.state)
    command = AskedCommand(site=row.site, target=row.id, kind=kind, reason=reason, args=args, ttl_s=_TTL_S)
    return await own.ask(await connection(session), user, command)


async def _alarm(session: Reading, user: User, alarm: str) -> AlarmRow:
    row = await session.get(AlarmRow, alarm)
    if row is None or not user.may_see(row.site):
        raise NotFound
    return row

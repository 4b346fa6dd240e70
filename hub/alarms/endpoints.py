"""`/api/alarms`: reading them; acknowledging and shelving are commands to their gateway."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter

from contract.commands import CommandKind
from hub.alarms import listing, many, own, service
from hub.alarms.models import AlarmRow
from hub.commands.asked import Args, AskedCommand
from hub.database.transactions import Reading, Writing, connection
from rules.alarms.episode import STATES
from web import shapes
from web.arguments import Note, NoteOnEach, Shelving, ShelvingOfEach
from web.doing import check_state, seen
from web.errors import NotFound
from web.finding.alarms import OPEN, Order, Wanted
from web.once import OnceRoute
from web.paging import Limit, Page, SealedCursors, listed_words, sites_asked
from web.session.press import Press, Pressed
from web.session.sessions import SignedInUser
from web.several import AlarmsAsked
from web.users import User

router = APIRouter(prefix="/api/alarms", tags=["alarms"], route_class=OnceRoute)

_TTL_S = 60
_ACK, _SHELVE, _UNSHELVE = "确认收到", "暂停提醒", "恢复提醒"
"""Reasons where the person gave no note of their own."""


@router.get("")
async def alarms(
    user: SignedInUser,
    session: Reading,
    cursors: SealedCursors,
    *,
    site: str | None = None,
    state: str | None = None,
    wanted: Wanted,
    order: Order = "urgency",
    cursor: str = "",
    limit: Limit = 100,
) -> Page[shapes.Alarm]:
    """Alarms by state, then severity, then time; `order=time`: the newest first, as their history is read.

    `state`: one or several, with commas; `open`: all but closed. `cursor`: the `next` of the page before.
    """
    states = listed_words("state", state, (*STATES, OPEN))
    if states is not None and OPEN in states:
        states = [*states, *(known for known in STATES if known != "closed")]
    after = listing.place_in(cursor, cursors) if cursor else None
    sites = sites_asked(user, site)
    rows = await listing.listed(session, sites, states, wanted, order=order, after=after, limit=limit + 1)
    last = cursors.after(*listing.place(rows[limit - 1], order)) if len(rows) > limit else None
    return Page[shapes.Alarm](items=[_shown(user, row) for row in rows[:limit]], next=last)


@router.get("/{alarm}")
async def one_alarm(alarm: str, user: SignedInUser, session: Reading) -> shapes.Alarm:
    """One alarm."""
    return _shown(user, await _alarm(session, user, alarm))


@router.post("/{alarm}/ack", status_code=202)
async def acknowledge(
    alarm: str, user: SignedInUser, session: Writing, press: Pressed, body: Note | None = None
) -> shapes.Command:
    """Say that somebody has seen it. The state changes when the gateway's event comes back; an alarm of the hub's own
    changes at once."""
    return await _ask(session, user, alarm, "alarm.ack", said=body or Note(), press=press, otherwise=_ACK)


@router.post("/{alarm}/shelve", status_code=202)
async def shelve(alarm: str, body: Shelving, user: SignedInUser, session: Writing, press: Pressed) -> shapes.Command:
    """Silence it for some time; then it returns by itself."""
    return await _ask(
        session, user, alarm, "alarm.shelve", said=body, press=press, args={"for_s": body.for_s}, otherwise=_SHELVE
    )


@router.post("/{alarm}/unshelve", status_code=202)
async def unshelve(
    alarm: str, user: SignedInUser, session: Writing, press: Pressed, body: Note | None = None
) -> shapes.Command:
    """End its shelf time."""
    return await _ask(session, user, alarm, "alarm.unshelve", said=body or Note(), press=press, otherwise=_UNSHELVE)


@router.post("/ack", status_code=202)
async def acknowledge_each(user: SignedInUser, session: Writing, body: NoteOnEach, press: Pressed) -> AlarmsAsked:
    """The same of several alarms, of whatever sites: what became of each. 404 if none of them is there."""
    return await _ask_each(session, user, body.ids, "alarm.ack", said=body, press=press, otherwise=_ACK)


@router.post("/shelve", status_code=202)
async def shelve_each(user: SignedInUser, session: Writing, body: ShelvingOfEach, press: Pressed) -> AlarmsAsked:
    """Silence several for the same time, as when a device is taken out for repair."""
    args: Args = {"for_s": body.for_s}
    return await _ask_each(
        session, user, body.ids, "alarm.shelve", said=body, press=press, otherwise=_SHELVE, args=args
    )


@router.post("/unshelve", status_code=202)
async def unshelve_each(user: SignedInUser, session: Writing, body: NoteOnEach, press: Pressed) -> AlarmsAsked:
    """End the shelf time of several."""
    return await _ask_each(session, user, body.ids, "alarm.unshelve", said=body, press=press, otherwise=_UNSHELVE)


async def _ask(
    session: Writing,
    user: User,
    alarm: str,
    kind: CommandKind,
    *,
    said: Note,
    press: Press,
    otherwise: str,
    args: Args | None = None,
) -> shapes.Command:
    row = await _alarm(session, user, alarm)
    check_state(kind, row.state)
    command = _command(kind, row.site, row.id, said=said, press=press, otherwise=otherwise, args=args)
    return await own.ask(await connection(session), user, command)


def _shown(user: User, row: AlarmRow) -> shapes.Alarm:
    return seen(user.viewer(), "alarm", service.item_of(row))


async def _alarm(session: Reading, user: User, alarm: str) -> AlarmRow:
    row = await session.get(AlarmRow, alarm)
    if row is None or not user.may_see(row.site):
        raise NotFound
    return row


async def _ask_each(
    session: Writing,
    user: User,
    alarms: Sequence[str],
    kind: CommandKind,
    *,
    said: Note,
    press: Press,
    otherwise: str,
    args: Args | None = None,
) -> AlarmsAsked:
    said.words(kind)  # what is wrong with the words is wrong with all of it

    def command(site: str, alarm: str) -> AskedCommand:
        return _command(kind, site, alarm, said=said, press=press, otherwise=otherwise, args=args)

    return await many.ask_each(session, user, list(dict.fromkeys(alarms)), kind, command)


def _command(
    kind: CommandKind, site: str, alarm: str, *, said: Note, press: Press, otherwise: str, args: Args | None
) -> AskedCommand:
    note = said.words(kind)
    kept: Args = {} if kind == "alarm.unshelve" else {"note": note}
    return AskedCommand(
        site=site, target=alarm, kind=kind, reason=note or otherwise, reason_code=said.reason_code,
        args={**(args or {}), **kept}, ttl_s=_TTL_S, age=press.age,
    )  # fmt: skip

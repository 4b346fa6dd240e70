"""`/api/tickets`."""

from __future__ import annotations

from typing import get_args

from fastapi import APIRouter

from contract.texts import Text
from hub.database.transactions import Reading, Writing
from hub.sites.models import SiteRow
from hub.sites.service import things_of
from hub.tickets import items, listing, service
from hub.tickets.models import TicketRow
from hub.tickets.schemas import NewTicket, StepBody, StepOfEach
from rules.tickets.steps import PersonStep, TicketState
from web import shapes
from web.doing import ticket_seen
from web.errors import Conflict, Invalid, NotFound, Refusal
from web.finding.tickets import Wanted
from web.once import OnceRoute
from web.paging import Limit, Moment, Page, SealedCursors, listed_words, sites_asked
from web.session.sessions import SignedInUser
from web.several import TicketAsked, TicketsAsked, refused_of
from web.users import User

router = APIRouter(prefix="/api/tickets", tags=["tickets"], route_class=OnceRoute)

_NO_ASSET = Text("该项目没有这个设备、门、车道或区域", "The site has no such device, door, lane or zone")
_NO_SITE = Text("没有这个项目", "There is no such site")


@router.get("")
async def tickets(
    user: SignedInUser,
    session: Reading,
    cursors: SealedCursors,
    *,
    site: str | None = None,
    state: str | None = None,
    wanted: Wanted,
    cursor: str = "",
    limit: Limit = 100,
) -> Page[shapes.Ticket]:
    """Tickets, the newest first. `state`: one or several, with commas. `cursor`: the `next` of the page before."""
    states = listed_words("state", state, get_args(TicketState))
    after = cursors.key(cursor, Moment, str) if cursor else None
    sites = sites_asked(user, site)
    rows = await listing.listed(session, sites, states, after, limit + 1, wanted=wanted, asker=user.id)
    shown, viewer = rows[:limit], user.viewer()
    last = cursors.after(shown[-1].raised_at.isoformat(), shown[-1].id) if len(rows) > limit else None
    return Page[shapes.Ticket](
        items=[ticket_seen(viewer, held) for held in await items.items_of(session, shown)], next=last
    )


@router.post("", status_code=201)
async def open_ticket(body: NewTicket, user: SignedInUser, session: Writing) -> shapes.Ticket:
    """Report a fault or ask for work."""
    site = await session.get(SiteRow, body.site) if user.may_see(body.site) else None
    if site is None:
        raise NotFound(_NO_SITE)
    things = things_of(site)
    if body.asset and things is not None and body.asset not in things:
        raise Invalid({"asset": _NO_ASSET})
    row = await service.open_manual(session, body, user.person())
    return await _shown(session, user, row)


@router.get("/{ticket}")
async def one_ticket(ticket: str, user: SignedInUser, session: Reading) -> shapes.Ticket:
    """A ticket with the values around its fault."""
    return await _shown(session, user, await _ticket(session, user, ticket))


@router.post("/steps")
async def step_of_each(body: StepOfEach, user: SignedInUser, session: Writing) -> TicketsAsked:
    """Take a step with several tickets: what became of each. 404 if none of them is there."""
    items_: list[TicketAsked] = []
    known = 0
    for ticket in dict.fromkeys(body.ids):
        try:
            row = await _ticket(session, user, ticket)
            known += 1
            await service.step(session, row, body.step, user.person(), body.each())
            items_.append({"id": ticket, "ticket": await _shown(session, user, row), "refused": None})
        except Refusal as refusal:
            items_.append({"id": ticket, "ticket": None, "refused": refused_of(refusal)})
    if known == 0:
        raise NotFound
    return {"items": items_}


@router.post("/{ticket}/{step}")
async def step(
    ticket: str, step: PersonStep, user: SignedInUser, session: Writing, body: StepBody | None = None
) -> shapes.Ticket:
    """Take a step: `take`, `take_over`, `comment`, `finish`, `accept`, `reopen`.

    Only work without an alarm is accepted. What somebody else has is neither taken nor finished without saying that
    one knows whose it is (`holder`): 409 with the ticket as it stands.
    """
    row = await _ticket(session, user, ticket)
    try:
        await service.step(session, row, step, user.person(), body or StepBody())
    except Conflict as refused:
        refused.current = await _shown(session, user, row)
        raise
    return await _shown(session, user, row)


async def _shown(session: Reading, user: User, row: TicketRow) -> shapes.Ticket:
    return ticket_seen(user.viewer(), await items.item_of(session, row, history=True))


async def _ticket(session: Reading, user: User, ticket: str) -> TicketRow:
    row = await service.get(session, ticket)
    if row is None or not user.may_see(row.site):
        raise NotFound
    return row

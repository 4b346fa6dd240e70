"""`/api/alarms` and `/api/tickets`: alarms with the commands about them; tickets to read, their steps are the hub's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import get_args

import msgspec
from fastapi import APIRouter

from contract.commands import CommandKind
from contract.layout import SiteLayout
from contract.readings import Value
from gateway.engine.alarms.episodes import Alarm, alarm_item, lateness, ticket_item, urgency
from gateway.web.commands import ROLE, ask
from gateway.web.served import Gateway, Served
from rules.alarms.episode import STATES
from rules.commands import may_ask
from rules.tickets.steps import TicketState
from web import shapes
from web.arguments import Arg, Note, NoteOnEach, Shelving, ShelvingOfEach
from web.doing import check_state, seen
from web.errors import Forbidden, NotFound, Refusal
from web.finding.alarms import OPEN, Order, Wanted, WantedAlarms
from web.finding.box import plain
from web.finding.tickets import NOBODY, WantedTickets
from web.finding.tickets import Wanted as Sought
from web.moments import moment_of
from web.once import OnceRoute
from web.paging import Limit, Page, SealedCursors, listed_words
from web.session.press import Press, Pressed
from web.session.sessions import SignedInUser
from web.several import AlarmAsked, AlarmsAsked, refused_of
from web.users import User

router = APIRouter(prefix="/api", tags=["alarms"], route_class=OnceRoute)

TTL_S = 30
TICKET_STATES = (*get_args(TicketState), "cleared")
"""What may be asked for; of these there are only the first and the last here."""


class _Raised(msgspec.Struct):
    """What is read of a `ticket.raised`."""

    ticket: str
    history: list[tuple[str, int, Value]] = []


@router.get("/alarms")
async def alarms(
    gateway: Gateway,
    user: SignedInUser,
    cursors: SealedCursors,
    *,
    state: str | None = None,
    wanted: Wanted,
    order: Order = "urgency",
    cursor: str = "",
    limit: Limit = 100,
) -> Page[shapes.Alarm]:
    """Alarms, the most urgent first; `order=time`: the newest first. `state`: one or several, with commas.

    `open`: all but closed; of closed ones the last are known here. `cursor`: the `next` of the page before.
    """
    states = listed_words("state", state, (*STATES, OPEN))
    if states is not None and OPEN in states:
        states = [*states, *(known for known in STATES if known != "closed")]
    place = urgency if order == "urgency" else lateness
    known = gateway.engine.alarms.alarms.values()
    found = [alarm for alarm in known if (states is None or alarm.state in states) and says(alarm, wanted)]
    found.sort(key=place)
    if cursor:
        after = cursors.key(cursor, int, int, int, str)
        found = [alarm for alarm in found if place(alarm) > after]
    following = cursors.after(*place(found[limit - 1])) if len(found) > limit else None
    return Page[shapes.Alarm].of([_shown(gateway, user, alarm) for alarm in found[:limit]], following)


@router.get("/alarms/{alarm}")
async def one_alarm(alarm: str, gateway: Gateway, user: SignedInUser) -> shapes.Alarm:
    """One alarm."""
    return _shown(gateway, user, _alarm(gateway, alarm))


@router.post("/alarms/{alarm}/ack", status_code=202)
async def acknowledge(
    alarm: str, gateway: Gateway, user: SignedInUser, press: Pressed, body: Note | None = None
) -> shapes.Command:
    """Say that one has seen it."""
    return await _ask(gateway, user, "alarm.ack", alarm, said=body or Note(), press=press)


@router.post("/alarms/{alarm}/shelve", status_code=202)
async def shelve(alarm: str, gateway: Gateway, user: SignedInUser, body: Shelving, press: Pressed) -> shapes.Command:
    """Silence it for a while."""
    return await _ask(gateway, user, "alarm.shelve", alarm, said=body, press=press, args={"for_s": body.for_s})


@router.post("/alarms/{alarm}/unshelve", status_code=202)
async def unshelve(
    alarm: str, gateway: Gateway, user: SignedInUser, press: Pressed, body: Note | None = None
) -> shapes.Command:
    """End its silence early."""
    return await _ask(gateway, user, "alarm.unshelve", alarm, said=body or Note(), press=press)


@router.post("/alarms/ack", status_code=202)
async def acknowledge_each(gateway: Gateway, user: SignedInUser, body: NoteOnEach, press: Pressed) -> AlarmsAsked:
    """The same of several alarms: what became of each. 404 if none of them is there."""
    return await _ask_each(gateway, user, "alarm.ack", body.ids, said=body, press=press)


@router.post("/alarms/shelve", status_code=202)
async def shelve_each(gateway: Gateway, user: SignedInUser, body: ShelvingOfEach, press: Pressed) -> AlarmsAsked:
    """Silence several for the same time, as when a device is taken out for repair."""
    return await _ask_each(gateway, user, "alarm.shelve", body.ids, said=body, press=press, args={"for_s": body.for_s})


@router.post("/alarms/unshelve", status_code=202)
async def unshelve_each(gateway: Gateway, user: SignedInUser, body: NoteOnEach, press: Pressed) -> AlarmsAsked:
    """End the silence of several early."""
    return await _ask_each(gateway, user, "alarm.unshelve", body.ids, said=body, press=press)


@router.get("/tickets")
async def tickets(
    gateway: Gateway,
    cursors: SealedCursors,
    *,
    state: str | None = None,
    wanted: Sought,
    cursor: str = "",
    limit: Limit = 100,
) -> Page[shapes.Ticket]:
    """Tickets that this site raised, the newest first: `raised`, or `cleared` once the device is back to normal.

    Whether anybody took, finished or closed them is the hub's to say: here nobody has them.
    """
    states = listed_words("state", state, TICKET_STATES)
    known = gateway.engine.alarms.alarms.values()
    found = [item for alarm in known if (item := ticket_item(alarm, gateway.site)) is not None]
    sought = [plain(word) for word in wanted.words]
    names = _names(gateway.engine.layout) if sought else {}
    found = [
        item for item in found if (states is None or item["state"] in states) and _fits(item, wanted, sought, names)
    ]
    found.sort(key=lambda item: (item["raised_at"], item["id"]), reverse=True)
    if cursor:
        after = cursors.key(cursor, str, str)
        found = [item for item in found if (item["raised_at"], item["id"]) < after]
    following = cursors.after(found[limit - 1]["raised_at"], found[limit - 1]["id"]) if len(found) > limit else None
    return Page[shapes.Ticket].of(found[:limit], following)


@router.get("/tickets/{ticket}")
async def one_ticket(ticket: str, gateway: Gateway) -> shapes.Ticket:
    """A ticket with the values around its fault."""
    alarm = next((alarm for alarm in gateway.engine.alarms.alarms.values() if alarm.ticket == ticket), None)
    item = None if alarm is None else ticket_item(alarm, gateway.site)
    if alarm is None or item is None:
        raise NotFound
    try:
        raised = await gateway.journal.events(limit=50, kind="ticket.raised", source=alarm.cause.source)
    except OSError:  # the ticket is worth more than its history
        raised = []
    for event in raised:
        data = msgspec.json.decode(event.data, type=_Raised)
        if data.ticket == ticket:
            item["history"] = data.history
    return item


def says(alarm: Alarm, wanted: WantedAlarms) -> bool:
    """Whether the alarm is among those wanted."""
    cause = alarm.cause
    if wanted.severities is not None and cause.severity not in wanted.severities:
        return False
    if wanted.sources and cause.source not in wanted.sources and cause.asset not in wanted.sources:
        return False
    raised = moment_of(alarm.raised_at)
    if (wanted.since is not None and raised < wanted.since) or (wanted.until is not None and raised >= wanted.until):
        return False
    text = "\n".join((cause.message.zh, cause.message.en, alarm.note, cause.rule, cause.source, cause.asset)).lower()
    return all(word.lower() in text for word in wanted.words)


def _fits(
    ticket: shapes.Ticket, wanted: WantedTickets, words: Sequence[str], names: Mapping[str, Sequence[str]]
) -> bool:
    """Whether the ticket is among those wanted; by its `words` (plain) alone, for a gateway spells nothing.

    `names`: what assets are called, by id.
    """
    raised = datetime.fromisoformat(ticket["raised_at"])
    if (wanted.since is not None and raised < wanted.since) or (wanted.until is not None and raised >= wanted.until):
        return False
    if wanted.severities is not None and ticket["severity"] not in wanted.severities:
        return False
    if (wanted.assets and ticket["asset"] not in wanted.assets) or (
        wanted.assignees and NOBODY not in wanted.assignees
    ):
        return False
    if not words:
        return True
    title, asset = ticket["title"], ticket["asset"]
    said = plain("\n".join((title["zh"], title["en"], ticket["place"], asset, *names.get(asset, ()))))
    return all(word in said for word in words)


def _names(layout: SiteLayout) -> dict[str, list[str]]:
    """What things of the site are called, by id."""
    found: dict[str, list[str]] = {}
    for kind in (layout.doors, layout.lanes, layout.devices, layout.zones, layout.meters):
        for thing in kind:
            found.setdefault(thing.id, []).extend((thing.name.zh, thing.name.en))
    return found


def _shown(gateway: Served, user: User, alarm: Alarm) -> shapes.Alarm:
    return seen(user.viewer(), "alarm", alarm_item(alarm, gateway.site))


def _alarm(gateway: Served, alarm: str) -> Alarm:
    found = gateway.engine.alarms.alarms.get(alarm)
    if found is None:
        raise NotFound
    return found


async def _ask_each(
    gateway: Served,
    user: User,
    kind: CommandKind,
    alarms: Sequence[str],
    *,
    said: Note,
    press: Press,
    args: dict[str, Arg] | None = None,
) -> AlarmsAsked:
    if not may_ask(user.role, kind):
        raise Forbidden(ROLE, "role")
    said.words(kind)
    known = gateway.engine.alarms.alarms
    asked = list(dict.fromkeys(alarms))
    if not any(alarm in known for alarm in asked):
        raise NotFound
    items: list[AlarmAsked] = []
    for alarm in asked:
        try:
            check_state(kind, _alarm(gateway, alarm).state)
            command = await _ask(gateway, user, kind, alarm, said=said, press=press, args=args)
            items.append({"id": alarm, "command": command, "refused": None})
        except Refusal as refusal:
            items.append({"id": alarm, "command": None, "refused": refused_of(refusal)})
    return {"items": items}


async def _ask(
    gateway: Served,
    user: User,
    kind: CommandKind,
    alarm: str,
    *,
    said: Note,
    press: Press,
    args: dict[str, Arg] | None = None,
) -> shapes.Command:
    note = said.words(kind)
    return await ask(
        gateway, user, kind=kind, target=alarm, reason=note or kind, reason_code=said.reason_code,
        args={**(args or {}), "note": note}, ttl_s=TTL_S, press=press,
    )  # fmt: skip

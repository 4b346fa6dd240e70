"""`GET /api/search` of this gateway: one box for people, doors, lanes, devices, alarms, tickets and meters."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request

from contract.texts import Text
from gateway.engine.alarms.episodes import ticket_item
from gateway.web.served import Gateway, Served
from rules.access.rooms import in_room, is_room, room_key
from web import shapes
from web.finding.box import Fit, FoundThings, found, grouped, named, plain, rank_of, same
from web.session.sessions import SignedInUser
from web.witness import Witnessed

router = APIRouter(prefix="/api/search", tags=["search"])

SLICE = 2_000
"""People that are looked at between two turns of the doors."""

MOST_PEOPLE = 50


@router.get("")
async def search(
    gateway: Gateway,
    user: SignedInUser,
    *,
    request: Request,
    witness: Witnessed,
    q: Annotated[str, Query(min_length=1, max_length=100)],
) -> FoundThings:
    """People by name or room, doors, lanes, devices, alarms that are not over, tickets by title, meters by number."""
    wanted = plain(q)
    if not wanted:
        return {"groups": []}
    fits = _things(gateway, wanted)
    if user.viewer().sees("passing"):
        people = await _people(gateway, wanted)
        if people:
            witness.read(request, user, "holders", gateway.site, records=len(people))
        fits += people
    return grouped(fits)


async def _people(gateway: Served, wanted: str) -> list[Fit]:
    fits: list[Fit] = []
    room = room_key(wanted)
    for count, holder in enumerate(list(gateway.people.holders.values())):
        if count % SLICE == SLICE - 1:
            await asyncio.sleep(0)
        rank = rank_of(wanted, (holder.name, holder.unit))
        if rank is None and is_room(room) and in_room(room_key(holder.unit), room):
            rank = 1
        if rank is not None:
            fits.append(Fit(rank, found("person", holder.id, gateway.site, same(holder.name), same(holder.unit))))
            if len(fits) == MOST_PEOPLE:
                break
    return fits


def _things(gateway: Served, wanted: str) -> list[Fit]:
    layout, site = gateway.engine.layout, gateway.site
    lanes = [_called(each.id, each.name) for each in layout.lanes]
    doors = [_called(each.id, each.name) for each in layout.doors]
    return [
        *named("place", site, [*lanes, *doors], wanted),
        *named("device", site, [_called(each.id, each.name) for each in layout.devices], wanted),
        *named("meter", site, [_called(each.id, each.name, each.meter_no) for each in layout.meters], wanted),
        *_alarms(gateway, wanted),
    ]


def _alarms(gateway: Served, wanted: str) -> Iterator[Fit]:
    """Alarms that are not over, and tickets of all that are held."""
    for alarm in gateway.engine.alarms.alarms.values():
        message, asset = shapes.text_of(alarm.cause.message), alarm.cause.asset
        rank = rank_of(wanted, (message["zh"], message["en"], asset))
        if rank is not None and alarm.state != "closed":
            yield Fit(rank, found("alarm", alarm.id, gateway.site, message, same(asset)))
        ticket = ticket_item(alarm, gateway.site)
        if ticket is not None and (rank := rank_of(wanted, (ticket["title"]["zh"], ticket["title"]["en"]))) is not None:
            yield Fit(rank, found("ticket", ticket["id"], gateway.site, ticket["title"], same(asset)))


def _called(id: str, name: Text, number: str = "") -> tuple[str, Mapping[str, str], Sequence[str]]:
    return id, {"zh": name.zh, "en": name.en}, [number] if number else []

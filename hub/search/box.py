"""`GET /api/search`: one box for everything that the company has, as far as who asks may see it.

Each kind is one statement along an index, or over few rows; at most five of a kind are told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from sqlalchemy import ColumnElement, or_
from sqlalchemy import select as sa_select
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.access.finding import called_so
from hub.access.models import BlockRow, CredentialRow, HolderRow
from hub.access.spelling import sound_key
from hub.alarms import service as alarms
from hub.database.transactions import Reading
from hub.entries import service as entries
from hub.entries.service import Meant, WantedEntries
from hub.meters.models import Meter
from hub.sites import service as sites
from hub.sites.models import SiteRow
from hub.tickets.listing import worded_so
from hub.tickets.models import TicketRow
from rules.access.rooms import in_room, is_room, room_key
from rules.access.values import plate_key
from web import shapes
from web.finding.box import MOST, Fit, FoundThings, found, grouped, named, plain, rank_of, same
from web.finding.tickets import number_in
from web.paging import sites_asked
from web.session.sessions import SignedInUser
from web.users import User
from web.witness import Witnessed

router = APIRouter(prefix="/api/search", tags=["search"])

OPEN_ALARMS = 1_000

LATELY = 40
"""Entries looked at for plates that nobody has registered."""

_BLOCKED: shapes.Text = {"zh": "黑名单", "en": "Block list"}
_SEEN: shapes.Text = {"zh": "未登记", "en": "Not registered"}


@router.get("")
async def search(
    user: SignedInUser,
    session: Reading,
    *,
    request: Request,
    witness: Witnessed,
    q: Annotated[str, Query(min_length=1, max_length=100)],
    site: str | None = None,
) -> FoundThings:
    """Vehicles by plate, people by name, pinyin, initials or room, doors, lanes, devices, open alarms, tickets by
    number or title, meters by number: at most five of each, the best first."""
    looked = sites_asked(user, site)
    if looked is None:
        looked = [row.id for row in await sites.listed(session, None)]
    wanted = plain(q)
    if not wanted:
        return {"groups": []}
    await entries.planned_anew(await session.connection())
    fits: list[Fit] = []
    if user.may("people.read"):
        people = [*await _vehicles(session, looked, wanted), *await _people(session, looked, wanted)]
        if people:
            witness.read(request, user, "holders", site, records=len(people))
        fits += people
    fits += await _things(session, user, looked, wanted)
    fits += await _alarms(session, looked, wanted)
    fits += await _tickets(session, looked, wanted)
    return grouped(fits)


async def _people(session: AsyncSession, looked: Sequence[str], wanted: str) -> list[Fit]:
    called = called_so(wanted)
    if not called:
        return []
    query = (
        select(HolderRow)
        .where(col(HolderRow.site).in_(looked), or_(*called))
        .order_by(col(HolderRow.room_order))
        .limit(MOST * 4)
    )
    room, sound = room_key(wanted), sound_key(wanted)
    fits = []
    for row in await session.exec(query):
        rank = rank_of(wanted, (row.name, row.unit))
        if rank != 0:
            lives = room_key(row.unit)
            exact = (is_room(room) and lives == room) or f" {sound} " in f"{row.found_by} "
            beginning = is_room(room) and in_room(lives, room)
            rank = 0 if exact else min(2 if rank is None else rank, 1 if beginning or sound else 2)
        fits.append(Fit(rank, found("person", row.id, row.site, same(row.name), same(row.unit))))
    return fits


async def _vehicles(session: AsyncSession, looked: Sequence[str], wanted: str) -> list[Fit]:
    """Plates that are registered or blocked, then those that were only seen."""
    key = plate_key(wanted)
    if len(key) < 2:
        return []
    owned = (
        select(CredentialRow, HolderRow)
        .join(HolderRow, (col(HolderRow.site) == CredentialRow.site) & (col(HolderRow.id) == CredentialRow.holder))
        .where(col(CredentialRow.site).in_(looked), CredentialRow.kind == "plate")
        .where(col(CredentialRow.value).contains(key, autoescape=True))
        .limit(MOST * 2)
    )
    fits: dict[tuple[str, str], Fit] = {}

    def add(site: str, plate: str, detail: shapes.Text, after: int = 0) -> None:
        rank = rank_of(plain(key), (plate,))
        if rank is not None:
            fits.setdefault((site, plate), Fit(rank + after, found("vehicle", plate, site, same(plate), detail)))

    blocked = (
        select(BlockRow)
        .where(col(BlockRow.site).in_(looked), BlockRow.kind == "plate")
        .where(col(BlockRow.value).contains(key, autoescape=True))
        .limit(MOST)
    )
    for block in await session.exec(blocked):
        add(block.site, block.value, _BLOCKED)
    for credential, holder in await session.exec(owned):
        add(credential.site, credential.value, same(" · ".join(filter(None, (holder.name, holder.unit)))))
    seen = WantedEntries(sites=looked, meant=Meant(key, (), (), ()))
    for one in await entries.search(await session.connection(), seen, LATELY):
        if one.row.plate:
            add(one.row.site, one.row.plate, _SEEN, after=1)
    return list(fits.values())


async def _things(session: AsyncSession, user: User, looked: Sequence[str], wanted: str) -> list[Fit]:
    """What sites consist of, as their gateways describe it, and what meters are called by themselves."""
    parts = [_layout(kind) for kind in ("doors", "lanes", "devices", "meters")]
    conn = await session.connection()
    rows = await conn.execute(sa_select(col(SiteRow.id), *parts).where(col(SiteRow.id).in_(looked)))
    fits: list[Fit] = []
    known: set[tuple[str, str]] = set()
    for site, doors, lanes, devices, meters in rows:
        fits += named("place", site, _called([*(lanes or ()), *(doors or ())]), wanted)
        fits += named("device", site, _called(devices or ()), wanted)
        if user.may("meters.read"):
            fits += named("meter", site, _called(meters or (), "meter_no"), wanted)
            known |= {(site, meter["id"]) for meter in meters or ()}
    if user.may("meters.read"):
        query = select(Meter.site, Meter.id, Meter.meter_no).where(col(Meter.site).in_(looked)).distinct()
        read = query.where(or_(col(Meter.meter_no).icontains(wanted, autoescape=True), col(Meter.id) == wanted)).limit(
            20
        )
        for site, id, number in await session.exec(read):
            if (site, id) not in known:
                fits += named("meter", site, [(id, {"zh": id, "en": id}, (number,))], wanted)
    return fits


def _called(things: Sequence[dict[str, Any]], *more: str) -> Iterator[tuple[str, dict[str, str], Sequence[str]]]:
    for thing in things:
        yield thing["id"], thing["name"], [str(thing[name]) for name in more if thing.get(name)]


async def _alarms(session: AsyncSession, looked: Sequence[str], wanted: str) -> list[Fit]:
    fits = []
    for row in await alarms.open_ones(session, list(looked), OPEN_ALARMS):
        rank = rank_of(wanted, (row.message["zh"], row.message["en"], row.asset))
        if rank is not None:
            message: shapes.Text = {"zh": row.message["zh"], "en": row.message["en"]}
            fits.append(Fit(rank, found("alarm", row.id, row.site, message, same(row.asset))))
    return fits


async def _tickets(session: AsyncSession, looked: Sequence[str], wanted: str) -> list[Fit]:
    of_sites = select(TicketRow).where(col(TicketRow.site).in_(looked))
    rows: list[TicketRow] = []
    if called := worded_so(wanted):
        newest = col(TicketRow.raised_at).desc()
        rows += await session.exec(of_sites.where(or_(*called)).order_by(newest).limit(MOST * 2))
    if (number := number_in(wanted)) is not None:
        rows += await session.exec(of_sites.where(TicketRow.number == number).limit(MOST))
    fits: dict[str, Fit] = {}
    for row in rows:
        rank = rank_of(wanted, (row.title["zh"], row.title["en"], str(row.number), f"#{row.number}"))
        fits[row.id] = Fit(
            2 if rank is None else rank, found("ticket", row.id, row.site, row.title, same(f"#{row.number}"))
        )
    return list(fits.values())


def _layout(part: str) -> ColumnElement[Any]:
    """A part of the layout alone: its points are many."""
    found: ColumnElement[Any] = col(SiteRow.layout)[part]
    return found

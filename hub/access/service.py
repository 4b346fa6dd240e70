"""Holders, credentials, grants, schedules and blocks: every change goes into the desired state of its site and into the
history, in one transaction (opened with `writes=True` by the caller).

Events name ids and fields, never names or values: those lie beside the history (`hub.changes`), so that a person can
be erased and the chain still verifies.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from pydantic import BaseModel
from sqlalchemy import and_, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from contract import cards
from contract.commands import Person
from contract.rights import HIDDEN
from contract.texts import Text
from hub.access.finding import found_so
from hub.access.models import BlockRow, CredentialRow, GrantRow, HolderRow, ScheduleRow
from hub.access.nouns import CREDENTIAL, GRANT, Noun, Row
from hub.access.schemas import MEANT, BlockBody, CredentialBody, GrantBody, Presentable, ScheduleBody
from hub.changes import service as changes
from hub.changes.service import Change
from hub.database import once
from hub.database.transactions import connection
from hub.desired import service as desired
from hub.sites.models import SiteRow
from rules.access.schedules import ALWAYS
from web.asked import Body
from web.errors import Conflict, Invalid, NotFound, Refusal
from web.sealing import is_sealed

_IN_FORCE = Text("已有一个有效门禁介质使用此号码", "A valid card or plate has this number already")
_IN_FORCE_OF = Text("此号码已是{who}的有效门禁介质", "This is already a valid card or plate of {who}")
_BLOCKED = Text("此号码已在黑名单中", "This number is on the block list already")
_NO_HOLDER = Text("没有这个人员", "There is no such person")
_NO_SCHEDULE = Text("没有这个时段", "There is no such schedule")
_NO_PLACE = Text("没有这个门、车道或区域：{places}", "There is no such door, lane or zone: {places}")
_IN_USE = Text("仍有通行权限使用此时段", "Access still uses this schedule")
_RESERVED = Text("always 是内置时段", "`always` exists already: use another id")
_NEVER = Text("起止相同等于从不开放；全天写 00:00 到 24:00", "never holds; a whole day is 00:00 to 24:00")
_NO_DAY = Text("日历上没有这一天", "the calendar has no such day")
_WHICH_FORM = Text(
    "十位数字可能是卡面十进制号（10D），也可能是十六进制：请说明写法 form",
    "ten digits may be the number printed on the card (10D) or hex: say which with `form`",
)
_TAKEN = Text("此编号已被使用", "This id is taken")


class Unfit(Exception):
    """One of several that cannot be added. `refusal`: what stands against it."""

    def __init__(self, row_id: str, refusal: Refusal) -> None:
        super().__init__(row_id)
        self.row_id = row_id
        self.refusal = refusal


async def create(
    session: AsyncSession, noun: Noun, site: SiteRow, body: Body, by: Person, *, wanted_id: str | None = None
) -> Row:
    """Add one; `Invalid` or `Conflict` say which field stands against it."""
    try:
        (row,) = await create_all(session, noun, site, [(wanted_id or str(uuid.uuid4()), body)], by)
    except Unfit as unfit:
        raise unfit.refusal from None
    return row


async def create_all(
    session: AsyncSession, noun: Noun, site: SiteRow, items: Sequence[tuple[str, Body]], by: Person
) -> list[Row]:
    """Add many of one noun, as one revision of the desired state; `Unfit` names the first that cannot be.

    The statements do not grow with their number, so that the history lock is held for a moment only.
    """
    taken = set(await existing(session, noun, site.id, [row_id for row_id, _ in items]))
    held = await _held(session, site.id, [body for _, body in items])
    rows = []
    for row_id, body in items:
        try:
            if row_id in taken:
                raise Conflict(_TAKEN, fields={"id": _TAKEN})
            _check_written(body)
            _check(held, site, row_id, body)
        except Refusal as refusal:
            raise Unfit(row_id, refusal) from refusal
        taken.add(row_id)
        held.add(row_id, body)
        columns = _columns(body)
        rows.append(noun.row(site=site.id, id=row_id, changed_at=datetime.now(UTC), **columns, **noun.derived(columns)))
    session.add_all(rows)
    await session.flush()
    fields = noun.fields()
    await _tell(session, noun, rows, [_change(noun, row, "created", fields, after=row) for row in rows], by)
    return rows


async def existing(session: AsyncSession, noun: Noun, site: str, ids: Sequence[str]) -> Sequence[str]:
    """Those of `ids` that the site has."""
    return (await session.exec(select(noun.row.id).where(noun.row.site == site, noun.row.id.in_(ids)))).all()


async def change(session: AsyncSession, noun: Noun, row: Row, body: Body, by: Person) -> Row:
    """Make it what is wanted; nothing happens if it is that already."""
    wanted = _columns(body)
    fields = [name for name, value in wanted.items() if getattr(row, name) != value]
    if not fields:
        return row
    if "value" in fields:
        _check_written(body)
    _check(await _held(session, row.site, [body]), await site_of(session, row.site), row.id, body)
    before = noun.row(**row.model_dump())
    for name, value in (wanted | noun.derived(wanted)).items():
        if getattr(row, name) != value:
            setattr(row, name, value)
    row.changed_at = datetime.now(UTC)
    session.add(row)
    await session.flush()
    await _tell(session, noun, [row], [_change(noun, row, "updated", fields, before=before, after=row)], by)
    return row


async def remove(session: AsyncSession, noun: Noun, row: Row, by: Person) -> None:
    """Remove it; a holder goes with everything that is theirs. `Conflict` while grants use a schedule."""
    if isinstance(row, ScheduleRow):
        using = select(GrantRow.id).where(GrantRow.site == row.site, GrantRow.schedule == row.id).limit(1)
        if (await session.exec(using)).first() is not None:
            raise Conflict(_IN_USE, "in_use")
    if isinstance(row, HolderRow):
        for theirs in (GRANT, CREDENTIAL):
            for one in await of_holder(session, theirs, row.site, row.id):
                await remove(session, theirs, one, by)
    await session.delete(row)
    await session.flush()
    conn = await connection(session)
    await once.forget(conn, row.id)
    await _tell(session, noun, [row], [_change(noun, row, "removed", noun.fields(), before=row)], by)
    if isinstance(row, HolderRow):
        await changes.erase(conn, row.site, row.id)


async def of_holder(session: AsyncSession, noun: Noun, site: str, holder: str) -> Sequence[Row]:
    """The holder's credentials or grants, by id."""
    query = select(noun.row).where(noun.row.site == site, noun.row.holder == holder).order_by(noun.row.id)
    return (await session.exec(query)).all()


async def find(session: AsyncSession, noun: Noun, row_id: str, sites: Sequence[str] | None) -> Sequence[Row]:
    """The rows of that id at these sites (or all)."""
    query = select(noun.row).where(noun.row.id == row_id)
    if sites is not None:
        query = query.where(noun.row.site.in_(sites))
    return (await session.exec(query)).all()


async def listed(
    session: AsyncSession,
    noun: Noun,
    sites: Sequence[str] | None,
    filters: Mapping[str, str | None],
    *,
    q: str,
    after: tuple[str, str, str] | None,
    limit: int,
    sort: str = "",
    whole: bool = True,
) -> Sequence[Row]:
    """Rows in the noun's order, or in the one that `sort` names, from the one with the sort key `after` on.

    `filters`: column → value; `q`: searched. `whole`: whether who asks reads whole numbers, and so may look for parts.
    """
    kind = noun.row
    order = noun.orders.get(sort, noun.order)
    query = select(kind).order_by(order, kind.site, kind.id).limit(limit)
    if sites is not None:
        query = query.where(kind.site.in_(sites))
    for column, value in filters.items():
        if value is not None:
            query = query.where(getattr(kind, column) == value)
    if q:
        query = query.where(found_so(noun, q, whole=whole))
    if after is not None:
        first, site, row_id = after
        beyond = or_(kind.site > site, and_(kind.site == site, kind.id > row_id))
        query = query.where(or_(order > first, and_(order == first, beyond)))
    return (await session.exec(query)).all()


def sort_key(noun: Noun, row: Row, sort: str = "") -> tuple[str, str, str]:
    """The row's place in lists that follow `sort`."""
    return getattr(row, noun.orders.get(sort, noun.order).key), row.site, row.id


async def site_of(session: AsyncSession, site: str) -> SiteRow:
    """The site; `NotFound` if there is none."""
    row = await session.get(SiteRow, site)
    if row is None:
        raise NotFound
    return row


class _Held(NamedTuple):
    """What a site holds of what bodies name. `values`: (kind, value) that may be there once → the row that has it.

    `owners`: row of a credential → who that is, in words; nobody is told whose PIN they have guessed.
    """

    holders: set[str]
    schedules: set[str]
    values: dict[tuple[str, str], str]
    owners: dict[str, str]

    def add(self, row_id: str, body: Body) -> None:
        """Count one in that has been checked."""
        if (value := _once(body)) is not None:
            self.values[value] = row_id


async def _held(session: AsyncSession, site: str, bodies: Sequence[Body]) -> _Held:
    holders = {body.holder for body in bodies if isinstance(body, CredentialBody | GrantBody)}
    schedules = {body.schedule for body in bodies if isinstance(body, GrantBody)} - {ALWAYS}
    held = _Held(set(), {ALWAYS}, {}, {})
    if holders:
        asked = select(HolderRow.id).where(HolderRow.site == site, col(HolderRow.id).in_(holders))
        held.holders.update((await session.exec(asked)).all())
    if schedules:
        asked = select(ScheduleRow.id).where(ScheduleRow.site == site, col(ScheduleRow.id).in_(schedules))
        held.schedules.update((await session.exec(asked)).all())
    for kind, of_kind in ((CredentialRow, CredentialBody), (BlockRow, BlockBody)):
        values = {once[1] for body in bodies if isinstance(body, of_kind) and (once := _once(body)) is not None}
        if values:
            same = select(kind.kind, kind.value, kind.id).where(kind.site == site, col(kind.value).in_(values))
            if kind is CredentialRow:
                same = same.where(CredentialRow.state == "active")
            held.values.update({(row[0], row[1]): row[2] for row in (await session.exec(same)).all()})
    if rows := set(held.values.values()):
        theirs = (
            select(CredentialRow.id, HolderRow.name, HolderRow.unit)
            .join(HolderRow, (col(HolderRow.site) == CredentialRow.site) & (col(HolderRow.id) == CredentialRow.holder))
            .where(CredentialRow.site == site, col(CredentialRow.id).in_(rows), CredentialRow.kind != "pin")
        )
        for row, name, unit in (await session.exec(theirs)).all():
            held.owners[row] = f"{name} {unit}".strip()
    return held


def _once(body: Body) -> tuple[str, str] | None:
    """What of the body may be at its site only once."""
    match body:
        case CredentialBody(state="active") | BlockBody():
            return body.kind, body.value
        case _:
            return None


def _check(held: _Held, site: SiteRow, row_id: str, body: Body) -> None:
    if isinstance(body, Presentable) and body.kind == "pin" and not is_sealed(body.value):
        raise ValueError("a PIN is sealed before it is kept (hub.access.sealing)")
    if isinstance(body, CredentialBody | GrantBody) and body.holder not in held.holders:
        raise Invalid({"holder": _NO_HOLDER})
    once = _once(body)
    if once is not None and held.values.get(once, row_id) != row_id:
        text = _IN_FORCE if isinstance(body, CredentialBody) else _BLOCKED
        who = held.owners.get(held.values[once]) if isinstance(body, CredentialBody) else None
        if who is not None:
            text = Text(_IN_FORCE_OF.zh.format(who=who), _IN_FORCE_OF.en.format(who=who))
        raise Conflict(text, "taken", {"value": text})
    match body:
        case GrantBody():
            _check_grant(held, site, body)
        case ScheduleBody():
            _check_hours(row_id, body)
        case _:
            pass


def _check_grant(held: _Held, site: SiteRow, body: GrantBody) -> None:
    if body.schedule not in held.schedules:
        raise Invalid({"schedule": _NO_SCHEDULE})
    if site.layout is None:
        # The gateway has not said yet what the site consists of: nothing to check against.
        return
    known = {place["id"] for kind in ("doors", "lanes", "zones") for place in site.layout.get(kind, ())}
    unknown = ", ".join(place for place in body.places if place not in known)
    if unknown:
        raise Invalid({"places": Text(_NO_PLACE.zh.format(places=unknown), _NO_PLACE.en.format(places=unknown))})


def _check_written(body: Body) -> None:
    if not isinstance(body, CredentialBody | BlockBody) or body.kind != "card":
        return
    if body.form is None and cards.doubtful(body.value):
        raise Invalid({"value": _WHICH_FORM})


def _check_hours(row_id: str, body: ScheduleBody) -> None:
    if row_id == ALWAYS:
        raise Invalid({"id": _RESERVED})
    for place, window in enumerate(body.windows):
        if window.since == window.until:
            raise Invalid({f"windows.{place}.until": _NEVER})
    for place, day in enumerate(body.days):
        try:
            datetime.strptime(day.day, "%Y-%m-%d")
        except ValueError as error:
            raise Invalid({f"days.{place}.day": _NO_DAY}) from error
        if any(since == until for since, until in day.hours):
            raise Invalid({f"days.{place}.hours": _NEVER})


def _columns(body: Body) -> dict[str, object]:
    """The body's fields as columns hold them: what is nested as JSON."""
    found = {}
    for name in type(body).model_fields:
        if name in MEANT:
            continue
        value = getattr(body, name)
        nested = isinstance(value, BaseModel | list | dict)
        found[name] = body.model_dump(mode="json", include={name})[name] if nested else value
    return found


def _change(
    noun: Noun,
    row: Row,
    change: Literal["created", "updated", "removed"],
    fields: Sequence[str],
    *,
    before: Row | None = None,
    after: Row | None = None,
) -> Change:
    """What an edit made of which fields, whose it is, and nobody's PIN."""

    def values(of: Row | None) -> dict[str, object]:
        if of is None:
            return {}
        shown = noun.shown(of).model_dump(mode="json", include=set(fields))
        return shown | ({"value": HIDDEN} if "value" in shown and getattr(of, "kind", "") == "pin" else {})

    return Change(
        kind=noun.name,
        id=row.id,
        change=change,
        fields=fields,
        before=values(before),
        after=values(after),
        site=row.site,
        subject=row.id if isinstance(row, HolderRow) else getattr(row, "holder", None),
    )


async def _tell(session: AsyncSession, noun: Noun, rows: Sequence[Row], done: Sequence[Change], by: Person) -> None:
    """The site's gateway and the history learn of it in the same commit. `rows`: of one site."""
    if not rows:
        return
    conn = await connection(session)
    site = rows[0].site
    pairs = zip(rows, done, strict=True)
    await desired.changed(
        conn, site, [(noun.name, row.id, None if data.change == "removed" else noun.item(row)) for row, data in pairs]
    )
    await changes.record(conn, done, by)

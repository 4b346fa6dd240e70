"""Sites: coming into being, being described, and reading what they consist of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from contract.commands import Person
from contract.layout import SiteLayout
from contract.texts import Text
from hub.changes import service as changes
from hub.changes.service import Change
from hub.database.transactions import connection
from hub.events.stream import HUB
from hub.sites.models import CompanyRow, SiteRow
from hub.sites.states import SiteView
from web import shapes

COMPANY = "company"
COMPANY_NAME: shapes.Text = {"zh": "物业公司", "en": "Property company"}


def unnamed() -> CompanyRow:
    """The company before anybody named it."""
    return CompanyRow(id=COMPANY, name=COMPANY_NAME, version=0)


async def company(session: AsyncSession) -> CompanyRow:
    """The company, made with a plain name if nobody named it yet."""
    row = await session.get(CompanyRow, COMPANY)
    if row is None:
        row = unnamed()
        session.add(row)
        await session.flush()
    return row


async def name_company(session: AsyncSession, row: CompanyRow, name: shapes.Text, by: Person) -> None:
    """Name the company; nothing happens if that is its name. `row`: as it stands, or `unnamed`."""
    if (before := row.name) == name:
        return
    row.name = name
    session.add(row)
    done = Change(
        kind="company", id=row.id, change="updated", fields=["name"], before={"name": before}, after={"name": name}
    )
    await changes.record(await connection(session), [done], by)


async def ensure(session: AsyncSession, site: str, name: Text, timezone: str) -> SiteRow:
    """The site; made if it is new."""
    row = await session.get(SiteRow, site)
    if row is None:
        owner = await company(session)
        row = SiteRow(
            id=site, company=owner.id, name=shapes.text_of(name), timezone=timezone, created_at=datetime.now(UTC)
        )  # fmt: skip
        session.add(row)
        await session.flush()
        after = {"name": row.name, "timezone": timezone}
        made = Change(kind="site", id=site, change="created", fields=list(after), after=after, site=site)
        await changes.record(await connection(session), [made], HUB)
    return row


async def describe(session: AsyncSession, layout: SiteLayout, at: datetime) -> SiteRow:
    """Keep what a site's gateway says of it."""
    row = await ensure(session, layout.site, layout.name, layout.timezone)
    row.name = shapes.text_of(layout.name)
    row.timezone = layout.timezone
    row.layout = msgspec.to_builtins(layout)
    row.described_at = at
    session.add(row)
    await session.flush()
    return row


async def listed(session: AsyncSession, sites: Sequence[str] | None) -> Sequence[SiteRow]:
    """These sites, or all, by id."""
    query = select(SiteRow).order_by(SiteRow.id)
    if sites is not None:
        query = query.where(col(SiteRow.id).in_(sites))
    return (await session.exec(query)).all()


def layout_of(row: SiteRow) -> SiteLayout:
    """The site's layout; one that has no gateway's word yet consists of nothing."""
    if row.layout is not None:
        return msgspec.convert(row.layout, SiteLayout)
    return SiteLayout(
        site=row.id, gateway="", name=Text(**row.name), timezone=row.timezone, fingerprint=""
    )  # fmt: skip


def view_of(row: SiteRow) -> SiteView:
    """The site's doors and lanes."""
    layout = row.layout or {}
    return SiteView(row.id, layout.get("doors", ()), layout.get("lanes", ()))


def things_of(row: SiteRow) -> frozenset[str] | None:
    """The ids of whatever the site consists of; None while its gateway has not said it."""
    if row.layout is None:
        return None
    kinds = ("doors", "lanes", "devices", "zones", "meters")
    things = [thing for kind in kinds for thing in row.layout.get(kind, ())]
    parts = {part for thing in things for part in (*thing.get("readers", ()), thing.get("camera", ""))}
    return frozenset({thing["id"] for thing in things} | parts)

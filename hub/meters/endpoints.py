"""`GET /api/meters`."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from contract.texts import Text
from hub.database.transactions import Reading
from hub.meters import service
from hub.meters.service import Meter
from web.errors import Invalid
from web.paging import Page, sites_asked
from web.session.sessions import SignedInUser

router = APIRouter(prefix="/api/meters", tags=["meters"])

LONGEST = timedelta(days=800)

_BACKWARD = Text("结束日期不能早于开始日期", "must not be before `from`")
_TOO_LONG = Text("日期范围不能超过 800 天", "the span must not be longer than 800 days")


@router.get("")
async def meters(
    *,
    session: Reading,
    user: SignedInUser,
    site: str | None = None,
    since: Annotated[date | None, Query(alias="from")] = None,
    until: Annotated[date | None, Query(alias="to")] = None,
) -> Page[Meter]:
    """The registers of one's sites by day of the site's calendar. Without days: the last 31."""
    last = until or datetime.now(UTC).date() + timedelta(days=1)
    first = since or last - timedelta(days=31)
    if last < first:
        raise Invalid({"to": _BACKWARD})
    if last - first > LONGEST:
        raise Invalid({"from": _TOO_LONG})
    items = await service.meters(await session.connection(), sites_asked(user, site), first, last)
    return Page[Meter](items=items)

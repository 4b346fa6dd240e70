"""`GET /api/meters`."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from contract.texts import Text
from hub.database.transactions import Reading
from hub.meters import service
from web.errors import Invalid
from web.paging import Page, sites_asked
from web.session.sessions import SignedInUser

router = APIRouter(prefix="/api/meters", tags=["meters"])

LONGEST = timedelta(days=800)

_BACKWARD = Text("结束日期不能早于开始日期", "must not be before `from`")
_TOO_LONG = Text("日期范围不能超过 800 天", "the span must not be longer than 800 days")


class MeterDayItem(BaseModel):
    """One day of one meter; a day on which meters were exchanged has two. `odd`: falls that nothing explains."""

    day: str
    meter_no: str
    first: float
    first_at: str
    last: float
    last_at: str
    used: float
    rollovers: int
    odd: int


class MeterItem(BaseModel):
    """A register, its last reading, and what it used on the days that were asked for."""

    id: str
    site: str
    register_name: Annotated[str, Field(alias="register")]
    meter_no: str
    unit: str
    value: float
    at: str
    used: float
    days: list[MeterDayItem]


@router.get("", response_model=Page[MeterItem])
async def meters(
    *,
    session: Reading,
    user: SignedInUser,
    site: str | None = None,
    since: Annotated[date | None, Query(alias="from")] = None,
    until: Annotated[date | None, Query(alias="to")] = None,
) -> dict[str, Any]:
    """The registers of one's sites by day of the site's calendar. Without days: the last 31."""
    last = until or datetime.now(UTC).date() + timedelta(days=1)
    first = since or last - timedelta(days=31)
    if last < first:
        raise Invalid({"to": _BACKWARD})
    if last - first > LONGEST:
        raise Invalid({"from": _TOO_LONG})
    items = await service.meters(await session.connection(), sites_asked(user, site), first, last)
    return {"items": items, "next": None}

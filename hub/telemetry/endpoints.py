"""`GET /api/points`, `GET /api/readings`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from contract.texts import Text
from hub.database.transactions import Reading
from hub.telemetry import service
from hub.telemetry.service import Span
from web import shapes
from web.errors import Invalid, NotFound
from web.paging import Page, sites_asked
from web.session.sessions import SignedInUser

router = APIRouter(prefix="/api", tags=["telemetry"])

DAY = timedelta(days=1)
LONGEST = timedelta(days=3700)

_BACKWARD = Text("结束时间必须晚于开始时间", "must be after `from`")
_TOO_LONG = Text("时间范围不能超过十年", "the span must not be longer than ten years")
_TOO_FINE = Text("步长太小，最多 {most} 步", "the step is too small: at most {most} steps")
_NO_STEP = Text("汇总需要步长", "an aggregate needs a step")
_LABEL = Text("文本点位只能取 last", "a text point has only `last`")


@router.get("/points")
async def points(session: Reading, user: SignedInUser, site: str | None = None) -> Page[shapes.Point]:
    """Every point of one's sites with its latest reading."""
    return Page[shapes.Point](items=await service.points(await session.connection(), sites_asked(user, site)))


@router.get("/readings")
async def readings(
    *,
    session: Reading,
    user: SignedInUser,
    site: str,
    point: Annotated[str, Query(max_length=129)],
    since: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to")] = None,
    step: Annotated[int | None, Query(ge=1, le=86_400 * 366, description="seconds")] = None,
    agg: shapes.Agg | None = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 5000,
) -> shapes.Series:
    """Readings of one point, oldest first: as they came, or one value a step. Without times: the last 24 hours."""
    sites_asked(user, site)
    span = _span(since, until)
    conn = await session.connection()
    asked = await service.point(conn, site, point)
    if asked is None:
        raise NotFound
    whole: shapes.Series = {
        "id": asked.id,
        "site": site,
        "unit": asked.unit,
        "step": step,
        "agg": agg,
        "items": [],
        "next": None,
    }
    if step is None:
        if agg is not None:
            raise Invalid({"step": _NO_STEP})
        items = await service.raw(conn, asked, span, limit + 1)
        whole["items"] = items[:limit]
        whole["next"] = items[limit]["at"] if len(items) > limit else None
        return whole
    agg = agg or ("last" if asked.type == "label" else "avg")
    if asked.type == "label" and agg != "last":
        raise Invalid({"agg": _LABEL})
    length = timedelta(seconds=step)
    if (span.end - span.start) / length > service.MOST_STEPS:
        most = str(service.MOST_STEPS)
        raise Invalid({"step": Text(_TOO_FINE.zh.format(most=most), _TOO_FINE.en.format(most=most))})
    whole["agg"] = agg
    whole["items"] = await service.steps(conn, asked, span, length, agg)
    return whole


def _span(since: datetime | None, until: datetime | None) -> Span:
    try:
        end = (until or datetime.now(UTC)).astimezone(UTC)
        start = (since or end - DAY).astimezone(UTC)
    except OverflowError:
        # The first or last day of the calendar, and beyond it in UTC.
        raise Invalid({"from": _TOO_LONG}) from None
    if end <= start:
        raise Invalid({"to": _BACKWARD})
    if end - start > LONGEST:
        raise Invalid({"from": _TOO_LONG})
    return Span(start, end)

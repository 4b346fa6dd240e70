"""`GET /api/points`, `GET /api/readings`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel

from contract.readings import Quality
from contract.texts import Text
from hub.database.transactions import Reading
from hub.telemetry import service
from hub.telemetry.service import Agg, Span
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
_LABEL = Text("文本测点只能取 last", "a text point has only `last`")


class PointItem(BaseModel):
    """A point and its latest reading. `name` is null for a point that the site's layout does not describe."""

    id: str
    site: str
    name: dict[str, str] | None
    type: str
    unit: str
    labels: dict[str, dict[str, str]]
    writable: bool
    value: float | bool | str | None
    quality: Quality
    at: str | None


class ReadingItem(BaseModel):
    """One reading, or the value of one step that begins at `at`."""

    at: str
    value: float | bool | str | None
    quality: Quality


class Series(Page[ReadingItem]):
    """Readings of one point. `next`: the `from` of the page after it."""

    id: str
    site: str
    unit: str
    step: int | None
    agg: Agg | None


@router.get("/points", response_model=Page[PointItem])
async def points(session: Reading, user: SignedInUser, site: str | None = None) -> dict[str, Any]:
    """Every point of one's sites with its latest reading."""
    return {"items": await service.points(await session.connection(), sites_asked(user, site)), "next": None}


@router.get("/readings", response_model=Series)
async def readings(
    *,
    session: Reading,
    user: SignedInUser,
    site: str,
    point: Annotated[str, Query(max_length=129)],
    since: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to")] = None,
    step: Annotated[int | None, Query(ge=1, le=86_400 * 366, description="seconds")] = None,
    agg: Agg | None = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 5000,
) -> dict[str, Any]:
    """Readings of one point, oldest first: as they came, or one value a step. Without times: the last 24 hours."""
    sites_asked(user, site)
    span = _span(since, until)
    conn = await session.connection()
    asked = await service.point(conn, site, point)
    if asked is None:
        raise NotFound
    head = {"id": asked.id, "site": site, "unit": asked.unit, "step": step, "agg": agg}
    if step is None:
        if agg is not None:
            raise Invalid({"step": _NO_STEP})
        items = await service.raw(conn, asked, span, limit + 1)
        following = items[limit]["at"] if len(items) > limit else None
        return head | {"items": items[:limit], "next": following}
    agg = agg or ("last" if asked.type == "label" else "avg")
    if asked.type == "label" and agg != "last":
        raise Invalid({"agg": _LABEL})
    length = timedelta(seconds=step)
    if (span.end - span.start) / length > service.MOST_STEPS:
        most = str(service.MOST_STEPS)
        raise Invalid({"step": Text(_TOO_FINE.zh.format(most=most), _TOO_FINE.en.format(most=most))})
    return head | {"items": await service.steps(conn, asked, span, length, agg), "next": None, "agg": agg}


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

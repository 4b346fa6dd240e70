"""`/api/points` and `/api/readings`: what the site's devices say, now and before."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
import structlog
from fastapi import APIRouter, Query
from pydantic import AwareDatetime
from starlette.responses import Response

from contract.layout import PointLayout
from contract.texts import Text
from gateway.web.items import point_item, reading_item, stepped
from gateway.web.served import Gateway, Served
from web import shapes
from web.errors import Invalid, NotFound, Refusal
from web.paging import Page

router = APIRouter(prefix="/api", tags=["telemetry"])
log = structlog.get_logger(__name__)

DAY_MS = 86_400_000
LONGEST_MS = 400 * DAY_MS
MOST_STEPS = 10_000

PLACE_ASPECTS: dict[str, Literal["label", "flag"]] = {
    "lock": "label",
    "contact": "label",
    "mode": "label",
    "barrier": "label",
    "loop_before": "flag",
    "loop_under": "flag",
}
"""What of a door's or lane's state is stored as readings."""

_BACKWARD = Text("结束时间必须晚于开始时间", "must be after `from`")
_TOO_LONG = Text("时间范围不能超过 400 天", "the span must not be longer than 400 days")
_TOO_FINE = Text(f"步长太小，最多 {MOST_STEPS} 步", f"the step is too small: at most {MOST_STEPS} steps")
_NO_STEP = Text("汇总需要步长", "an aggregate needs a step")
_UNREADABLE = Text("历史读数暂时无法读取", "The history cannot be read just now")
_LABEL = Text("文本点位只能取 last", "a text point has only `last`")


@router.get("/points")
async def points(gateway: Gateway) -> Page[shapes.Point]:
    """Every point of the site with its latest reading."""
    engine = gateway.engine
    items = [point_item(layout, engine.points.value(layout.id), gateway.site) for layout in engine.layout.points]
    return Page[shapes.Point].of(items)


@router.get("/readings", response_class=Response, responses={200: {"model": shapes.Series}})
async def readings(
    *,
    gateway: Gateway,
    point: Annotated[str, Query(max_length=129)],
    since: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to")] = None,
    step: Annotated[int | None, Query(ge=1, le=86_400 * 366, description="seconds")] = None,
    agg: shapes.Agg | None = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 5000,
) -> Response:
    """Readings of one point, oldest first: as they came, or one value a step. Without times: the last 24 hours."""
    layout = _layout(gateway, point)
    now = gateway.clock.wall_ms()
    end = now if until is None else round(until.timestamp() * 1000)
    start = end - DAY_MS if since is None else round(since.timestamp() * 1000)
    _check(start, end, step, agg, layout)
    try:
        found = await gateway.readings.history(point, start, end)
    except OSError as error:
        log.warning("history cannot be read", point=point, why=str(error))
        raise Refusal(503, "unreadable", _UNREADABLE) from error
    whole: shapes.Series = {
        "id": point,
        "site": gateway.site,
        "unit": layout.unit,
        "step": step,
        "agg": None,
        "items": [],
        "next": None,
    }
    if step is None:
        whole["items"] = [reading_item(reading) for reading in found[:limit]]
        whole["next"] = reading_item(found[limit])["at"] if len(found) > limit else None
    else:
        chosen: shapes.Agg = agg or ("last" if layout.type == "label" else "avg")
        whole["agg"] = chosen
        whole["items"] = stepped(found, start_ms=start, step_ms=step * 1000, agg=chosen)
    # Past pydantic: thousands of readings that the types have checked already.
    return Response(msgspec.json.encode(whole), media_type="application/json")


def _layout(gateway: Served, point: str) -> PointLayout:
    """The point of a device, or what a door's or lane's state is kept under."""
    engine = gateway.engine
    found = next((each for each in engine.layout.points if each.id == point), None)
    if found is not None:
        return found
    place, _, aspect = point.partition(".")
    if aspect not in PLACE_ASPECTS or (place not in engine.doors and place not in engine.lanes):
        raise NotFound
    return PointLayout(id=point, device=place, name=Text(point, point), type=PLACE_ASPECTS[aspect])


def _check(start: int, end: int, step: int | None, agg: shapes.Agg | None, layout: PointLayout) -> None:
    if end <= start:
        raise Invalid({"to": _BACKWARD})
    if end - start > LONGEST_MS:
        raise Invalid({"from": _TOO_LONG})
    if step is None:
        if agg is not None:
            raise Invalid({"step": _NO_STEP})
        return
    if (end - start) / (step * 1000) > MOST_STEPS:
        raise Invalid({"step": _TOO_FINE})
    if layout.type == "label" and agg not in {None, "last"}:
        raise Invalid({"agg": _LABEL})

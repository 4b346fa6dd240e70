"""`/api/events` and `/api/pictures`: the journal as people read it."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
import structlog
from fastapi import APIRouter, Path, Query
from starlette.responses import FileResponse, Response

from contract.texts import Text
from gateway.journal import Recorded
from gateway.web.items import event_item
from gateway.web.served import Gateway, Served
from web.errors import Invalid, NotFound, Refusal
from web.paging import Limit

router = APIRouter(prefix="/api", tags=["events"])
log = structlog.get_logger(__name__)

Cursor = Annotated[int | None, Query(ge=0, le=2**63 - 1)]
Names = Annotated[list[Annotated[str, Query(max_length=128)]], Query(max_length=50)]

MOST_QUERIES = 100
_UNREADABLE = Text("历史事件暂时无法读取", "The history cannot be read just now")
_TOO_MANY = Text("筛选条件过多", "too many kinds and sources at once")


@router.get("/events", response_class=Response, responses={200: {"content": {"application/json": {}}}})
async def events(
    *,
    gateway: Gateway,
    kind: Names = [],  # noqa: B006 - FastAPI copies it
    source: Names = [],  # noqa: B006
    after: Cursor = None,
    before: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """The history. With `after` oldest first, otherwise newest first; several kinds and sources may be asked for."""
    found = await _select(gateway, kind, source, after=after, before=before, limit=limit + 1)
    name = gateway.engine.site.gateway
    page = {
        "items": [event_item(event, gateway.site, name) for event in found[:limit]],
        "next": found[limit - 1].id if len(found) > limit else None,
    }
    # Past pydantic: the data goes out as the exact text that was recorded.
    return Response(msgspec.json.encode(page), media_type="application/json")


@router.get("/pictures/{picture}", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
async def picture(gateway: Gateway, picture: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]) -> Response:
    """A picture that an event names. Its id is a hash of its bytes: browsers may keep it."""
    file = gateway.pictures.path(picture)
    if file is None or not await asyncio.to_thread(file.is_file):
        raise NotFound
    headers = {"Cache-Control": "private, max-age=86400, immutable"}
    return FileResponse(file, media_type="image/jpeg", headers=headers)


async def _select(
    gateway: Served, kinds: list[str], sources: list[str], *, after: int | None, before: int | None, limit: int
) -> list[Recorded]:
    """One walk of the journal for each pair of kind and source, merged."""
    pairs = [(kind, source) for kind in dict.fromkeys(kinds or [""]) for source in dict.fromkeys(sources or [""])]
    if len(pairs) > MOST_QUERIES:
        raise Invalid({"kind": _TOO_MANY})
    found: list[Recorded] = []
    try:
        for kind, source in pairs:
            found += await gateway.journal.events(
                after=after, before=before, limit=limit, kind=kind or None, source=source or None
            )
    except OSError as error:
        log.warning("events cannot be read", why=str(error))
        raise Refusal(503, "unreadable", _UNREADABLE) from error
    found.sort(key=lambda event: event.id, reverse=after is None)
    return found[:limit]

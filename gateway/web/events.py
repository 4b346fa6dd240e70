"""`/api/events` and `/api/pictures`: the journal as people read it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import msgspec
import structlog
from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import FileResponse, Response

from contract.rights import Viewer
from contract.texts import Text
from gateway.journal import Recorded
from gateway.web.items import EventItem, seen_item
from gateway.web.served import Gateway, Served
from web import shapes
from web.errors import Invalid, NotFound, Refusal
from web.paging import Limit, Page
from web.session.sessions import Sees, SignedInUser
from web.users import User
from web.witness import Witnessed

router = APIRouter(prefix="/api", tags=["events"])
log = structlog.get_logger(__name__)

Cursor = Annotated[int | None, Query(ge=0, le=2**63 - 1)]
Onlooker = Annotated[User, Depends(Sees("passing"))]
Names = Annotated[list[Annotated[str, Query(max_length=128)]], Query(max_length=50)]

MOST_QUERIES = 100
MOST_PAGES = 20
_UNREADABLE = Text("历史事件暂时无法读取", "The history cannot be read just now")
_TOO_MANY = Text("筛选条件过多", "too many kinds and sources at once")


@router.get("/events", response_class=Response, responses={200: {"model": Page[shapes.Event]}})
async def events(
    *,
    gateway: Gateway,
    user: SignedInUser,
    kind: Names = [],  # noqa: B006 - FastAPI copies it
    source: Names = [],  # noqa: B006
    after: Cursor = None,
    before: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """The history. With `after` oldest first, otherwise newest first; several kinds and sources may be asked for."""
    asked = Asked(kind, source, after=after, before=before)
    items, following = await seen_events(gateway, user.viewer(), asked, limit)
    page = {"items": items, "next": following}
    # Past pydantic: the data goes out as the exact text that was recorded, but for what is hidden.
    return Response(msgspec.json.encode(page), media_type="application/json")


@router.get("/events/{event}", response_class=Response, responses={200: {"model": shapes.Event}})
async def one_event(event: Annotated[int, Path(ge=1, le=2**63 - 2)], gateway: Gateway, user: SignedInUser) -> Response:
    """One event of the journal; what is hidden from them is not there."""
    found = await _select(gateway, Asked(after=event - 1), 1)
    item = seen_item(found[0], gateway.site, gateway.engine.site.gateway, user.viewer()) if found else None
    if item is None or item.id != event:
        raise NotFound
    return Response(msgspec.json.encode(item), media_type="application/json")


@router.get("/pictures/{picture}", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
async def picture(
    gateway: Gateway,
    user: Onlooker,
    request: Request,
    witness: Witnessed,
    picture: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")],
) -> Response:
    """A picture that an event names. Its id is a hash of its bytes: browsers may keep it."""
    file = gateway.pictures.path(picture)
    if file is None or not await asyncio.to_thread(file.is_file):
        raise NotFound
    witness.read(request, user, "pictures", gateway.site, records=1, id=picture)
    headers = {"Cache-Control": "private, max-age=86400, immutable"}
    return FileResponse(file, media_type="image/jpeg", headers=headers)


@dataclass(frozen=True)
class Asked:
    """Which events: of these kinds and sources, above the id `after` (oldest first) or below `before` (newest)."""

    kinds: Sequence[str] = ()
    sources: Sequence[str] = ()
    after: int | None = None
    before: int | None = None

    def beyond(self, id: int) -> Asked:
        """The same, from that event on."""
        return replace(self, before=id) if self.after is None else replace(self, after=id)


async def seen_events(gateway: Served, viewer: Viewer, asked: Asked, limit: int) -> tuple[list[EventItem], int | None]:
    """At most `limit` events as they see them, and where the next page begins, None at the end.

    Where nearly all is hidden from them a page may have fewer, as one request reads only so much.
    """
    name = gateway.engine.site.gateway
    items: list[EventItem] = []
    for _ in range(MOST_PAGES):
        found = await _select(gateway, asked, limit + 1)
        for event in found[:limit]:
            if (item := seen_item(event, gateway.site, name, viewer)) is not None:
                items.append(item)
                if len(items) > limit:
                    return items[:limit], items[limit - 1].id
        if len(found) <= limit:
            return items, None
        asked = asked.beyond(found[limit - 1].id)
        if len(items) == limit:
            return items, found[limit - 1].id
    return items, asked.after if asked.before is None else asked.before


async def _select(gateway: Served, asked: Asked, limit: int) -> list[Recorded]:
    """One walk of the journal for each pair of kind and source, merged."""
    after, before = asked.after, asked.before
    pairs = list(itertools.product(dict.fromkeys(asked.kinds or [""]), dict.fromkeys(asked.sources or [""])))
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

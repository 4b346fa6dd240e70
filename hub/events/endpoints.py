"""`GET /api/events`, and one of them by its id."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from hub.database.transactions import Reading
from hub.events import service
from hub.events.service import WantedEvents
from web import shapes
from web.errors import NotFound
from web.paging import Limit, Page, sites_asked
from web.session.sessions import SignedInUser

router = APIRouter(prefix="/api/events", tags=["events"])

LARGEST = 2**63 - 1

Cursor = Annotated[int | None, Query(ge=0, le=LARGEST)]
Names = Annotated[list[Annotated[str, Query(max_length=128)]], Query(max_length=50)]


@router.get("", response_class=Response, responses={200: {"model": Page[shapes.Event]}})
async def events(
    *,
    session: Reading,
    user: SignedInUser,
    site: str | None = None,
    kind: Names = [],  # noqa: B006 - FastAPI copies it
    source: Names = [],  # noqa: B006
    after: Cursor = None,
    before: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """The history, as the user's role sees it (`contract/rights.py`).

    With `after` oldest first, otherwise newest first; `next` goes where this page's cursor came from. `kind` and
    `source` may be given several times.
    """
    sites = sites_asked(user, site)
    viewer = user.viewer()
    wanted = WantedEvents(sites=sites, viewer=viewer, kinds=kind, sources=source, after=after, before=before)
    found = await service.events(await session.connection(), wanted, limit + 1)
    items = found.events[:limit]
    more = len(found.events) > limit or found.full
    page = {"items": items, "next": items[-1].id if more else None}
    # Past pydantic: the data goes out as the exact text that came in.
    return Response(msgspec.json.encode(page), media_type="application/json")


@router.get("/{event}", response_class=Response, responses={200: {"model": shapes.Event}})
async def one_event(
    event: Annotated[int, Path(ge=1, le=LARGEST - 1)], session: Reading, user: SignedInUser
) -> Response:
    """One event, as the user's role sees it; what is hidden from them is not there."""
    wanted = WantedEvents(sites=sites_asked(user, None), viewer=user.viewer(), after=event - 1, before=event + 1)
    found = await service.events(await session.connection(), wanted, 1)
    if not found.events:
        raise NotFound
    return Response(msgspec.json.encode(found.events[0]), media_type="application/json")

"""`GET /api/entries`: who came where, found by plate, card, person, room, place and time."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from contract.rights import Viewer
from hub.database.event import to_instant
from hub.database.transactions import Reading
from hub.entries import service
from hub.entries.service import FoundEntry
from hub.events.service import seen
from hub.search.filters import wanted_of
from web.finding.entries import AskedEntries, Entry
from web.paging import Limit, Moment, Page, SealedCursors
from web.session.sessions import Able
from web.users import User
from web.witness import Witnessed

router = APIRouter(prefix="/api/entries", tags=["entries"])

Watching = Annotated[User, Depends(Able("watch"))]


@router.get("", response_class=Response, responses={200: {"model": Page[Entry]}})
async def entries(
    user: Watching,
    session: Reading,
    cursors: SealedCursors,
    *,
    request: Request,
    witness: Witnessed,
    asked: AskedEntries,
    cursor: str = "",
    limit: Limit = 50,
) -> Response:
    """Entries, the newest first. `q` is one box: a plate or a part of it however it is written, a card's number, a
    person's name, its pinyin or their initials, a room, the name of a door or lane.

    `cursor`: the `next` of the page before.
    """
    after = cursors.key(cursor, Moment, int) if cursor else None
    wanted = await wanted_of(session, user, asked, None if after is None else (after[0], after[1]))
    found = await service.search(await session.connection(), wanted, limit + 1)
    shown = [item_of(one, user.viewer()) for one in found[:limit]]
    if asked.names_somebody:
        # Whoever looks for somebody is told of; what came last stands on every screen anyway.
        witness.read(request, user, "holders", asked.site, records=len(shown))
    last = found[limit - 1].row if len(found) > limit else None
    page = {"items": shown, "next": None if last is None else cursors.after(last.at.isoformat(), last.event)}
    # Past pydantic: the event's data goes out as the exact text that came in, but for what is hidden.
    return Response(msgspec.json.encode(page), media_type="application/json")


def item_of(found: FoundEntry, viewer: Viewer) -> dict[str, object]:
    """An entry as they see it (`web.finding.entries.Entry`)."""
    row = found.row
    return {
        "event": seen(found.event, viewer),
        "outcome": row.outcome,
        "traveller": row.traveller,
        "passed_at": None if row.passed_at is None else to_instant(row.passed_at),
        "picture": row.picture if viewer.sees("passing") else None,
    }

"""`GET /api/pictures/{id}`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response

from hub.database.transactions import Reading
from hub.pictures import service
from web.errors import NotFound
from web.paging import sites_asked
from web.session.sessions import Sees
from web.users import User
from web.witness import Witnessed

router = APIRouter(prefix="/api/pictures", tags=["pictures"])


@router.get("/{picture}", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
async def picture(
    *,
    request: Request,
    witness: Witnessed,
    session: Reading,
    user: Annotated[User, Depends(Sees("passing"))],
    picture: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")],
) -> Response:
    """A picture that an event names. Its id is a hash of its bytes: browsers may keep it."""
    found = await service.jpeg(await session.connection(), picture, sites_asked(user, None))
    if found is None:
        raise NotFound
    witness.read(request, user, "pictures", None, records=1, id=picture)
    headers = {"Cache-Control": "private, max-age=86400, immutable"}
    return Response(found, media_type="image/jpeg", headers=headers)

"""`GET /api/pictures/{id}`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from hub.db import Reading
from hub.pictures import service
from web.errors import NotFound
from web.paging import sites_asked
from web.session import SignedInUser

router = APIRouter(prefix="/api/pictures", tags=["pictures"])


@router.get("/{picture}", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
async def picture(
    session: Reading,
    user: SignedInUser,
    picture: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")],
) -> Response:
    """A picture that an event names. Its id is a hash of its bytes: browsers may keep it."""
    found = await service.jpeg(await session.connection(), picture, sites_asked(user, None))
    if found is None:
        raise NotFound
    headers = {"Cache-Control": "private, max-age=86400, immutable"}
    return Response(found, media_type="image/jpeg", headers=headers)

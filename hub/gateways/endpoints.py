"""`GET /api/gateways`."""

from __future__ import annotations

from fastapi import APIRouter

from hub.database.transactions import Reading
from hub.gateways import service
from web import shapes
from web.paging import Page, sites_asked
from web.session.sessions import SignedInUser

router = APIRouter(prefix="/api/gateways", tags=["gateways"])


@router.get("")
async def gateways(session: Reading, user: SignedInUser, site: str | None = None) -> Page[shapes.Gateway]:
    """The gateways of one's sites."""
    conn = await session.connection()
    return Page[shapes.Gateway](items=await service.gateways(conn, sites_asked(user, site)))

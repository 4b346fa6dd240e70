"""`GET /api/gateways`."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from hub.database.transactions import Reading
from hub.gateways import service
from web.paging import Page, sites_asked
from web.session.sessions import SignedInUser

router = APIRouter(prefix="/api/gateways", tags=["gateways"])


class VersionsHeld(BaseModel):
    """What a gateway holds: software, revision of the desired state, fingerprint of its site file.

    `reads`: the highest version of what the hub says that it reads. The hub speaks to each gateway accordingly.
    """

    software: str
    desired: int
    site_file: str
    reads: int


class GatewayItem(BaseModel):
    """A gateway. `clock_error_ms`: how far its clock is ahead of the hub's; `backlog`: events not yet acknowledged."""

    id: str
    site: str
    online: bool
    backlog: int
    readings_backlog: int
    clock: str
    clock_error_ms: int | None
    versions: VersionsHeld
    seen_at: str | None


@router.get("", response_model=Page[GatewayItem])
async def gateways(session: Reading, user: SignedInUser, site: str | None = None) -> dict[str, Any]:
    """The gateways of one's sites."""
    conn = await session.connection()
    return {"items": await service.gateways(conn, sites_asked(user, site)), "next": None}

"""`POST /api/credentials/{id}/pin`: a PIN is shown to who looks after it, and that it was is in the history.

No key makes this act one (`web.once`): its answer is a secret, and is kept nowhere.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from contract.facts.people import RecordsRead
from hub.access.endpoints import one_of
from hub.access.models import CredentialRow
from hub.access.nouns import CREDENTIAL
from hub.access.schemas import PinShape
from hub.database.pins import SealedPins
from hub.database.transactions import Writing, connection
from hub.events import stream
from web.errors import NotFound
from web.session.sessions import Able, address_of
from web.users import User

router = APIRouter(prefix="/api/credentials", tags=["access"])

Keeper = Annotated[User, Depends(Able("people.write"))]


@router.post("/{id}/pin")
async def pin(
    id: str, *, request: Request, user: Keeper, session: Writing, pins: SealedPins, site: str | None = None
) -> PinShape:
    """Show a PIN: it is recorded who saw it."""
    row = await one_of(session, CREDENTIAL, id, user, site)
    if not isinstance(row, CredentialRow) or row.kind != "pin":
        raise NotFound
    seen = RecordsRead(by=user.person(), what="pin", times=1, records=1, ids=[row.id], address=address_of(request))
    await stream.record(await connection(session), "records.read", user.id, seen, site=row.site)
    return PinShape(value=pins.opened(row.site, row.value))

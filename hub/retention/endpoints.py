"""`GET /api/retention`: what the hub keeps how long, for whoever works with it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel

from hub.retention.terms import Terms, kept
from web import shapes
from web.paging import Page
from web.session.sessions import SignedInUser

router = APIRouter(prefix="/api/retention", tags=["retention"])


class KeptShape(BaseModel):
    """One kind of data. `days`: null as long as what it belongs to."""

    what: str
    text: shapes.Text
    days: int | None


@router.get("")
async def retention(request: Request, user: SignedInUser) -> Page[KeptShape]:
    """What is kept how long."""
    terms: Terms = getattr(request.app.state, "terms", Terms())
    items = [KeptShape(what=one.what, text=shapes.text_of(one.text), days=one.days) for one in kept(terms)]
    return Page(items=items)

"""The history: what the domain brings to the whole."""

from __future__ import annotations

from hub.domain import Domain
from hub.events.endpoints import router
from hub.events.models import EventPlace, EventRow

DOMAIN = Domain(
    routers=(router,),
    tables=(EventRow, EventPlace),
)

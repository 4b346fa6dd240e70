"""Work that is done later: what the domain brings to the whole."""

from __future__ import annotations

from hub.domain import Domain
from hub.jobs.endpoints import router
from hub.jobs.models import JobRow

DOMAIN = Domain(
    routers=(router,),
    tables=(JobRow,),
)

"""Commands on their way: what the domain brings to the whole."""

from __future__ import annotations

from hub.commands.endpoints import router
from hub.commands.models import CommandRow
from hub.commands.projections import PROJECTIONS
from hub.domain import Domain

DOMAIN = Domain(
    routers=(router,),
    tables=(CommandRow,),
    projections=PROJECTIONS,
)

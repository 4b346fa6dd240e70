"""Commands on their way: what the domain brings to the whole."""

from __future__ import annotations

from hub.commands.models import CommandRow
from hub.commands.projections import PROJECTIONS
from hub.commands.sending import EXPIRING
from hub.domain import Domain

DOMAIN = Domain(
    tables=(CommandRow,),
    projections=PROJECTIONS,
    jobs=(EXPIRING,),
)

"""What edits changed: what the domain brings to the whole."""

from __future__ import annotations

from hub.changes.endpoints import router
from hub.changes.models import ChangeRow
from hub.domain import Domain

DOMAIN = Domain(
    routers=(router,),
    tables=(ChangeRow,),
)

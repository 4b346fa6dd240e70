"""Who may pass: what the domain brings to the whole."""

from __future__ import annotations

from hub.access import respelling, showing
from hub.access.endpoints import routers
from hub.access.models import BlockRow, CredentialRow, GrantRow, HolderRow, ScheduleRow
from hub.domain import Domain

DOMAIN = Domain(
    routers=(*routers, showing.router),
    tables=(HolderRow, CredentialRow, ScheduleRow, GrantRow, BlockRow),
    jobs=(respelling.JOB,),
)

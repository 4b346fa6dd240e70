"""What is kept how long: what the domain brings to the whole."""

from __future__ import annotations

from hub.domain import Domain
from hub.retention.endpoints import router

DOMAIN = Domain(
    routers=(router,),
)

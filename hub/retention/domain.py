"""What is kept how long: what the domain brings to the whole."""

from __future__ import annotations

from hub.domain import Domain
from hub.retention.endpoints import router
from hub.retention.pruning import PRUNING

DOMAIN = Domain(
    routers=(router,),
    jobs=(PRUNING,),
)

"""What people ask for: what the domain brings to the whole."""

from __future__ import annotations

from hub.asking.endpoints import router
from hub.domain import Domain

DOMAIN = Domain(routers=(router,))

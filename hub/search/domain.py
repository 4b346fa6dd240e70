"""Search: what the domain brings to the whole."""

from __future__ import annotations

from hub.domain import Domain
from hub.search import entries, export

DOMAIN = Domain(routers=(entries.router, export.router))

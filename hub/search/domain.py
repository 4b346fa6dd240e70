"""Search: what the domain brings to the whole."""

from __future__ import annotations

from hub.domain import Domain
from hub.search import box, entries, export

DOMAIN = Domain(routers=(box.router, entries.router, export.router))

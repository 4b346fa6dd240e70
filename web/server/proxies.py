"""Proxies of this machine that are not believed: who comes through them would pass for this machine."""

from __future__ import annotations

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from web.addresses import THIS_MACHINE, Network, lies_in

log = structlog.get_logger(__name__)

BELIEVED = "x-forwarded-for"
SAYS = (BELIEVED, "x-real-ip", "forwarded")
"""In which a proxy says for whom it asks; one of them is believed of those that are named."""


class UnnamedProxies:
    """Finds requests of a proxy of this machine that is not believed, as none of the `trusted`, and says so once.

    What it says of others is not believed, so all of them count as one address; what is for this machine alone must not
    be given to it (`is_for_another`).
    """

    def __init__(self, app: ASGIApp, trusted: tuple[Network, ...]) -> None:
        self.app = app
        self._trusted = trusted
        self._said = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._speaks(scope):
            scope.setdefault("state", {})[_FOR_ANOTHER] = True
            if not self._said:
                self._said = True
                log.warning(
                    "a proxy of this machine speaks for others and is not believed",
                    look_at="name it among the trusted proxies, let it send X-Forwarded-For: until then all who come "
                    "through it share one address's limits",
                )
        await self.app(scope, receive, send)

    def _speaks(self, scope: Scope) -> bool:
        address = (scope.get("client") or ("", 0))[0]
        headers = Headers(scope=scope)
        if not any(name in headers for name in SAYS) or not lies_in(address, THIS_MACHINE):
            return False
        return BELIEVED not in headers or not lies_in(address, self._trusted)


def is_for_another(scope: Scope) -> bool:
    """Whether a request comes from this machine, but for somebody that nobody vouches for."""
    return bool(scope.get("state", {}).get(_FOR_ANOTHER))


_FOR_ANOTHER = "for_another"

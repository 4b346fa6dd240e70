"""The gateway's own server refuses what it does not know, as the hub does."""

from __future__ import annotations

from pathlib import Path

from tests.gateway.test_web_site import site
from tests.web.console_asks import unknown_asks
from tests.web.walking import lenient_routes, open_bodies, routes


async def test_every_route_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        await there.sign_in("admin")
        assert len(list(routes(there.app))) > 20
        assert open_bodies(there.app) == []
        assert await lenient_routes(there.app, there.client) == []
        assert unknown_asks(there.app) == []

"""The live stream of a gateway: a snapshot, what was committed since, and what came while a screen was away."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from contract.rights import viewer_of
from tests.gateway.test_web_site import Site, site
from web.live.screens import View


async def frames(there: Site, count: int, **headers: str) -> list[tuple[str, Any]]:
    """The first `count` frames of a new stream: (event, data)."""
    app: Any = there.client._transport.app  # type: ignore[attr-defined]
    live = app.state.live
    screen = live.open("a-guard", View(frozenset({"yard"}), viewer_of("guard", "a-guard")))
    found: list[tuple[str, Any]] = []
    after = int(headers["last"]) if "last" in headers else None
    stream = live.frames(screen, after)
    try:
        async for chunk in stream:
            for part in chunk.decode().strip().split("\n\n"):
                fields = dict(line.split(": ", 1) for line in part.splitlines() if ": " in line)
                if "event" in fields:
                    found.append((fields["event"], json.loads(fields["data"])))
            if len(found) >= count:
                return found
            await there.here.card("04A1B2C3D4E5F6")
    finally:
        await stream.aclose()
        live.leave(screen)
    return found


async def test_a_screen_gets_a_snapshot_and_then_what_was_committed(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        await there.here.card("04DEADBEEF0001")
        found = await frames(there, 3)
        assert found[0][0] == "snapshot"
        snapshot = found[0][1]
        assert set(snapshot) == {"as_of", "doors", "lanes", "alarms", "tickets", "gateways", "events"}
        assert snapshot["events"][0]["kind"] == "access.denied"
        kinds = [name for name, _ in found[1:]]
        assert kinds[0] == "events"
        assert [event["kind"] for event in found[1][1]] == ["access.granted"]
        states = [data for name, data in found if name == "state"]
        assert [(state["kind"], state["id"], state["lock"]) for state in states] == [("door", "lobby", "released")]


async def test_a_screen_that_comes_back_gets_what_it_missed_and_a_foreign_cursor_resets_it(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        seen = there.here.journal.last_id
        await there.here.card("04DEADBEEF0001")
        found = await frames(there, 2, last=str(seen))
        assert [name for name, _ in found] == ["events", "snapshot"]
        assert [event["kind"] for event in found[0][1]] == ["access.denied"]
        assert [name for name, _ in await frames(there, 2, last="999999")] == ["reset", "snapshot"]

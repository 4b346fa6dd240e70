"""At a site, too, one act of a person is done once, however often it is sent."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.gateway.test_web_site import site
from tests.web.walking import routes

COMMAND: dict[str, Any] = {"site": "yard", "target": "lobby", "kind": "door.unlock", "reason": "访客"}
NO_KEY = {
    "/api/session": "asks for a password, and its answer is a secret",
    "/api/self/confirm": "asks for a password, and makes nothing",
    "/api/self/sessions": "ends sessions: whatever is open, it is to end",
    "/api/self/sessions/{session}": "the same, of one",
    "/api/break-glass": "its answer is a secret; a repeat makes another one, and that counts",
}


async def test_a_double_click_opens_a_door_once(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        await there.sign_in()
        command = COMMAND | {"site": there.here.engine.site.site, "target": there.here.engine.doors.ids()[0]}
        key = {"Idempotency-Key": "act-1"}
        answers = await asyncio.gather(
            *(there.client.post("/api/commands", json=command, headers=key) for _ in range(3))
        )
        assert [answer.status_code for answer in answers] == [202] * 3
        assert len({answer.json()["id"] for answer in answers}) == 1
        later = await there.client.post("/api/commands", json=command, headers=key)
        assert later.json()["id"] == answers[0].json()["id"]
        assert later.headers["Idempotency-Replayed"] == "true"
        other = await there.client.post("/api/commands", json=command | {"reason": "送货"}, headers=key)
        assert (other.status_code, list(other.json()["error"]["fields"])) == (422, ["Idempotency-Key"])
        assert (await there.client.post("/api/commands", json=command)).json()["id"] != answers[0].json()["id"]
        await there.sign_in("admin")
        theirs = await there.client.post("/api/commands", json=command, headers=key)
        assert theirs.json()["id"] != answers[0].json()["id"]


async def test_every_post_of_people_knows_the_key(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        for method, path, operation in routes(there.app):
            if method != "get" and path not in NO_KEY:
                known = {each["name"] for each in operation.get("parameters", ())}
                assert "Idempotency-Key" in known, path

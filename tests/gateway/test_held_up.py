"""What a wire held back is judged by when it was asked for; a press is one press also after a restart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from contract.instants import instant
from tests.gateway.test_web_site import site

OPEN: dict[str, Any] = {
    "site": "yard", "target": "gate-in", "kind": "barrier.open", "reason": "访客来访", "ttl_s": 15,
}  # fmt: skip


def pressed(ago_s: float, key: str = "act-1") -> dict[str, str]:
    at = datetime.now(UTC) - timedelta(seconds=ago_s)
    return {"Asked-At": instant(round(at.timestamp() * 1000)), "Idempotency-Key": key}


async def test_a_barrier_does_not_open_for_a_press_that_was_held_up(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        await there.sign_in()
        answer = await there.client.post("/api/commands", json=OPEN, headers=pressed(20))
        assert (answer.status_code, "Server-Time" in answer.headers) == (202, True)
        await there.here.settle()
        found = await there.get(f"/api/commands/{answer.json()['id']}")
        assert (found["state"], found["result"]["why"]["zh"]) == ("expired", "指令到达时已过有效期")
        assert there.here.sent == []
        assert "command.expired" in await there.here.kinds()
        await there.client.post("/api/commands", json=OPEN, headers=pressed(5, "act-2"))
        await there.here.settle()
        assert there.here.sent == [("write", "barrier-in", "open", True)]


async def test_who_asks_after_a_restart_what_became_of_a_press_is_told(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        await there.sign_in()
        first = await there.client.post("/api/commands", json=OPEN, headers=pressed(0))
        await there.here.settle()
        assert len(there.here.sent) == 1
    async with site(tmp_path) as there:
        await there.sign_in()
        again = await there.client.post("/api/commands", json=OPEN, headers=pressed(60))
        await there.here.settle()
        assert (again.json()["id"], again.json()["state"]) == (first.json()["id"], "done")
        assert there.here.sent == []

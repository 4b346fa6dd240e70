"""Which devices answer, as their gateway says it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from drivers.reports import DeviceFound, DeviceLost
from tests.gateway.test_web_site import site


async def test_a_device_is_lost_until_it_answers(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        await there.sign_in()
        before = {item["id"]: item for item in (await there.get("/api/devices"))["items"]}
        assert before["pump-1"] == {"id": "pump-1", "site": "yard", "online": None, "since": None, "why": None}
        there.here.engine.report(DeviceLost("pump-1", "no answer"))
        await there.here.settle()
        [lost] = [item for item in (await there.get("/api/devices"))["items"] if item["id"] == "pump-1"]
        assert (lost["online"], lost["why"], lost["since"] is None) == (False, "no answer", False)
        there.here.engine.report(DeviceFound("pump-1"))
        await there.here.settle()
        [found] = [item for item in (await there.get("/api/devices"))["items"] if item["id"] == "pump-1"]
        assert (found["online"], found["why"]) == (True, None)


async def test_since_when_and_why_it_is_lost_is_known_without_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with site(tmp_path) as there:
        await there.sign_in()
        there.here.engine.report(DeviceLost("pump-1", "no answer " * 4000))
        await there.here.settle()
        [event] = await there.here.journal.events(limit=1, source="pump-1", kind="device.lost")

        async def asked(**_: Any) -> None:
            raise AssertionError("the journal was asked")

        monkeypatch.setattr(there.here.journal, "events", asked)
        [lost] = [item for item in (await there.get("/api/devices"))["items"] if item["id"] == "pump-1"]
    assert (lost["since"], lost["why"]) == (event.at, msgspec.json.decode(event.data)["why"])
    assert len(lost["why"]) < 40_000

"""Which devices answer, as their gateway says it."""

from __future__ import annotations

from pathlib import Path

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

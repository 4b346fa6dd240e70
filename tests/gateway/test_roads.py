"""How far it is to the journal: through how many modules one item goes before it has its place there.

Facts are put into the journal before whoever said them goes on, so the stack at `Journal.put` is the road from the last
moment at which something was waited for: a reader's bytes, a whole push, the values of a device.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.readings import Reading
from drivers.lines.bus import LineBus
from drivers.lines.wires import TcpLineBus
from drivers.opening import open_bus
from drivers.profiles.files import load
from drivers.reports import PointsRead
from gateway.journal import Journal
from tests.drivers.products import Installed
from tests.gateway.engine_site import RESIDENT, yard
from tests.gateway.test_web_push import cameras

AT_ONCE = """
rules:
  pump-dry:
    device: pump-1
    when: flow < 1.0
    severity: major
    message: {zh: 缺水, en: Dry}
    response: {zh: 停泵检查, en: Stop the pump and look}
"""

Roads = dict[str, list[str]]


@pytest.fixture
def roads(monkeypatch: pytest.MonkeyPatch) -> Roads:
    """Event kind → the modules through which the first of that kind came into the journal."""
    found: Roads = {}
    put = Journal.put

    def watched(self: Journal, drafts: Any, state: Any = ()) -> Any:
        road = ["gateway.journal.journal", *hands(sys._getframe(1))]
        for draft in drafts:
            found.setdefault(draft.kind, road[::-1])
        return put(self, drafts, state)

    monkeypatch.setattr(Journal, "put", watched)
    return found


def hands(frame: Any) -> Iterator[str]:
    """The modules of ours on the stack, each once where several of its functions follow one another."""
    last = ""
    while frame is not None:
        file = str(frame.f_globals.get("__name__", ""))
        if file.split(".", maxsplit=1)[0] in {"drivers", "gateway"} and file != last:
            last = file
            yield file
        frame = frame.f_back


async def test_a_card_is_in_the_journal_after_four_hand_overs(tmp_path: Path, roads: Roads) -> None:
    async with yard(tmp_path) as here:
        devices = {"lobby-in": (Installed(), load("line_reader"))}
        wire = TcpLineBus(kind="line-tcp", host="127.0.0.1", port=1)
        bus = open_bus("wire", wire, devices, sink=here.engine.report, clock=lambda: 0)
        assert isinstance(bus, LineBus)
        bus.data_received(RESIDENT.encode() + b"\r\n")
        assert roads["access.granted"] == [
            "drivers.lines.bus",
            "gateway.engine.site",
            "gateway.engine.doors.doors",
            "gateway.engine.desk.record",
            "gateway.journal.journal",
        ]


async def test_values_are_an_alarm_after_three_hand_overs(tmp_path: Path, roads: Roads) -> None:
    async with yard(tmp_path, rules=AT_ONCE) as here:
        reading = Reading(point="pump-1.flow", value=0.2, quality="good", at=here.time.machine_ms)
        here.engine.report(PointsRead("pump-1", (reading,)))
        assert roads["alarm.raised"] == [
            "gateway.engine.site",
            "gateway.engine.desk.record",
            "gateway.journal.journal",
        ]


async def test_a_push_is_in_the_journal_after_four_hand_overs(tmp_path: Path, roads: Roads) -> None:
    async with cameras(tmp_path) as there:
        await there.hik()
        assert roads["plate.seen"] == [
            "gateway.web.push",
            "gateway.engine.site",
            "gateway.engine.lanes.lanes",
            "gateway.engine.desk.record",
            "gateway.journal.journal",
        ]

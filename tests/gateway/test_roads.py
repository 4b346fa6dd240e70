"""How far it is to the journal: through how many modules one item goes before it has its place there.

Facts are put into the journal before whoever said them goes on, so the stack at `Journal.put` is the road from the last
moment at which something was waited for: a reader's bytes, a whole push, the values of a device. An answer on Modbus
is waited for in between: its road is that of the bytes to whoever waits for them, and from there on.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from contract.readings import Reading
from drivers.lines.bus import LineBus
from drivers.lines.wires import TcpLineBus
from drivers.modbus.wires import ModbusTcpBus
from drivers.opening import open_bus
from drivers.profiles.files import load
from drivers.reports import PointsRead
from gateway.engine.desk.errands import Errands
from gateway.engine.desk.record import Facts
from gateway.journal import Journal
from tests.drivers.products import Installed
from tests.drivers.slave import Slave, Unit
from tests.gateway.engine_site import RESIDENT, yard
from tests.gateway.test_web_push import cameras

WAY = (Path(__file__).parents[2] / "README.md").read_text().partition("## The way of one card")[2].partition("## ")[0]

AT_ONCE = """
rules:
  pump-dry:
    device: pump-1
    when: flow < 1.0
    severity: major
    message: {zh: 缺水, en: Dry}
    response: {zh: 停泵检查, en: Stop the pump and look}
    ticket: {title: {zh: 缺水, en: Dry}}
"""

HOPS_LIMIT = 10
"""From a wire's bytes to the alarm in the journal, function by function."""

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
        # And that is the way that the README shows.
        told = [WAY.find(f"`{hand.replace('.', '/')}.py`") for hand in roads["access.granted"]]
        assert told == sorted(told)
        assert -1 not in told


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


async def test_an_answer_on_modbus_is_an_alarm_within_ten_hops_and_a_ticket_four_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stacks: dict[str, list[str]] = {}
    ticketed = asyncio.Event()
    say, begin, put = Facts.say, Errands.begin, Journal.put

    def said(self: Facts, kind: str, source: str, data: Any) -> None:
        stacks.setdefault(f"{kind} decided", functions(sys._getframe(1)))
        say(self, kind, source, data)

    def begun(self: Errands, errand: Any) -> Any:
        stacks.setdefault(f"{errand.__qualname__} begun", functions(sys._getframe(1)))
        return begin(self, errand)

    def recorded(self: Journal, drafts: Any, state: Any = ()) -> Any:
        for draft in drafts:
            stacks.setdefault(draft.kind, [*functions(sys._getframe(1)), "journal.put"])
            if draft.kind == "ticket.raised":
                ticketed.set()
        return put(self, drafts, state)

    def profile(frame: FrameType, event: str, called: Any) -> None:
        if event == "c_call" and called.__name__ == "set_result" and "alarm.raised" not in stacks:
            road = functions(frame)
            if road and road[0].endswith(".data_received"):
                stacks["answered"] = road

    slave = Slave({1: Unit(compute=lambda fc, address: 0)})
    wire = ModbusTcpBus(kind="modbus-tcp", host="127.0.0.1", port=await slave.listen())
    async with yard(tmp_path, rules=AT_ONCE) as here:
        monkeypatch.setattr(Facts, "say", said)
        monkeypatch.setattr(Errands, "begin", begun)
        monkeypatch.setattr(Journal, "put", recorded)
        devices = {"pump-1": (Installed(unit=1), load("grundfos_cim200"))}
        bus = open_bus("plant-line", wire, devices, sink=here.engine.report, clock=lambda: here.time.machine_ms)
        owner = asyncio.create_task(bus.run())
        sys.setprofile(profile)
        try:
            await asyncio.wait_for(ticketed.wait(), 10)
        finally:
            sys.setprofile(None)
            owner.cancel()
            await asyncio.gather(owner, return_exceptions=True)
            await slave.close()

    assert stacks["answered"] == ["tcp.data_received", "tcp.heard", "tcp._answered"]
    # `run`, `_step` and `_read` have waited for it.
    waited, alarm = stacks["alarm.raised"][:2], stacks["alarm.raised"][2:]
    assert waited == ["owner.run", "owner._step"]
    assert alarm == [
        "bus._read",
        "bus._tell",
        "site.report",
        "site._points_read",
        "record.append",
        "journal.put",
    ]
    assert hops(stacks["answered"], alarm) == 8
    # Who decides stands beside that road: asked by the site, it leaves the fact with it.
    decided = stacks["alarm.raised decided"][2:]
    assert decided == [
        *alarm[:4],
        "site._points_changed",
        "alarms.points_changed",
        "alarms._look",
        "alarms.raise_cause",
    ]
    assert hops(stacks["answered"], decided) == HOPS_LIMIT
    wanted = stacks["Tickets._raise begun"][2:]
    assert wanted == [*decided, "tickets._wanted"]
    assert stacks["ticket.raised"] == ["tickets._raise", "record.append", "journal.put"]
    assert hops(wanted[-2:], stacks["ticket.raised"]) == 4


def functions(frame: FrameType | None) -> list[str]:
    """The functions of ours on the stack, `file.function`, whoever was called first foremost."""
    found: list[str] = []
    while frame is not None:
        file = str(frame.f_globals.get("__name__", ""))
        if file.split(".", maxsplit=1)[0] in {"drivers", "gateway"}:
            found.append(f"{file.rpartition('.')[2]}.{frame.f_code.co_name}")
        frame = frame.f_back
    return found[::-1]


def hops(*roads: list[str]) -> int:
    """How often one function hands on to another, over the gap of a wait too."""
    return sum(map(len, roads)) - 1

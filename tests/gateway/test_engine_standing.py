"""What stands is stated when both sides may differ: complete, in one place of the stream, not too often."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from contract import VERSION
from contract.facts.alarms import Severity
from contract.limits import WIDE_EVENT_BYTES
from contract.standing import AlarmsStated
from contract.texts import Text
from gateway.engine import standing
from gateway.engine.alarms.episodes import Alarm
from gateway.engine.standing import MET_EVERY_S, SETTLES_S, alarms_stated
from rules.alarms.episode import Cause
from tests.gateway.engine_site import GUARD, Yard, yard


async def dry(site: Yard) -> None:
    """The pump runs dry until its alarm is raised."""
    await site.read(pump_1__flow=0.2, pump_1__rotating=True)
    await site.wait(5)


async def stated(site: Yard) -> list[AlarmsStated]:
    found = await site.events("alarms.stated")
    return [msgspec.convert(data, AlarmsStated) for _, _, data in found]


async def test_an_alarm_is_stated_with_all_that_was_said_of_it(tmp_path: Path) -> None:
    async with yard(tmp_path) as site:
        await dry(site)
        [alarm] = site.engine.alarms.alarms.values()
        await site.command("alarm.ack", alarm.id, note="看到了")
        site.engine.standing.wanted("met")
        await site.wait(SETTLES_S)
        [(_, source, _)] = await site.events("alarms.stated")
        assert source == "yard-gw"
        [said] = await stated(site)
        assert (said.after, said.upto) == ("", None)
        [one] = said.alarms
        [(_, _, raised)] = await site.events("alarm.raised")
        assert msgspec.to_builtins(one).items() >= raised.items()
        assert (one.source, one.state, one.note, one.acknowledged_by) == ("pump-1", "acknowledged", "看到了", GUARD)
        [(_, _, ticket)] = await site.events("ticket.raised")
        assert one.ticket is not None
        assert (one.ticket.ticket, msgspec.to_builtins(one.ticket.title)) == (ticket["ticket"], ticket["title"])


async def test_doors_and_lanes_are_stated_as_they_stand(tmp_path: Path) -> None:
    async with yard(tmp_path) as site:
        await site.read(relays__input_1=True, relays__input_3=True, relays__input_4=False)
        site.engine.standing.wanted("met")
        await site.wait(SETTLES_S)
        [(_, _, said)] = await site.events("places.stated")
        places = {each["place"]: each["aspects"] for each in said["places"]}
        assert places["lobby"] == {"lock": "locked", "contact": "open", "mode": "normal"}
        assert places["gate-in"] == {"barrier": None, "loop_before": True, "loop_under": False}
        assert set(places) == {"lobby", "gate-in", "gate-out", "gate-side"}


async def test_what_is_over_is_not_stated(tmp_path: Path) -> None:
    async with yard(tmp_path) as site:
        await dry(site)
        [alarm] = site.engine.alarms.alarms.values()
        await site.command("alarm.ack", alarm.id)
        await site.read(pump_1__flow=3.0)
        assert site.engine.alarms.alarms[alarm.id].state == "closed"
        site.engine.standing.wanted("parted")
        await site.wait(SETTLES_S)
        assert [said.alarms for said in await stated(site)] == [[]]


async def test_a_line_that_comes_and_goes_is_not_worth_a_statement_each_time(tmp_path: Path) -> None:
    async with yard(tmp_path) as site:
        for _ in range(3):
            site.engine.standing.wanted("met")
        await site.wait(SETTLES_S)
        assert len(await stated(site)) == 1
        for _ in range(10):
            site.engine.standing.wanted("met")
            await site.wait(10)
        assert len(await stated(site)) == 1
        await site.wait(MET_EVERY_S - 100)
        assert len(await stated(site)) == 2
        site.engine.standing.wanted("met")
        site.engine.standing.wanted("parted")
        await site.wait(SETTLES_S)
        assert len(await stated(site)) == 3
        await site.wait(MET_EVERY_S)
        assert len(await stated(site)) == 3


async def test_a_command_about_an_alarm_that_nobody_knows_says_so_and_has_both_sides_compared(tmp_path: Path) -> None:
    async with yard(tmp_path) as site:
        await site.command("alarm.ack", "0f8fad5b-d9cb-469f-a165-70867728950e")
        [(_, _, failed)] = await site.events("command.failed")
        assert failed["why"]["en"].startswith("The gateway has no such alarm")
        await site.wait(SETTLES_S)
        assert len(await stated(site)) == 1


def alarm(number: int, words: int, severity: Severity = "minor") -> Alarm:
    message = Text("水" * words, "w" * words)
    cause = Cause(rule="r", source="pump-1", asset="pump-1", severity=severity, message=message)
    return Alarm(id=f"{number:036d}", cause=cause, state="active", values={}, raised_at=1, began_at=1)


@pytest.mark.parametrize("count", [0, 1, 700])
def test_very_many_alarms_are_stated_in_parts_that_each_fit_and_lose_none(count: int) -> None:
    alarms = [alarm(number, 500) for number in reversed(range(count))]
    parts = list(alarms_stated(alarms))
    assert [one.alarm for part in parts for one in part.alarms] == sorted(each.id for each in alarms)
    assert all(len(msgspec.json.encode(part)) < WIDE_EVENT_BYTES for part in parts)
    assert (parts[0].after, parts[-1].upto) == ("", None)
    for before, part in pairwise(parts):
        assert part.after == before.upto == before.alarms[-1].alarm
    assert (len(parts) > 2) == (count == 700)
    assert standing.PART_BYTES * 2 < WIDE_EVENT_BYTES


async def test_a_hub_that_cannot_be_read_or_refuses_is_said_at_the_site(tmp_path: Path) -> None:
    async with yard(tmp_path) as site:
        engine = site.engine

        async def turn(speaks: int | None, refuses: str | None) -> dict[str, str]:
            engine.hub_turned(speaks, refuses)
            await site.settle()
            return {each.cause.rule: each.cause.message.zh for each in engine.alarms.alarms.values() if each.present}

        assert await turn(None, None) == {}
        assert await turn(VERSION, None) == {}
        unreadable = await turn(VERSION + 1, None)
        assert list(unreadable) == ["hub.unreadable"]
        assert f"版本（{VERSION + 1}）" in unreadable["hub.unreadable"]
        # A line that comes back has not said anything yet.
        assert await turn(None, None) == unreadable
        both = await turn(VERSION + 1, "this gateway is not enrolled at this hub")
        assert set(both) == {"hub.unreadable", "hub.refuses"}
        assert await turn(VERSION, None) == {}
        assert len(await site.events("alarm.raised")) == 2

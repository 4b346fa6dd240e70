"""Alarms, tickets and lost devices through the whole engine: raised once, waited for without polling, remembered."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.readings import Reading
from drivers.reports import DeviceFound, DeviceLost, PointsRead
from tests.gateway.engine_site import FITTER, GUARD, RULES, SITE, Yard, yard


async def run_dry(here: Yard) -> str:
    """The pump runs dry for long enough; the alarm's id."""
    await here.read(pump_1__flow=0.2, pump_1__rotating=True)
    await here.wait(6)
    return next(id for id, alarm in here.engine.alarms.alarms.items() if alarm.cause.rule == "pump-dry")


async def test_one_cause_is_one_alarm_and_one_ticket(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.read(pump_1__flow=12.0, pump_1__rotating=True)
        await here.wait(60)
        await here.read(pump_1__flow=0.3)
        await here.wait(4)
        assert await here.kinds() == []
        await here.wait(2)
        for flow in (0.2, 0.1, 0.2):
            await here.read(pump_1__flow=flow)
            await here.wait(10)
        raised, ticket = await here.events()
        assert (raised[0], raised[1]) == ("alarm.raised", "pump-1")
        assert raised[2]["message"] == {"zh": "1 号泵 缺水：流量 0.3 m3/h", "en": "Pump 1 runs dry: flow 0.3 m3/h"}
        assert raised[2]["values"] == {"pump-1.flow": 0.3, "pump-1.rotating": True}
        assert ticket[0] == "ticket.raised"
        assert (ticket[2]["alarm"], ticket[2]["cause"], ticket[2]["asset"]) == (
            raised[2]["alarm"],
            "pump-dry",
            "pump-1",
        )
        assert ticket[2]["place"] == "泵房"
        flows = [value for point, _, value in ticket[2]["history"] if point == "pump-1.flow"]
        assert flows == [12.0, 0.3]


async def test_nothing_waits_on_a_timer_unless_a_rule_is_waiting(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        before = here.time.pending()
        await here.read(pump_1__flow=0.2, pump_1__rotating=True)
        assert here.time.pending() == before + 1
        await here.read(pump_1__flow=9.0)
        assert here.time.pending() == before


async def test_it_clears_by_its_own_condition_only(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await run_dry(here)
        await here.read(pump_1__flow=1.5)
        assert here.engine.alarms.present("pump-dry@pump-1")
        await here.read(pump_1__flow=2.5)
        assert not here.engine.alarms.present("pump-dry@pump-1")
        assert (await here.kinds())[-1] == "alarm.cleared"


@pytest.mark.parametrize("quality", ["bad", "stale"])
async def test_values_that_cannot_be_trusted_neither_raise_nor_clear(tmp_path: Path, quality: str) -> None:
    async with yard(tmp_path) as here:
        await here.read(quality, pump_1__flow=0.0, pump_1__rotating=True)
        await here.wait(60)
        assert await here.kinds() == []
        await run_dry(here)
        await here.read(quality, pump_1__flow=9.0)
        assert here.engine.alarms.present("pump-dry@pump-1")


async def test_one_sensor_is_enough_and_the_other_is_said_to_be_unknown(tmp_path: Path) -> None:
    either = RULES.replace("flow < 1.0 && rotating", "flow < 0.5 || motor_temp > 95.0").replace("for_s: 5", "for_s: 0")
    either = either.replace("缺水：流量 {flow}", "{flow} {motor_temp}")
    async with yard(tmp_path, rules=either) as here:
        await here.read("bad", pump_1__motor_temp=20.0)
        await here.read(pump_1__flow=0.2)
        raised = (await here.events())[0]
        assert raised[2]["message"]["zh"] == "1 号泵 0.2 m3/h 未知"


async def test_a_lost_device_is_said_once_and_its_points_are_stale(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        here.engine.report(DeviceFound("pump-1"))
        await here.read(pump_1__flow=9.0)
        here.engine.report(DeviceLost("pump-1", "no answer"))
        here.engine.report(DeviceLost("pump-1", "no answer"))
        await here.settle()
        assert here.engine.points.value("pump-1.flow")[:2] == (9.0, "stale")
        await here.wait(90)
        here.engine.report(DeviceFound("pump-1"))
        await here.settle()
        assert await here.kinds() == [
            "device.found",
            "device.lost",
            "alarm.raised",
            "ticket.raised",
            "device.found",
            "alarm.cleared",
        ]
        found = await here.events("device.found")
        assert [data["after_s"] for _, _, data in found] == [None, 90.0]


async def lose(here: Yard, *devices: str) -> None:
    """These devices fall silent one after the other, within two seconds."""
    for device in devices:
        here.engine.report(DeviceLost(device, "no answer"))
        await here.wait(1)


async def alarmed(here: Yard) -> list[str]:
    """The sources of all lost-device alarms that were raised, in their order."""
    return [source for _, source, data in await here.events("alarm.raised") if data["rule"] == "device.lost"]


async def test_a_wire_that_falls_silent_as_a_whole_is_one_alarm_and_one_ticket(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await lose(here, "cam-in", "cam-out", "cam-side")
        await here.wait(5)
        assert await alarmed(here) == ["cameras"]
        assert len(await here.events("ticket.raised")) == 1
        assert len(await here.events("device.lost")) == 3
        here.engine.report(DeviceFound("cam-in"))
        await here.wait(5)
        assert not here.engine.alarms.present("device.lost@cameras")
        assert await alarmed(here) == ["cameras", "cam-out", "cam-side"]


async def test_devices_of_a_wire_that_others_answer_on_are_alarmed_by_themselves(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        here.engine.report(DeviceFound("cam-side"))
        await lose(here, "cam-in", "cam-out")
        await here.wait(5)
        assert await alarmed(here) == ["cam-in", "cam-out"]


async def test_a_device_that_is_back_at_once_is_an_event_but_no_alarm(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await lose(here, "pump-1")
        here.engine.report(DeviceFound("pump-1"))
        await here.wait(10)
        assert await here.kinds() == ["device.lost", "device.found"]


async def test_a_device_that_answers_with_errors_only_is_alarmed_until_it_gives_something(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        points = here.engine.points.of_device("pump-1")
        at = here.time.machine_ms
        bad = tuple(Reading(point=point, value=None, quality="bad", at=at) for point in points)
        here.engine.report(PointsRead("pump-1", bad[1:]))
        await here.wait(60)
        assert await here.events("alarm.raised") == []
        here.engine.report(PointsRead("pump-1", bad[:1]))
        await here.wait(9)
        assert await here.events("alarm.raised") == []
        await here.wait(2)
        [(_, source, alarm)] = await here.events("alarm.raised")
        assert (alarm["rule"], source, alarm["severity"]) == ("device.failing", "pump-1", "minor")
        assert len(await here.events("ticket.raised")) == 1
        await here.wait(60)
        assert len(await here.events("alarm.raised")) == 1
        await here.read(pump_1__flow=3.0)
        assert not here.engine.alarms.present("device.failing@pump-1")


@pytest.mark.parametrize(
    "without",
    [
        ("    contact: {device: relays, point: input_1}\n", ""),
        ("lobby:\n    name: {zh: 大堂", "hall:\n    name: {zh: 大堂"),
    ],
    ids=["no contact", "no such door"],
)
async def test_alarms_of_what_the_site_no_longer_has_end_at_the_next_start(
    tmp_path: Path, without: tuple[str, str]
) -> None:
    async with yard(tmp_path) as here:
        await here.read(relays__input_1=True)
        assert here.engine.alarms.present("door.forced@lobby")
        time = here.time
    assert without[0] in SITE
    async with yard(tmp_path, time, site=SITE.replace(*without), at_rest=False) as again:
        assert not again.engine.alarms.present("door.forced@lobby")
        assert len(await again.events("alarm.cleared")) == 1


@pytest.mark.parametrize(
    ("device", "severity"), [("relays", "major"), ("barrier-in", "major"), ("lobby-in", "major"), ("pump-1", "minor")]
)
async def test_a_lost_device_that_people_pass_by_is_no_minor_matter(tmp_path: Path, device: str, severity: str) -> None:
    async with yard(tmp_path) as here:
        here.engine.report(DeviceLost(device, "silent"))
        await here.wait(4)
        [(_, _, alarm)] = await here.events("alarm.raised")
        assert alarm["severity"] == severity


async def test_a_wire_that_was_silent_before_a_restart_clears_when_it_speaks(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await lose(here, "cam-in", "cam-out", "cam-side")
        await here.wait(5)
    async with yard(tmp_path, here.time) as again:
        await lose(again, "cam-in", "cam-out", "cam-side")
        await again.wait(5)
        assert await alarmed(again) == ["cameras"]
        again.engine.report(DeviceFound("cam-in"))
        await again.settle()
        assert not again.engine.alarms.present("device.lost@cameras")


async def test_acknowledging_says_who_and_a_second_time_changes_nothing(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        alarm = await run_dry(here)
        command = await here.command("alarm.ack", alarm, note="seen")
        await here.command("alarm.ack", alarm)
        [(_, source, data)] = await here.events("alarm.acknowledged")
        assert (source, data["alarm"], data["note"], data["command"]) == ("pump-1", alarm, "seen", command)
        assert data["by"]["name"] == GUARD.name
        assert here.engine.alarms.alarms[alarm].state == "acknowledged"
        await here.read(pump_1__flow=9.0)
        assert here.engine.alarms.alarms[alarm].state == "closed"


async def test_gone_before_anybody_saw_it_and_back_it_is_the_same_alarm_with_a_ticket_of_its_own(
    tmp_path: Path,
) -> None:
    async with yard(tmp_path) as here:
        alarm = await run_dry(here)
        await here.read(pump_1__flow=9.0)
        assert here.engine.alarms.alarms[alarm].state == "cleared"
        assert await run_dry(here) == alarm
        assert here.engine.alarms.alarms[alarm].count == 2
        tickets = await here.events("ticket.raised")
        assert len({data["ticket"] for _, _, data in tickets}) == 2


async def test_a_shelf_ends_by_itself(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        alarm = await run_dry(here)
        await here.command("alarm.shelve", alarm, by=FITTER, for_s=600, note="part ordered")
        assert here.engine.alarms.alarms[alarm].state == "shelved"
        await here.wait(599)
        assert here.engine.alarms.alarms[alarm].state == "shelved"
        await here.wait(2)
        assert here.engine.alarms.alarms[alarm].state == "active"
        [(_, _, data)] = await here.events("alarm.unshelved")
        assert data["by"] is None


async def test_a_cause_that_comes_back_while_it_is_shelved_stays_silent_and_raises_no_second_ticket(
    tmp_path: Path,
) -> None:
    async with yard(tmp_path) as here:
        first = await run_dry(here)
        await here.command("alarm.shelve", first, by=FITTER, for_s=600)
        await here.read(pump_1__flow=9.0)
        await here.read(pump_1__flow=0.1)
        await here.wait(6)
        second = next(alarm for alarm in here.engine.alarms.alarms.values() if alarm.id != first)
        assert second.state == "shelved"
        assert len(await here.events("ticket.raised")) == 1
        await here.wait(600)
        assert here.engine.alarms.alarms[second.id].state == "active"


async def test_the_shelf_ends_early_when_a_person_says_so(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        alarm = await run_dry(here)
        await here.command("alarm.shelve", alarm, by=FITTER, for_s=600)
        await here.command("alarm.unshelve", alarm, by=FITTER)
        assert here.engine.alarms.alarms[alarm].state == "active"
        await here.wait(700)
        assert len(await here.events("alarm.unshelved")) == 1


async def test_alarms_outlive_a_restart(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        alarm = await run_dry(here)
        await here.command("alarm.shelve", alarm, by=FITTER, for_s=600)
        time = here.time
    time.machine_ms += 300_000
    async with yard(tmp_path, time) as again:
        assert again.engine.alarms.alarms[alarm].state == "shelved"
        await again.read(pump_1__flow=0.1, pump_1__rotating=True)
        await again.wait(60)
        assert len(await again.events("alarm.raised")) == 1
        await again.wait(300)
        assert again.engine.alarms.alarms[alarm].state == "active"
        await again.read(pump_1__flow=9.0)
        assert again.engine.alarms.alarms[alarm].state == "cleared"


async def test_an_alarm_whose_rule_was_taken_away_ends_at_the_next_start(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        alarm = await run_dry(here)
        time = here.time
    async with yard(tmp_path, time, rules="rules: {}\n") as again:
        assert again.engine.alarms.alarms[alarm].state == "cleared"


async def test_a_ticket_that_a_crash_prevented_is_raised_at_the_next_start(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        here.engine.alarms.on_ticket = None  # as if the process had died right after the alarm was recorded
        await run_dry(here)
        assert await here.events("ticket.raised") == []
        time = here.time
    async with yard(tmp_path, time) as again:
        assert len(await again.events("ticket.raised")) == 1
    async with yard(tmp_path, time) as once_more:
        assert len(await once_more.events("ticket.raised")) == 1


async def test_closed_alarms_are_remembered_up_to_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.engine.alarms.alarms.CLOSED_LIMIT", 3)
    async with yard(tmp_path) as here:
        for _ in range(6):
            await here.command("alarm.ack", await run_dry_again(here))
            await here.read(pump_1__flow=9.0)
        assert len(here.engine.alarms.alarms) == 3
        time = here.time
    async with yard(tmp_path, time) as again:
        assert len(again.engine.alarms.alarms) == 3


async def run_dry_again(here: Yard) -> str:
    """A new alarm of the pump; its id."""
    await here.read(pump_1__flow=0.2, pump_1__rotating=True)
    await here.wait(6)
    return next(alarm.id for alarm in here.engine.alarms.alarms.values() if alarm.present)

"""One bad moment of the clock passes: what the site records, decides and remembers through it and after it."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.instants import instant, milliseconds
from gateway.clock import SETTLED_S
from gateway.hubtime import HubWord
from tests.gateway.engine_site import FITTER, MORNING, RESIDENT, Time, Yard, yard

IN_2099 = 4_080_000_000_000
PULSE = ("pulse", "relays", "relay_1", 5.0)
MINUTE_MS, YEAR_MS = 60_000, 365 * 86_400_000


async def hub_says(here: Yard, hub_ms: int) -> None:
    """The hub has answered several times: this is its time."""
    here.engine.clock.heard_hub(HubWord(hub_ms, here.time.steady, 20, 8))
    await here.settle()


async def told(here: Yard, *kinds: str) -> list[tuple[str, str]]:
    """(kind, time) of these events."""
    return [(each.kind, each.at) for each in await here.journal.events(after=0, limit=1000) if each.kind in kinds]


async def dry(here: Yard) -> str:
    """The pump runs dry; the alarm's id."""
    await here.read(pump_1__flow=0.1, pump_1__rotating=True)
    await here.wait(6)
    return next(id for id, alarm in here.engine.alarms.alarms.items() if alarm.cause.rule == "pump-dry")


async def test_thirty_seconds_of_2099_while_running_are_not_recorded(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.card(RESIDENT)
        here.time.machine_ms = IN_2099
        await here.card(RESIDENT)
        await here.wait(30)
        await here.card(RESIDENT)
        here.time.machine_ms = MORNING + 30_000
        await here.wait(1)
        await here.card(RESIDENT)
        time = here.time
        at = [at for _, at in await told(here, "access.granted")]
        assert at == [instant(MORNING + ms) for ms in (0, 0, 30_000, 31_000)]
        assert [kind for kind in await here.kinds() if kind.startswith("clock.")] == ["clock.doubted", "clock.trusted"]
    async with yard(tmp_path, time) as again:
        assert (again.engine.clock.wall_ms(), again.engine.clock.state) == (time.machine_ms, "ok")


async def test_a_record_of_2099_heals_with_the_hubs_first_answer_and_stays_healed(tmp_path: Path) -> None:
    async with yard(tmp_path, Time(IN_2099)) as bad:  # a new gateway has nothing to doubt it by
        await bad.card(RESIDENT)
        alarm = await dry(bad)
        await bad.command("alarm.shelve", alarm, by=FITTER, for_s=600)
        assert (await told(bad, "access.granted"))[0][1].startswith("2099")
    time = Time(MORNING)
    async with yard(tmp_path, time) as here:
        assert here.engine.clock.wall_ms() > IN_2099
        await hub_says(here, MORNING)
        assert (here.engine.clock.wall_ms(), here.engine.clock.state) == (MORNING, "ok")
        assert not here.engine.alarms.present("clock.doubtful@yard-gw")
        [(_, corrected)] = await told(here, "clock.corrected")
        assert corrected == instant(MORNING)
        await here.command("door.unlock", "lobby")
        assert here.sent == [PULSE]
        assert here.engine.alarms.alarms[alarm].state == "shelved"
        shelved = here.engine.alarms.alarms[alarm].shelved_until
        assert shelved is not None
        assert MORNING < shelved <= MORNING + 600_000
        [*_, (_, _, data)] = await here.events("alarm.shelved")
        assert milliseconds(data["until"]) == shelved
        await here.wait(601)
        assert here.engine.alarms.alarms[alarm].state == "active"
    async with yard(tmp_path, time) as again:  # without the hub's word
        assert (again.engine.clock.wall_ms(), again.engine.clock.state) == (time.machine_ms, "ok")


async def test_a_correction_outlives_a_kill_before_the_next_event(tmp_path: Path) -> None:
    async with yard(tmp_path, Time(IN_2099)) as bad:
        await bad.card(RESIDENT)
    async with yard(tmp_path, Time(MORNING)) as here:
        await hub_says(here, MORNING)
        copy = tmp_path / "killed"
        copy.mkdir()
        for file in tmp_path.glob("journal.sqlite*"):
            if not file.name.endswith("lock"):
                (copy / file.name).write_bytes(file.read_bytes())
    async with yard(copy, Time(MORNING)) as again:
        assert again.engine.clock.state == "ok"


@pytest.mark.parametrize("error_ms", [-YEAR_MS, -2 * MINUTE_MS, -3_000, 0, 3_000, 90_000, 2 * MINUTE_MS, 70 * YEAR_MS])
async def test_a_fresh_command_passes_and_an_old_one_does_not_however_wrong_the_machine_is(
    tmp_path: Path, error_ms: int
) -> None:
    async with yard(tmp_path, Time(MORNING + error_ms)) as here:
        await hub_says(here, MORNING)
        await here.wait(1)
        await here.command("door.unlock", "lobby", issued_ms=-error_ms, ttl_ms=10_000 - error_ms)
        await here.command("door.unlock", "lobby", issued_ms=-error_ms - 30_000, ttl_ms=-error_ms - 20_000)
        await here.command("door.unlock", "lobby", issued_ms=-error_ms, ttl_ms=-error_ms - 1)
        results = await here.events("command.done", "command.expired", "command.failed")
        assert [kind for kind, _, _ in results] == ["command.done", "command.expired", "command.expired"]


async def test_a_command_of_this_site_is_judged_by_its_own_time(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await hub_says(here, 1_000)  # a hub that cannot be right
        await here.command("door.unlock", "lobby", local=True)
        assert here.sent == [PULSE]


async def test_a_wild_moment_forgets_no_command_that_was_carried_out(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.command("door.unlock", "lobby", number=1)
        time = here.time
    time.machine_ms = MORNING + YEAR_MS  # a gateway can have been off for so long
    async with yard(tmp_path, time) as bad:
        await bad.command("door.unlock", "lobby", number=2)
    time.machine_ms = MORNING + 5_000
    async with yard(tmp_path, time) as again:
        await hub_says(again, time.machine_ms)
        await again.command("door.unlock", "lobby", number=1)
        assert again.sent == []
        await again.wait(SETTLED_S)
        await again.wait(86_400)
        await again.command("door.unlock", "lobby", number=3)
        assert "00000000-0000-4000-8000-000000000001" not in again.engine.commands.commands


async def test_a_machine_that_is_wrong_is_an_alarm_in_words_and_ends_when_it_is_right(tmp_path: Path) -> None:
    async with yard(tmp_path, Time(MORNING - 2 * MINUTE_MS)) as here:
        await hub_says(here, MORNING)
        [(_, _, raised)] = await here.events("alarm.raised")
        assert raised["rule"] == "clock.error"
        assert raised["message"] == {
            "zh": "网关时钟与总控台不一致（慢 2 分钟）",
            "en": "Gateway's clock differs from the hub's (2 min behind)",
        }
        assert len(await here.events("ticket.raised")) == 1
        assert here.engine.clock.state == "ok"
        await here.wait(1)
        here.time.machine_ms += 2 * MINUTE_MS
        await hub_says(here, MORNING + 1_000)
        assert [data["rule"] for _, _, data in await here.events("alarm.cleared")] == ["clock.error"]
        time = here.time
    async with yard(tmp_path, time) as again:  # and what was open over a restart ends by the next measure
        again.time.machine_ms += 2 * MINUTE_MS
        await hub_says(again, MORNING + 1_000)
        assert again.engine.alarms.present("clock.error@yard-gw")
    time.machine_ms = MORNING + 5_000
    async with yard(tmp_path, time) as right:
        await hub_says(right, MORNING + 5_000)
        assert not right.engine.alarms.present("clock.error@yard-gw")


async def test_what_is_timed_by_the_wall_goes_on_after_a_correction(tmp_path: Path) -> None:
    async with yard(tmp_path, Time(IN_2099)) as here:
        assert await here.plate("沪A12345", camera="cam-side", plate_id="p-1")
        await here.read(relays__input_1=False, meter_main__energy_import=5.0)
        meters = len(await here.events("meter.read"))
        kept = len(here.shelf.readings)
        await hub_says(here, MORNING)
        here.time.machine_ms = MORNING
        await here.wait(61)
        await here.read(relays__input_1=False, meter_main__energy_import=5.0)
        assert [each.at for each in here.shelf.readings[kept:] if each.point == "relays.input_1"] == [MORNING + 61_000]
        assert len(await here.events("meter.read")) == meters + 1
        assert await here.plate("沪A12345", camera="cam-side", plate_id="p-1")

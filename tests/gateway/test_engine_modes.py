"""The modes of a door through the whole engine: who gets through, how long they last, and what outlives a restart."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from drivers.reports import DeviceFound
from tests.gateway.engine_site import GUARD, RESIDENT, REVOKED, Time, Yard, yard
from tests.gateway.test_engine_doors import PULSE


@pytest.mark.parametrize(
    ("mode", "card", "kind", "pulses", "held"),
    [
        ("unlocked", RESIDENT, "access.granted", [], [("write", "relays", "relay_1", True)]),
        ("unlocked", REVOKED, "access.denied", [], [("write", "relays", "relay_1", True)]),
        ("locked", RESIDENT, "access.denied", [], []),
    ],
    ids=["unlocked: granted, the lock is held", "unlocked: revoked is still said", "locked: nobody passes"],
)
async def test_modes(*, tmp_path: Path, mode: str, card: str, kind: str, pulses: list[Any], held: list[Any]) -> None:
    async with yard(tmp_path) as here:
        await here.command("door.mode", "lobby", mode=mode)
        await here.card(card)
        assert here.sent == held + pulses
        [(found, _, _)] = await here.events("access.granted", "access.denied")
        assert found == kind
        assert here.engine.doors.item("lobby")["mode"] == mode


async def test_people_get_out_of_a_door_that_is_locked_down(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.command("door.mode", "lobby", mode="locked")
        await here.read(relays__input_2=True)
        assert here.sent == [PULSE]


async def test_the_mode_outlives_a_restart_and_the_lock_follows_once_its_board_is_found(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.command("door.mode", "lobby", mode="unlocked")
    async with yard(tmp_path) as again:
        assert again.engine.doors.item("lobby")["mode"] == "unlocked"
        assert again.engine.doors.item("lobby")["lock"] == "released"
        assert again.sent == []
        again.engine.report(DeviceFound("relays"))
        await again.settle()
        assert again.sent == [("write", "relays", "relay_1", True)]


async def modes_said(here: Yard) -> list[tuple[str, bool]]:
    return [(data["mode"], data["ended"]) for _, _, data in await here.events("door.mode_set")]


async def test_a_mode_ends_by_itself_when_its_time_is_over(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.command("door.mode", "lobby", mode="unlocked", for_s=3600)
        item = here.engine.doors.item("lobby")
        assert (item["mode"], item["mode_by"]) == ("unlocked", "王门卫")
        assert item["mode_since"] is not None
        assert item["mode_until"] is not None
        await here.wait(3599)
        assert here.engine.doors.item("lobby")["mode"] == "unlocked"
        await here.wait(2)
        item = here.engine.doors.item("lobby")
        assert (item["mode"], item["mode_since"], item["mode_until"], item["mode_by"]) == ("normal", None, None, None)
        assert here.sent == [("write", "relays", "relay_1", True), ("write", "relays", "relay_1", False)]
        assert await modes_said(here) == [("unlocked", False), ("normal", True)]


@pytest.mark.parametrize("away_s", [600, 7200], ids=["before its end", "after its end"])
async def test_a_mode_ends_by_itself_after_a_restart_too(tmp_path: Path, away_s: int) -> None:
    async with yard(tmp_path) as here:
        await here.command("door.mode", "lobby", mode="locked", for_s=3600)
        ended_at = here.time.machine_ms
    async with yard(tmp_path, Time(wall_ms=ended_at + away_s * 1000)) as again:
        await again.wait(3605 - away_s if away_s < 3600 else 1)
        assert again.engine.doors.item("lobby")["mode"] == "normal"
        assert await modes_said(again) == [("locked", False), ("normal", True)]


async def test_a_mode_without_an_end_stays_and_a_new_one_replaces_the_time_of_the_old(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.command("door.mode", "lobby", mode="locked", for_s=60)
        await here.command("door.mode", "lobby", mode="locked")
        await here.wait(100_000)
        assert here.engine.doors.item("lobby")["mode"] == "locked"
        assert here.engine.doors.item("lobby")["mode_until"] is None


async def test_in_1970_a_mode_lasts_as_long_as_it_was_meant_to(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.command("door.mode", "lobby", mode="unlocked", for_s=3600)
    async with yard(tmp_path, Time(wall_ms=5_000)) as again:
        await again.wait(3601)
        assert again.engine.doors.item("lobby")["mode"] == "normal"


async def test_a_mode_that_is_over_ends_no_other_that_was_asked_for_in_that_moment(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        await here.command("door.mode", "lobby", mode="unlocked", for_s=600)
        asked = asyncio.create_task(here.engine.doors.set_mode("lobby", "locked", GUARD, 3.0))
        here.time.pass_by(600)
        await asked
        await here.settle()
        assert here.engine.doors.item("lobby")["mode"] == "locked"
        assert [data["mode"] for _, _, data in await here.events("door.mode_set")] == ["unlocked", "locked"]

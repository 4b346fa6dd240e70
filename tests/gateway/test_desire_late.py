"""Rights that a disk gives long after the start: they hold from then on, unless the hub has brought newer ones."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.desired.applying import Desire
from gateway.web.served import People
from tests.gateway.deciding import holder, snapshot
from tests.gateway.disks import FaultyDisk, until
from tests.gateway.engine_site import RESIDENT, Yard, decides_by, yard
from tests.gateway.pages import overwrite, pages, settle
from tests.gateway.test_desire import REVOKED, WHOLE, following

NOT_STORED = "rights.not_stored@yard-gw"


@asynccontextmanager
async def found_late(
    here: Yard, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Desire, People, FaultyDisk]]:
    """The gateway after a restart on a disk that hangs, with nothing in force but what the hub brings meanwhile."""
    monkeypatch.setattr("gateway.sqlite.file.OPEN_S", 0.02)
    disk = FaultyDisk()
    disk.hang_opening()
    decides_by(here.engine, [], 0)
    async with following(here, folder, disk) as (desire, people):
        assert here.engine.alarms.present(NOT_STORED)
        yield desire, people, disk


async def it_gives(desire: Desire, disk: FaultyDisk) -> None:
    """The disk answers, and what it gives is looked at."""
    disk.heal()
    await until(lambda: desire._late is not None and desire._late.done())
    assert desire._late is not None
    desire._late.result()


async def test_rights_that_the_disk_gives_late_decide_from_then_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with yard(tmp_path) as here:
        async with following(here, tmp_path) as (desire, _):
            await desire.take(WHOLE)
        async with found_late(here, tmp_path, monkeypatch) as (desire, people, disk):
            told: list[int] = []
            desire.watch(lambda: told.append(desire.announced))
            await here.card(RESIDENT)
            assert (desire.announced, people.accounts) == (0, {})
            await it_gives(desire, disk)
            await here.card(RESIDENT)
            decided = await here.events("access.granted", "access.denied")
            assert [data["reason"]["code"] for _, _, data in decided] == ["unknown_card", "granted"]
            assert (list(people.accounts), people.holders["h-1"].name) == (["guard"], "张三")
            assert told == [20]
            await until(lambda: not here.engine.alarms.present(NOT_STORED))
            await desire.take(REVOKED)
            await here.card(RESIDENT)
            [(_, _, denied)] = (await here.events("access.denied"))[1:]
            assert denied["reason"]["code"] == "revoked"
        async with following(here, tmp_path) as (desire, _):
            assert desire.announced == 21


async def test_what_the_hub_has_brought_meanwhile_stands_against_what_the_disk_gives_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with yard(tmp_path) as here:
        async with following(here, tmp_path) as (desire, _):
            await desire.take(WHOLE)
        async with found_late(here, tmp_path, monkeypatch) as (desire, people, disk):
            await desire.take(snapshot(30, holder("li")))
            await it_gives(desire, disk)
            assert (desire.announced, list(desire.holders), people.accounts) == (30, ["li"], {})
            await until(lambda: desire._held.revision == 30)
        async with following(here, tmp_path) as (desire, _):
            assert (desire.announced, list(desire.holders)) == (30, ["li"])


async def test_a_whole_that_arrives_does_not_keep_out_what_the_disk_gives_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with yard(tmp_path) as here:
        async with following(here, tmp_path) as (desire, _):
            await desire.take(WHOLE)
        async with found_late(here, tmp_path, monkeypatch) as (desire, _, disk):
            await desire.take(snapshot(30, holder("li"), part=1, parts=2))
            await it_gives(desire, disk)
            await here.card(RESIDENT)
            assert len(await here.events("access.granted")) == 1
            assert (desire.announced, desire.receiving) == (20, (30, 1))
            await desire.take(snapshot(30, holder("wang"), part=2, parts=2))
            assert (desire.announced, set(desire.holders)) == (30, {"li", "wang"})
            await until(lambda: desire._held.revision == 30)


async def test_what_a_damaged_file_gives_late_decides_and_the_hub_is_asked_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with yard(tmp_path) as here:
        async with following(here, tmp_path) as (desire, _):
            await desire.take(WHOLE)
        settle(tmp_path / "held.sqlite")
        [page] = [page.number for page in pages(tmp_path / "held.sqlite") if page.of == "standing"]
        overwrite(tmp_path / "held.sqlite", page)
        async with found_late(here, tmp_path, monkeypatch) as (desire, people, disk):
            await it_gives(desire, disk)
            await here.card(RESIDENT)
            assert len(await here.events("access.granted")) == 1
            assert (desire.announced, list(people.accounts)) == (0, ["guard"])
            await desire.take(snapshot(30, holder("li")))
            await until(lambda: desire._held.revision == 30)

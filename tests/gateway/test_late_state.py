"""State that a disk gives long after the start is decided by from then on; state that a damaged file lost is written
again from what decisions are made by."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.commands import Person
from contract.desired import Account
from contract.readings import Reading
from drivers.reports import ClockTold, DeviceFound, DeviceLost
from gateway.break_glass.account import Sealed
from gateway.clock import Clock
from gateway.engine.desk.timers import LoopTimers
from gateway.engine.meters import quarter_of
from gateway.engine.standing import SETTLES_S
from gateway.journal import Journal, Keep, StateChange
from gateway.journal.state import State
from gateway.readings import Keep as KeepReadings
from gateway.readings import ReadingsStore
from gateway.readings.tables import latest
from gateway.web.served import People
from gateway.web.sessions import HeldSessions
from rules.access.freshness import AGREEING
from tests.gateway.disks import NOW_MS, FaultyDisk, Hands, state_on_disk, until
from tests.gateway.engine_site import FITTER, MORNING, Time, Yard, yard
from tests.gateway.pages import overwrite, pages, settle
from web.session.store import StoredAccount, StoredSession
from web.users import User

LOCK_HELD = ("write", "relays", "relay_1", True)


@asynccontextmanager
async def hung(folder: Path, time: Time, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Yard, FaultyDisk]]:
    """The gateway after a restart, on a disk that hangs until it is healed."""
    monkeypatch.setattr("gateway.sqlite.file.OPEN_S", 0.02)
    disk = FaultyDisk()
    disk.hang_opening()
    try:
        async with yard(folder, time, disk=disk) as here:
            assert here.journal.stalled is not None
            yield here, disk
            disk.heal()
            await until(lambda: here.journal.stalled is None)
    finally:
        disk.heal()


async def comes(here: Yard, disk: FaultyDisk) -> None:
    """The disk answers, and what it brings is taken up."""
    disk.heal()
    await until(lambda: here.journal.stalled is None)
    await here.settle()
    await here.journal.on_disk(within_s=20)


async def dry(here: Yard) -> str:
    """The pump runs dry until its alarm is raised; the alarm's id."""
    await here.read(pump_1__flow=0.2, pump_1__rotating=True)
    await here.wait(6)
    return next(id for id, state in states(here).items() if state == "active")


def states(here: Yard) -> dict[str, str]:
    return {id: alarm.state for id, alarm in here.engine.alarms.alarms.items() if alarm.cause.rule == "pump-dry"}


async def test_every_part_takes_up_what_the_disk_brings_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    time = Time(quarter_of(MORNING) + 60_000)
    async with yard(tmp_path, time) as before:
        alarm = await dry(before)
        await before.command("alarm.shelve", alarm, FITTER, for_s=3600, note="known")
        await before.command("door.mode", "lobby", mode="unlocked")
        opened = await before.command("door.unlock", "lobby", number=77)
        assert await before.plate("沪A12345", "cam-side")
        await before.read(meter_main__energy_import=1000.5)
        assert len(await before.events("meter.read")) == 1
    async with hung(tmp_path, time, monkeypatch) as (here, disk):
        assert states(here) == {}
        assert here.engine.doors.item("lobby")["mode"] == "normal"
        await comes(here, disk)
        assert states(here) == {alarm: "shelved"}
        assert here.engine.doors.item("lobby")["mode"] == "unlocked"
        assert here.sent == [LOCK_HELD]
        await here.command("door.unlock", "lobby", number=77)
        assert here.engine.commands.commands[opened].state == "done"
        assert here.engine.commands.counts["repeated"] == 1
        assert not await here.plate("沪A12345", "cam-side")
        await here.read(meter_main__energy_import=1001.0)
        assert len(await here.events("meter.read")) == 1
        await here.wait(3600)
        assert states(here) == {alarm: "active"}


async def test_a_command_that_was_under_way_has_failed_also_if_it_is_found_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = Time()
    async with yard(tmp_path, time) as before:
        id = await before.command("door.unlock", "lobby")
        [kept] = before.journal.load_state("command").values()
        await before.journal.put([], [StateChange("command", id, kept.replace(b'"done"', b'"sent"'))])
    async with hung(tmp_path, time, monkeypatch) as (here, disk):
        await comes(here, disk)
        assert here.engine.commands.commands[id].state == "failed"
        assert len(await here.events("command.failed")) == 1


async def test_a_command_of_before_the_start_is_not_done_twice_while_the_disk_is_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = Time()
    async with yard(tmp_path, time) as before:
        id = await before.command("door.unlock", "lobby", number=77, ttl_ms=25_000)
        assert before.engine.commands.commands[id].state == "done"
    time.pass_by(2)
    async with hung(tmp_path, time, monkeypatch) as (here, disk):
        # The hub has heard of no result and sends it again.
        await here.command("door.unlock", "lobby", number=77, issued_ms=-2_000)
        assert here.engine.commands.commands[id].state == "failed"
        assert here.sent == []
        time.pass_by(1)
        young = await here.command("door.unlock", "lobby", number=78, issued_ms=-500)
        assert here.engine.commands.commands[young].state == "done"
        await comes(here, disk)
        assert here.engine.commands.commands[id].state == "failed"


async def test_nothing_is_stated_from_a_memory_that_was_never_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = Time()
    async with yard(tmp_path, time) as before:
        alarm = await dry(before)
    async with hung(tmp_path, time, monkeypatch) as (here, disk):
        here.engine.standing.wanted("met")
        await here.wait(3 * SETTLES_S)
        await comes(here, disk)
        assert await here.events("alarms.stated", "places.stated") == []
        await here.wait(SETTLES_S)
        [(_, _, said)] = await here.events("alarms.stated")
        assert alarm in [each["alarm"] for each in said["alarms"]]


async def test_an_alarm_found_late_ends_when_its_cause_has_another_one_by_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = Time()
    async with yard(tmp_path, time) as before:
        old = await dry(before)
        await before.command("alarm.ack", old)
    async with hung(tmp_path, time, monkeypatch) as (here, disk):
        new = await dry(here)
        await comes(here, disk)
        assert states(here) == {old: "closed", new: "active"}
        assert here.engine.alarms.present("pump-dry@pump-1")
        await here.read(pump_1__flow=12.0)
        assert states(here) == {old: "closed", new: "cleared"}
    async with yard(tmp_path, time) as again:
        assert states(again) == {old: "closed", new: "cleared"}


@pytest.mark.parametrize("flow", [12.0, 0.2, None], ids=["it is over", "it is there", "nobody knows"])
async def test_an_alarm_found_late_goes_by_what_is_read_by_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flow: float | None
) -> None:
    time = Time()
    async with yard(tmp_path, time) as before:
        alarm = await dry(before)
    async with hung(tmp_path, time, monkeypatch) as (here, disk):
        if flow is not None:
            await here.read(pump_1__flow=flow, pump_1__rotating=True)
        await comes(here, disk)
        assert states(here) == {alarm: "cleared" if flow == 12.0 else "active"}
        await here.read(pump_1__flow=12.0, pump_1__rotating=True)
        assert states(here) == {alarm: "cleared"}
        # The hub may have ended it when this gateway stated that it stood nowhere.
        await here.wait(10)
        [(_, _, stated)] = await here.events("alarms.stated")
        assert alarm in [each["alarm"] for each in stated["alarms"]]


async def test_an_alarm_of_the_gateways_own_found_late_ends_if_its_cause_was_seen_to_be_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = Time()
    async with yard(tmp_path, time) as before:
        for device in ("pump-1", "meter-main", "lobby-in"):
            before.engine.report(DeviceLost(device, "no answer"))
            await before.wait(600)
            assert before.engine.alarms.present(f"device.lost@{device}")
    async with hung(tmp_path, time, monkeypatch) as (here, disk):
        here.engine.report(DeviceFound("pump-1"))
        await here.settle()
        await comes(here, disk)
        assert not here.engine.alarms.present("device.lost@pump-1")
        assert here.engine.alarms.present("device.lost@meter-main")
        here.engine.report(DeviceFound("meter-main"))
        await here.settle()
        assert not here.engine.alarms.present("device.lost@meter-main")


async def test_what_was_done_meanwhile_stands_against_what_is_found_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = Time()
    async with yard(tmp_path, time) as before:
        await before.command("door.mode", "lobby", mode="unlocked")
    async with hung(tmp_path, time, monkeypatch) as (here, disk):
        await here.command("door.mode", "lobby", mode="locked", number=5)
        await comes(here, disk)
        assert here.engine.doors.item("lobby")["mode"] == "locked"
        assert LOCK_HELD not in here.sent
    async with yard(tmp_path, time) as again:
        assert again.engine.doors.item("lobby")["mode"] == "locked"


async def test_what_cameras_told_before_is_joined_to_what_they_told_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = Time()
    async with yard(tmp_path, time) as before:
        assert await before.plate("沪A12345", "cam-side", plate_id="1", seen_at=time.machine_ms)
    async with hung(tmp_path, time, monkeypatch) as (here, disk):
        here.engine.report(ClockTold("cam-side", time.machine_ms))
        await here.plate("苏E54321", "cam-side")
        await comes(here, disk)
    async with yard(tmp_path, time) as again:
        assert not await again.plate("沪A12345", "cam-side", plate_id="1")
        # Played as they came: what was told before was not forgotten for what was measured meanwhile.
        for number in range(AGREEING + 1):
            await again.wait(60)
            stamp = time.machine_ms - 8 * 3_600_000
            assert not await again.plate("沪A12345", "cam-side", seen_at=stamp, plate_id=f"r-{number}")


@pytest.mark.parametrize("locked", [False, True])
async def test_who_was_signed_in_is_so_again_once_the_disk_says_it_unless_a_lock_has_ended_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locked: bool
) -> None:
    account = Account(
        id="a-1", username="wang", name="Wang", role="guard", password_hash="x", expires_at="2030-01-01T00:00:00.000Z"
    )

    def sessions(here: Yard) -> HeldSessions:
        people = People({"wang": account}, {})
        clock = here.engine.clock
        sealed = Sealed(tmp_path, clock, LoopTimers(), lambda: None, lambda _: None)
        return HeldSessions(
            people, here.engine.record, clock, sealed, site="yard", gateway="yard-gw", locked=lambda _: None
        )

    time = Time()
    async with yard(tmp_path, time) as before:
        user = User(id="a-1", username="wang", name="Wang", role="guard", language="zh", sites=("yard",))
        opened = StoredSession("hash", "a-1", MORNING, MORNING, "10.0.0.9")
        assert await sessions(before).open(opened, StoredAccount(user, "x"))
    async with hung(tmp_path, time, monkeypatch) as (here, disk):
        signed_in = sessions(here)
        assert await signed_in.find("hash") is None
        if locked:
            await signed_in.lock(account, Person(id="a-2", name="Li", role="guard"), "stolen")
            await signed_in.unlock(account, Person(id="a-3", name="Zhao", role="manager"))
        await comes(here, disk)
        found = await signed_in.find("hash")
        if locked:
            assert found is None
            return
        assert found is not None
        assert found[1].username == "wang"


# --- What a damaged file lost


async def test_state_that_a_damaged_page_lost_is_written_again(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    journal = Journal.open(path, clock=Clock(), keep=Keep(act_waits_s=30))
    rows = {f"command-{n}": b'"%s"' % (b"x" * 60) for n in range(200)}
    await journal.put([], [StateChange("command", id, value) for id, value in rows.items()])
    await journal.put([], [StateChange("command", "command-7", None)])
    del rows["command-7"]
    assert await journal.on_disk(within_s=20)
    settle(path)
    [*_, leaf] = [page.number for page in pages(path) if (page.of, page.kind) == ("state", "leaf")]
    overwrite(path, leaf)
    journal._history.damaged("a page")
    await journal._history._begun_anew()
    assert await journal.on_disk(within_s=20)
    assert len(list(tmp_path.glob("journal.sqlite.damaged-*Z"))) == 1
    assert state_on_disk(path, "command") == rows
    await journal.close()


KINDS = ("door", "alarm")
KEYS = st.tuples(st.sampled_from(KINDS), st.sampled_from("abc"))
CHANGES = st.lists(st.builds(lambda key, value: (*key, value), KEYS, st.sampled_from([None, b"1", b"2"])), max_size=6)


@given(file=CHANGES, before=CHANGES, after=CHANGES, lost=st.sets(KEYS))
def test_file_and_memory_agree_whatever_is_found_late_or_lost(
    file: list[tuple[str, str, bytes | None]],
    before: list[tuple[str, str, bytes | None]],
    after: list[tuple[str, str, bytes | None]],
    lost: set[tuple[str, str]],
) -> None:
    def rows(of: dict[tuple[str, str], bytes]) -> dict[str, dict[str, bytes]]:
        return {kind: {id: value for (each, id), value in of.items() if each == kind} for kind in KINDS}

    def apply(to: dict[tuple[str, str], bytes], changes: list[StateChange]) -> None:
        for kind, id, value in changes:
            to.pop((kind, id), None)
            if value is not None:
                to[kind, id] = value

    disk: dict[tuple[str, str], bytes] = {}
    apply(disk, [StateChange(*each) for each in file])
    state, heard = State(), dict[tuple[str, str], bytes]()
    for kind in KINDS:
        state.watch(kind, lambda found, kind=kind: heard.update({(kind, id): v for id, v in found.items()}))  # type: ignore[misc]
    state.change([StateChange(*each) for each in before])
    late, again = state.found(rows(disk), whole=True)
    state.tell(late)
    changed = {(kind, id) for kind, id, _ in before}
    assert heard == {key: value for key, value in disk.items() if key not in changed}
    apply(disk, again)
    state.change([StateChange(*each) for each in after])
    apply(disk, [StateChange(*each) for each in after])
    held = dict(disk)
    for key in lost:
        disk.pop(key, None)
    late, again = state.found(rows(disk), whole=True)
    assert late == {}
    apply(disk, again)
    assert disk == held
    assert {kind: state.of(kind) for kind in KINDS} == rows(held)


# --- Readings


def mode(value: str, at: int = 0) -> Reading:
    return Reading(point="lobby.mode", value=value, quality="good", at=NOW_MS + at)


async def a_store(path: Path, disk: FaultyDisk | None = None) -> ReadingsStore:
    return ReadingsStore.open(path, clock=Clock(Hands().machine), keep=KeepReadings(every_s=0.01), disk=disk)


async def test_the_last_readings_that_the_disk_brings_late_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "readings.sqlite"
    store = await a_store(path)
    store.add([mode("locked"), Reading(point="pump-1.flow", value=2.0, quality="good", at=NOW_MS)])
    await store.close()
    monkeypatch.setattr("gateway.sqlite.file.OPEN_S", 0.02)
    disk = FaultyDisk()
    disk.hang_opening()
    store = await a_store(path, disk)
    told: list[Reading] = []
    store.watch_late(told.extend)
    store.add([mode("unlocked", 1)])
    disk.heal()
    await until(lambda: bool(told))
    assert [reading.point for reading in told] == ["pump-1.flow"]
    assert store.latest()["lobby.mode"].value == "unlocked"
    await store.close()


async def test_the_last_readings_that_a_damaged_file_lost_are_written_again(tmp_path: Path) -> None:
    path = tmp_path / "readings.sqlite"
    store = await a_store(path)
    store.add([mode("locked")])
    await until(lambda: store.last == 1)
    assert store._file.db is not None
    await store._file.write(lambda db: db.execute("DELETE FROM latest").rowcount)
    await asyncio.get_running_loop().run_in_executor(store._file._writer, store._file._mend, "a page", 1)
    store.add([Reading(point="pump-1.flow", value=2.0, quality="good", at=NOW_MS)])
    await until(lambda: not store._buffer and not store._writing)
    assert set(await store._file.read(latest)) == {"lobby.mode", "pump-1.flow"}
    assert len(list(tmp_path.glob("readings.sqlite.damaged-*Z"))) == 1
    await store.close()

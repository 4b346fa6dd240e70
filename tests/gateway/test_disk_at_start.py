"""A start on a disk that is full, read-only or hangs: every store begins, and goes over to its file once it can."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import signal
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import structlog

from contract.desired import Holder
from contract.facts.entry import DoorMoved
from contract.facts.gateway import RecordingStalled
from contract.kinds import decode_data
from contract.readings import Reading
from gateway.clock import Clock
from gateway.desired.held import Held
from gateway.desired.tables import Row
from gateway.journal import Draft, Journal, Keep, StateChange
from gateway.journal.salvage import Salvaged, salvage
from gateway.pictures import PictureStore
from gateway.readings import Keep as KeepReadings
from gateway.readings import ReadingsStore
from gateway.sqlite.file import Damage, Damages
from tests.gateway.disks import NOW_MS, FaultyDisk, Hands, state_on_disk, until
from tests.gateway.pages import overwrite, pages, settle
from tests.gateway.process import CARD, hut
from tests.gateway.room import mounted, read_only, room_of

PATIENT = Keep(act_waits_s=30)
QUICK = KeepReadings(every_s=0.01)
FULL = sqlite3.OperationalError("database or disk is full")
STATE = {"a": b"1"}


def moved(source: str) -> Draft:
    return Draft(kind="door.opened", source=source, data=DoorMoved(by="exit"))


def flow(at: int) -> Reading:
    return Reading(point="pump-1.flow", value=1.0, quality="good", at=NOW_MS + at)


def person(name: str) -> Row:
    return "holder", name, msgspec.json.encode(Holder(id=name, name=name))


def names(held: Held) -> list[str]:
    return [name for some in held.stored() for _, name, _ in some]


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Path]:
    """A gateway's folder with all its files, closed well."""
    async with mounted(tmp_path / "data"):
        journal = Journal.open(tmp_path / "data" / "journal.sqlite", clock=Clock(), keep=PATIENT)
        await journal.put([moved("before")], [StateChange("door", "a", b"1")])
        await journal.close()
        store = ReadingsStore.open(tmp_path / "data" / "readings.sqlite", clock=Clock(Hands().machine), keep=QUICK)
        store.add([flow(0)])
        await store.close()
        held = Held.open(tmp_path / "data" / "held.sqlite", clock=Clock())
        held.keep(1, [person("li")])
        await held.close()
        yield tmp_path / "data"


async def sources(journal: Journal) -> list[str]:
    return [event.source for event in await journal.events(after=0, limit=1000) if event.kind == "door.opened"]


@pytest.mark.parametrize("known", [True, False], ids=["a file", "no file"])
async def test_a_journal_begins_on_a_full_disk_and_records_all_once_there_is_room(folder: Path, known: bool) -> None:
    disk = FaultyDisk()
    disk.open_error = FULL
    path = folder / ("journal.sqlite" if known else "another.sqlite")
    journal = Journal.open(path, clock=Clock(), keep=PATIENT, disk=disk)
    assert "full" in str(journal.stalled)
    assert journal.load_state("door") == (STATE if known else {})
    assert await journal.put([moved("meanwhile")], [StateChange("door", "b", b"2")]) == []
    assert await journal.put([moved("later")]) == []
    if known:
        assert await sources(journal) == ["before"]
        assert (batch := await journal.batch(0)) is not None
        assert [event.source for event in batch.events] == ["before"]
    else:
        with pytest.raises(OSError, match="cannot be read"):
            await sources(journal)
    disk.heal()
    await until(lambda: journal.stalled is None)
    assert await journal.on_disk(within_s=20)
    assert await sources(journal) == (["before"] if known else []) + ["meanwhile", "later"]
    assert state_on_disk(path, "door") == (STATE if known else {}) | {"b": b"2"}
    [said] = await journal.events(kind="recording.stalled")
    stall = decode_data(said.kind, said.data)
    assert isinstance(stall, RecordingStalled)
    assert (stall.waited, stall.dropped) == (2, 0)
    await journal.close()


async def test_a_journal_that_hangs_is_not_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.sqlite.file.OPEN_S", 0.05)
    disk = FaultyDisk()
    disk.hang_opening()
    clock = Clock()
    journal = Journal.open(folder / "journal.sqlite", clock=clock, keep=PATIENT, disk=disk)
    assert journal.stalled == "the disk does not answer"
    assert await journal.put([moved("meanwhile")]) == []
    assert journal.acked == journal.last == 0
    disk.heal()
    await until(lambda: journal.stalled is None)
    await until(lambda: journal.durable >= 2)
    assert await sources(journal) == ["before", "meanwhile"]
    await journal.close()


async def test_a_damaged_journal_on_a_full_disk_gives_its_state_and_is_mended_later(folder: Path) -> None:
    path = folder / "journal.sqlite"
    image = bytearray(path.read_bytes())
    image[16:20] = b"\xff\xff\xff\xff"
    path.write_bytes(image)
    disk = FaultyDisk()
    disk.open_error = FULL
    with structlog.testing.capture_logs() as said:
        journal = Journal.open(path, clock=Clock(), keep=PATIENT, disk=disk)
    assert not [entry for entry in said if "begun_anew" in entry["event"]]  # it was looked at
    assert await journal.put([moved("meanwhile")]) == []
    assert path.read_bytes() == bytes(image)
    disk.heal()
    await until(lambda: journal.stalled is None)
    assert "meanwhile" in await sources(journal)
    assert len(list(folder.glob("journal.sqlite.damaged-*"))) == 1
    await journal.close()


@pytest.mark.parametrize("room", [0.3, 1.3, 1.6])
async def test_a_damaged_journal_loses_nothing_where_there_is_little_room(tmp_path: Path, room: float) -> None:
    async with mounted(tmp_path / "data") as own:
        path = tmp_path / "data" / "journal.sqlite"
        journal = Journal.open(path, clock=Clock(), keep=PATIENT)
        for _ in range(12):
            await journal.put([moved("x" * 100)] * 500)
        await journal.close()
        settle(path)
        overwrite(path, next(page.number for page in pages(path) if page.of == "events_by_kind"))
        filler = tmp_path / "data" / "filler"
        free = os.statvfs(path.parent).f_bavail * os.statvfs(path.parent).f_frsize
        filler.write_bytes(bytes(free - round(room * path.stat().st_size) if own else 0))
        again = Journal.open(path, clock=Clock(), keep=PATIENT)
        filler.unlink()
        await until(lambda: again.stalled is None)
        assert again.stream == journal.stream
        assert await again.on_disk(within_s=20)
        assert len(await again.events(after=0, limit=1000, kind="door.opened")) == 1000
        assert again.last >= 6001
        await again.close()


async def test_what_is_saved_of_a_damaged_journal_is_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    overwrite(folder / "journal.sqlite", 1)

    def slow(path: Path) -> Salvaged:
        time.sleep(1)
        return salvage(path)

    monkeypatch.setattr("gateway.sqlite.file.OPEN_S", 0.5)
    monkeypatch.setattr("gateway.journal.opening.salvage", slow)
    journal = Journal.open(folder / "journal.sqlite", clock=Clock(), keep=PATIENT)
    assert journal.stalled is None
    assert journal.load_state("door") == STATE
    await journal.close()


async def test_a_damaged_journal_that_nothing_can_be_read_of_stops_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    overwrite(folder / "journal.sqlite", 1)

    def unreadable(path: Path) -> Salvaged:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as failing:
        failing.setattr("gateway.journal.opening.salvage", unreadable)
        journal = Journal.open(folder / "journal.sqlite", clock=Clock(), keep=PATIENT)
        assert await journal.put([moved("meanwhile")]) == []
        assert "Input/output error" in str(journal.stalled)
    await until(lambda: journal.stalled is None)
    assert await sources(journal) == ["before", "meanwhile"]
    await journal.close()


async def test_a_new_file_that_was_made_before_a_kill_takes_its_place(folder: Path) -> None:
    (folder / "journal.sqlite").rename(folder / "journal.sqlite.new")
    (folder / "journal.sqlite").write_bytes(b"\xff" * 4096)
    (folder / "journal.sqlite-wal").write_bytes(b"the log of the damaged one")
    (folder / "journal.sqlite.part").write_bytes(b"half of yet another")
    damages, told = Damages(), list[Damage]()
    damages.watch(told.append)
    journal = Journal.open(folder / "journal.sqlite", clock=Clock(), keep=PATIENT, damages=damages)
    assert await sources(journal) == ["before"]
    await journal.close()
    aside = {file.name for file in folder.glob("journal.sqlite.damaged-*")}
    assert aside == {told[0].kept, f"{told[0].kept}-wal"}
    assert re.fullmatch(r"journal\.sqlite\.damaged-\d{8}T[\d.]+Z", told[0].kept)
    assert not list(folder.glob("*.part")) + list(folder.glob("*.new"))


async def test_readings_begin_on_a_full_disk_and_go_over(folder: Path) -> None:
    disk = FaultyDisk()
    disk.open_error = FULL
    store = ReadingsStore.open(folder / "readings.sqlite", clock=Clock(Hands().machine), keep=QUICK, disk=disk)
    assert "full" in str(store.stalled)
    assert store.latest() == {"pump-1.flow": flow(0)}
    name = store.store
    assert (await store.batch(0)) is not None
    disk.heal()
    await until(lambda: store.stalled is None)  # also if there is nothing to write
    store.add([flow(1)])
    await until(lambda: store.last == 2)
    assert (store.store, store.last) == (name, 2)
    assert [reading.at - NOW_MS for reading in await store.history("pump-1.flow", 0, NOW_MS * 2)] == [0, 1]
    await store.close()


async def test_rights_are_read_from_a_full_disk(folder: Path) -> None:
    disk = FaultyDisk()
    disk.open_error = FULL
    held = Held.open(folder / "held.sqlite", clock=Clock(), disk=disk)
    assert (held.revision, names(held)) == (1, ["li"])
    disk.heal()
    held.keep(2, [person("wang")])
    await until(lambda: held.revision == 2)
    assert names(held) == ["li", "wang"]
    await held.close()


async def test_rights_that_hang_are_not_waited_for_and_hold_when_they_come(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.sqlite.file.OPEN_S", 0.05)
    disk = FaultyDisk()
    disk.hang_opening()
    held = Held.open(folder / "held.sqlite", clock=Clock(), disk=disk)
    found: list[int] = []
    held.watch_found(lambda: found.append(held.revision))
    assert (held.revision, names(held)) == (0, [])
    disk.heal()
    await until(lambda: found == [1])
    assert names(held) == ["li"]
    await held.close()


async def test_every_store_is_read_on_a_read_only_disk_and_written_when_it_is_none(tmp_path: Path) -> None:
    async with mounted(tmp_path / "data") as own:
        data = tmp_path / "data"
        clock = Clock()
        journal = Journal.open(data / "journal.sqlite", clock=clock, keep=PATIENT)
        await journal.put([moved("before")], [StateChange("door", "a", b"1")])
        await journal.close()
        held = Held.open(data / "held.sqlite", clock=clock)
        held.keep(1, [person("li")])
        await held.close()
        async with read_only(data, own=own):
            journal = Journal.open(data / "journal.sqlite", clock=clock, keep=PATIENT)
            held = Held.open(data / "held.sqlite", clock=clock)
            store = ReadingsStore.open(data / "readings.sqlite", clock=clock, keep=QUICK)
            pictures = PictureStore.open(data / "pictures", clock=clock)
            assert journal.load_state("door") == STATE
            assert names(held) == ["li"]
            assert await journal.put([moved("meanwhile")]) == []
            assert journal.stalled
            store.add([flow(1)])
            assert store.stalled
            with pytest.raises(OSError, match=r"."):
                await pictures.save(b"\xff\xd8\xff picture")
        await until(lambda: journal.stalled is None)
        assert await sources(journal) == ["before", "meanwhile"]
        await until(lambda: store.stalled is None)
        held.keep(2, [person("wang")])
        await until(lambda: held.revision == 2)
        await pictures.save(b"\xff\xd8\xff picture")
        for each in (journal, store, held):
            await each.close()


async def test_killed_on_a_full_disk_doors_open_again_from_what_is_held(tmp_path: Path) -> None:
    async with hut(tmp_path) as gateway, room_of(gateway) as room:
        await gateway.start()
        room.take()

        async def stalled() -> bool:
            pulses = len(gateway.ends.coils)
            gateway.ends.reader.present(CARD)
            await gateway.ends.pulsed(pulses + 1)
            async with gateway.client() as client:
                return (await client.get("/readyz")).status_code == 503

        await gateway.until(stalled)
        await gateway.end(signal.SIGKILL)
        pulses = len(gateway.ends.coils)
        await gateway.launch()
        await gateway.dialled()
        gateway.ends.reader.present(CARD)
        await gateway.ends.pulsed(pulses + 1)
        room.give()

        async def recorded() -> bool:
            await asyncio.sleep(0.1)
            return "recording.stalled" in gateway.kinds()

        await gateway.until(recorded)
        assert await gateway.end() == 0
        granted = gateway.kinds().count("access.granted")
        assert granted >= 1


async def test_a_damaged_file_is_an_alarm_until_a_start_finds_all_whole(tmp_path: Path) -> None:
    async with hut(tmp_path) as gateway:
        (gateway.data / "readings.sqlite").write_bytes(b"\xff" * 8192)
        for state in ("active", "cleared"):
            await gateway.start()
            async with gateway.client() as client:
                alarms = (await client.get("/api/alarms")).json()["items"]
            found = [alarm for alarm in alarms if alarm["rule"] == "file.damaged"]
            assert await gateway.end() == 0
            assert [alarm["state"] for alarm in found] == [state]
            assert "readings.sqlite.damaged-" in found[0]["message"]["en"]


async def test_a_folder_that_cannot_be_made_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    journal = Journal.open(tmp_path / "data" / "journal.sqlite", clock=Clock(), keep=PATIENT)
    store = ReadingsStore.open(tmp_path / "data" / "readings.sqlite", clock=Clock(), keep=QUICK)
    held = Held.open(tmp_path / "data" / "held.sqlite", clock=Clock())
    pictures = PictureStore.open(tmp_path / "data" / "pictures", clock=Clock())
    assert await journal.put([moved("meanwhile")]) == []
    assert journal.stalled
    assert store.stalled
    assert (held.revision, pictures.backlog) == (0, 0)
    (tmp_path / "data").unlink()
    await until(lambda: journal.stalled is None)
    assert await sources(journal) == ["meanwhile"]
    for each in (journal, store, held):
        await each.close()

"""Results of commands overtake the backlog: signs of life tell them as soon as they are on the disk, no sooner."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from contract.acks import Ack
from contract.commands import Person
from contract.facts.gateway import CommandResult, Empty
from contract.instants import instant
from contract.presence import ANSWERED_LIMIT, Answered, Versions
from contract.readings import Reading
from contract.texts import Text
from contract.topics import UpKind
from gateway.clock import Clock
from gateway.journal import Draft, Journal
from gateway.pictures import PictureStore
from gateway.readings import Keep as KeepReadings
from gateway.readings import ReadingsStore
from gateway.uplink.answers import Answers
from gateway.uplink.diskwork import DiskHangs, DiskWork
from gateway.uplink.outbox import ForkNeeded, Told
from gateway.uplink.sending import Sending, Speaker
from tests.gateway.disks import NOW_MS, FaultyDisk, until
from tests.gateway.line import HubEnd, RunningBroker, hub_end
from tests.gateway.test_uplink import PATIENT, Site, all_there, site

DEAD = Text("总线无应答", "The bus does not answer")


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.uplink.uplink.pause_s", lambda failures, jitter: 0.05)


def id_of(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


async def answer(gateway: Site, number: int, state: str = "done", why: Text | None = None) -> None:
    """The engine has recorded what became of a command."""
    by = Person(id="u1", name="Zhao", role="guard")
    result = CommandResult(command=id_of(number), kind="door.unlock", target="a", by=by, reason="r", why=why)
    await gateway.journal.put([Draft(kind=f"command.{state}", source="a", data=result)])


def told(hub: HubEnd) -> list[Answered]:
    """What the last sign of life answered."""
    return hub.presences[-1].answered if hub.presences else []


async def test_a_result_is_told_while_the_backlog_waits(broker: RunningBroker, tmp_path: Path) -> None:
    async with hub_end(broker) as hub, site(tmp_path / "gw", broker.port) as gateway:
        hub.answering = False
        await gateway.record(*(f"door-{n}" for n in range(300)))
        await answer(gateway, 1, "failed", DEAD)
        await hub.until(lambda: bool(told(hub)))
        [first] = told(hub)
        assert (first.command, first.state, first.why) == (id_of(1), "failed", DEAD)
        assert gateway.journal.acked == 0
        await answer(gateway, 2)
        await hub.until(lambda: [each.command for each in told(hub)] == [id_of(1), id_of(2)])
        hub.answering = True
        await all_there(gateway, hub)
        gateway.uplink.announce()
        await hub.until(lambda: told(hub) == [])


async def test_a_result_that_is_not_on_the_disk_is_not_told(broker: RunningBroker, tmp_path: Path) -> None:
    disk = FaultyDisk()
    async with hub_end(broker) as hub, site(tmp_path / "gw", broker.port, disk=disk) as gateway:
        await gateway.record("first")
        await all_there(gateway, hub)
        hub.answering = False
        disk.hang_syncs()
        await answer(gateway, 1)
        before = len(hub.presences)
        gateway.uplink.announce()
        await hub.until(lambda: len(hub.presences) > before)
        assert told(hub) == []
        disk.heal()
        await hub.until(lambda: [each.command for each in told(hub)] == [id_of(1)])


async def test_what_waits_is_still_told_after_a_restart(broker: RunningBroker, tmp_path: Path) -> None:
    async with site(tmp_path / "gw", broker.port) as gateway:
        await answer(gateway, 1)
        await answer(gateway, 2, "expired", DEAD)
        await gateway.journal.on_disk(within_s=20)
    async with hub_end(broker) as hub:
        hub.answering = False
        async with site(tmp_path / "gw", broker.port):
            await hub.until(lambda: len(told(hub)) == 2)
            assert [(each.command, each.state) for each in told(hub)] == [(id_of(1), "done"), (id_of(2), "expired")]


async def test_what_a_restored_hub_lacks_and_what_a_fork_moved_is_told_again(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "journal.sqlite", clock=Clock(), keep=PATIENT)
    answers = Answers(journal, lambda: None)
    by = Person(id="u1", name="Zhao", role="guard")
    result = CommandResult(command=id_of(1), kind="door.unlock", target="a", by=by, reason="r")
    await journal.put([Draft(kind="command.done", source="a", data=result)])
    await journal.on_disk(within_s=20)
    assert [each.command for each in answers.waiting()] == [id_of(1)]
    journal.acknowledge(1)
    assert answers.waiting() == []
    journal.acknowledge(0)
    await answers.recall()
    assert [each.command for each in answers.waiting()] == [id_of(1)]
    await journal.fork(0, "the hub holds something else")
    await answers.recall()
    await journal.on_disk(within_s=20)
    assert [each.command for each in answers.waiting()] == [id_of(1)]
    journal.acknowledge(1)
    assert [each.command for each in answers.waiting()] == [id_of(1)]
    journal.acknowledge(2)
    assert answers.waiting() == []
    await journal.close()


async def test_of_very_many_the_newest_are_told(broker: RunningBroker, tmp_path: Path) -> None:
    async with site(tmp_path / "gw", broker.port) as gateway:
        for number in range(ANSWERED_LIMIT + 5):
            await answer(gateway, number)
        await gateway.journal.on_disk(within_s=20)
        async with hub_end(broker) as hub:
            hub.answering = False
            gateway.uplink.announce()
            await hub.until(lambda: bool(told(hub)))
            assert [each.command for each in told(hub)] == [id_of(n) for n in range(5, ANSWERED_LIMIT + 5)]


@asynccontextmanager
async def sending(folder: Path, disk: FaultyDisk | None = None) -> AsyncIterator[tuple[Sending, Journal]]:
    """The outgoing side alone, with nothing behind it."""
    clock = Clock()
    journal = Journal.open(folder / "journal.sqlite", clock=clock, keep=PATIENT, disk=disk)
    readings = ReadingsStore.open(folder / "readings.sqlite", clock=clock, keep=KeepReadings(every_s=0.01), disk=disk)
    pictures = PictureStore.open(folder / "pictures", clock=clock)
    yield (
        Sending(
            Speaker("gw", "demo"), journal=journal, readings=readings, pictures=pictures, clock=clock,
            versions=lambda: Versions(software="1", desired=0, site_file="abc"), on_contact=lambda contact: None,
        ),
        journal,
    )  # fmt: skip
    await readings.close()
    await journal.close()


@asynccontextmanager
async def line(sends: Sending) -> AsyncIterator[list[tuple[UpKind, bytes]]]:
    """A connection: what goes over it. It is cut at the end."""
    out: list[tuple[UpKind, bytes]] = []

    async def publish(kind: UpKind, payload: bytes) -> None:
        out.append((kind, payload))

    sends.connected()
    running = asyncio.create_task(sends.run(publish))
    try:
        yield out
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        sends.disconnected()


async def test_a_journal_that_cannot_be_read_holds_up_no_birth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.uplink.sending.HEARTBEAT_S", 0.05)
    disk = FaultyDisk()
    disk.open_error = sqlite3.OperationalError("database or disk is full")
    async with sending(tmp_path, disk) as (sends, _), line(sends) as out:
        await until(lambda: len(out) >= 3)
        assert {kind for kind, _ in out} == {"presence"}
        disk.heal()


@pytest.mark.parametrize("what", ["events", "telemetry", "pictures", "a fork"])
async def test_a_disk_that_hangs_holds_up_no_sign_of_life(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, what: str
) -> None:
    monkeypatch.setattr("gateway.uplink.sending.HEARTBEAT_S", 0.05)
    monkeypatch.setattr("gateway.uplink.diskwork.DISK_S", 0.05)
    disk = FaultyDisk()
    async with sending(tmp_path, disk) as (sends, journal):
        if what == "telemetry":
            sends._readings.add([Reading(point="pump-1.flow", value=1.0, quality="good", at=NOW_MS)])
            await until(lambda: sends._readings.last == 1)
        if what == "pictures":
            # Nothing gives what is read from it: as a disk that hangs.
            name = await sends._picturing._pictures.save(b"\xff\xd8\xff picture")
            file = tmp_path / "pictures" / "waiting" / f"{name}.jpg"
            file.unlink()
            os.mkfifo(file)
            request.addfinalizer(lambda: os.close(os.open(file, os.O_RDWR | os.O_NONBLOCK)))
        if what in ("events", "a fork"):
            await journal.put([Draft(kind="gateway.stopped", source="gw", data=Empty())])
            await journal.on_disk(within_s=20)
        before = journal.stream
        if what == "a fork":
            disk.hang_commits()
            sends._fork = ForkNeeded(0, "another")
            sends._events._forking = True
        elif what != "pictures":
            disk.hang_looks()
        async with line(sends) as out:
            await until(lambda: len(out) >= 4)
            assert {kind for kind, _ in out} == {"presence"}
            disk.heal()
            if what == "pictures":
                await asyncio.to_thread(file.write_bytes, b"\xff\xd8\xff picture")
            await until(lambda: any(kind == (what if what != "a fork" else "events") for kind, _ in out))
            assert (journal.stream == before) == (what != "a fork")


async def test_work_on_a_disk_that_hangs_is_not_begun_again_nor_taken_for_another() -> None:
    woken, goes, begun = asyncio.Event(), asyncio.Event(), list[int]()

    async def work(number: int) -> int:
        begun.append(number)
        await goes.wait()
        return number

    disk = DiskWork(woken.set)
    cut = asyncio.create_task(disk.wait("events", 1, lambda: work(1)))
    await until(lambda: begun == [1])
    cut.cancel()
    for asked in (2, 1, 2):
        with pytest.raises(DiskHangs):
            await disk.wait("events", asked, lambda asked=asked: work(asked))  # type: ignore[misc]
    assert begun == [1]
    goes.set()
    await asyncio.wait_for(woken.wait(), 20)
    assert await disk.wait("events", 2, lambda: work(2)) == 2
    assert begun == [1, 2]


def word(journal: Journal, state: Literal["fork", "committed"], seq: int = 0) -> Ack:
    return Ack(stream=journal.stream, state=state, seq=seq, at=instant(Clock().wall_ms()), why="another")


async def test_a_line_cut_right_after_a_fork_leaves_the_new_stream_to_go_out(
    tmp_path: Path,
) -> None:
    async with sending(tmp_path) as (sends, journal):
        await journal.put([Draft(kind="gateway.stopped", source="gw", data=Empty())])
        await journal.on_disk(within_s=20)
        old = journal.stream
        sends._events._silence_s = 0.3
        async with line(sends) as out:
            await until(lambda: any(kind == "events" for kind, _ in out))
            sends.heard(word(journal, "fork"))
            batches = len(out)
            await until(lambda: any(kind == "events" for kind, _ in out[batches:]))
            sends.heard(word(journal, "fork"))
            while journal.stream == old:  # noqa: ASYNC110  # the cut comes in the very next turn
                await asyncio.sleep(0)
            await asyncio.sleep(0)
        async with line(sends) as out:
            await until(lambda: any(kind == "events" for kind, _ in out))


async def test_a_file_that_is_there_late_with_the_same_number_is_followed(tmp_path: Path) -> None:
    disk = FaultyDisk()
    disk.open_error = sqlite3.OperationalError("database or disk is full")
    async with sending(tmp_path, disk) as (sends, journal):
        before = journal.stream
        disk.heal()
        await journal.put([Draft(kind="gateway.stopped", source="gw", data=Empty())])
        await until(lambda: journal.stalled is None and journal.durable > 0)
        assert journal.stream != before
        async with line(sends) as out:
            await until(lambda: any(kind == "events" for kind, _ in out))
            seq, head = journal.durable_head
            sends.heard(msgspec.structs.replace(word(journal, "committed", seq), head=head))
            assert journal.acked == seq


async def test_a_hash_that_cannot_be_read_ends_no_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unread(seq: int) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    async with sending(tmp_path) as (sends, journal), line(sends) as out:
        await until(lambda: bool(out))
        monkeypatch.setattr(journal, "hash_at", unread)
        sends._take_events(Told(3, "1" * 64))
        sends.announce()
        before = len(out)
        await until(lambda: len(out) > before and sends._told is None)
        sends.announce()
        before = len(out)
        await until(lambda: len(out) > before)

"""The journal on a disk that hangs, fails, is full, is damaged, or loses its process."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from contract.events import batch_fault
from contract.facts.entry import DoorMoved
from contract.facts.gateway import RecordingStalled, StreamForked
from contract.kinds import decode_data
from gateway.clock import Clock
from gateway.journal import Draft, Journal, Keep, Recorded, StateChange
from gateway.sqlite.disk import Damaged
from tests.gateway.disks import FaultyDisk, Hands, state_on_disk, until

QUICK = Keep(act_waits_s=0.05, late_s=0.1, silent_s=0.2)
PATIENT = Keep(act_waits_s=30)

Opener = Callable[..., Journal]


@pytest.fixture
async def journals(tmp_path: Path) -> AsyncIterator[Opener]:
    made: list[Journal] = []

    def opener(**options: Any) -> Journal:
        keep = options.pop("keep", QUICK)
        journal = Journal.open(tmp_path / "journal.sqlite", **{"clock": Clock(), "keep": keep, **options})
        made.append(journal)
        return journal

    yield opener
    for journal in made:
        await journal.close()


def moved(source: str = "lobby-a") -> Draft:
    return Draft(kind="door.opened", source=source, data=DoorMoved(by="exit"))


async def sources(journal: Journal) -> list[str]:
    return [event.source for event in await journal.events(after=0, limit=1000) if event.kind != "recording.stalled"]


async def stalls(journal: Journal) -> list[RecordingStalled]:
    found = await journal.events(kind="recording.stalled")
    return [data for event in found if isinstance(data := decode_data(event.kind, event.data), RecordingStalled)]


def writing(journal: Journal) -> sqlite3.Connection:
    """The connection that writes."""
    assert journal._file.db is not None
    return journal._file.db


async def test_a_hanging_disk_lets_the_door_go_and_says_so(journals: Opener) -> None:
    disk = FaultyDisk()
    journal = journals(disk=disk)
    heard: list[str | None] = []
    journal.watch_stall(heard.append)
    disk.hang_commits()
    assert await journal.put([moved("a")]) == []
    assert await journal.put([moved("b")], [StateChange("door", "b", b"1")]) == []
    await until(lambda: journal.stalled is not None)
    assert await journal.put([moved("c")]) == []
    disk.heal()
    await until(lambda: journal.stalled is None)
    await until(lambda: journal.last == 4)
    assert await sources(journal) == ["a", "b", "c"]
    assert state_on_disk(journal._path, "door") == {"b": b"1"}
    assert heard == ["the disk does not answer", None]
    assert await stalls(journal) == [RecordingStalled(why="the disk does not answer", waited=3)]


async def test_a_hiccup_is_waited_out_without_an_alarm(journals: Opener) -> None:
    disk = FaultyDisk()
    journal = journals(disk=disk, keep=Keep(act_waits_s=0.01, late_s=60))
    heard: list[str | None] = []
    journal.watch_stall(heard.append)
    disk.hang_commits()
    assert await journal.put([moved()]) == []
    disk.heal()
    await until(lambda: journal.last == 1)
    assert heard == []
    assert await stalls(journal) == []


async def test_a_failing_disk_is_tried_again(journals: Opener) -> None:
    disk = FaultyDisk()
    journal = journals(disk=disk)
    disk.commit_error = OSError(5, "Input/output error")
    assert await journal.put([moved("a")]) == []
    await until(lambda: journal.stalled is not None)
    assert "Input/output error" in str(journal.stalled)
    disk.heal()
    await until(lambda: journal.last == 2)
    assert await sources(journal) == ["a"]
    [stall] = await stalls(journal)
    assert "Input/output error" in stall.why


async def test_a_full_disk_keeps_the_facts_until_there_is_room(journals: Opener, tmp_path: Path) -> None:
    journal = journals()
    await journal.put([moved("before")])
    pages = int(writing(journal).execute("PRAGMA page_count").fetchone()[0])
    writing(journal).execute(f"PRAGMA max_page_count={pages}")
    count = 0
    async with asyncio.timeout(20):
        while journal.stalled is None:
            await journal.put([moved(f"door-{count}")])
            count += 1
    assert "full" in str(journal.stalled)
    assert await sources(journal) == ["before", *(f"door-{n}" for n in range(journal.last - 1))]
    writing(journal).execute("PRAGMA max_page_count=1000000")
    await until(lambda: journal.last == count + 2)
    assert await sources(journal) == ["before", *(f"door-{n}" for n in range(count))]
    assert len(await stalls(journal)) == 1


async def test_waiting_memory_is_bounded_and_keeps_the_state(journals: Opener) -> None:
    disk = FaultyDisk()
    journal = journals(disk=disk, keep=Keep(act_waits_s=0.001, late_s=0.05, waiting=10))
    disk.hang_commits()
    await journal.put([moved("in-hand")])
    await until(lambda: journal.waiting == 0)
    for n in range(25):
        await journal.put([moved(f"door-{n}")], [StateChange("door", f"door-{n}", b"%d" % n)])
    assert journal.waiting == 10
    await until(lambda: journal.stalled is not None)
    disk.heal()
    await until(lambda: journal.last == 12)
    assert await sources(journal) == ["in-hand", *(f"door-{n}" for n in range(15, 25))]
    assert state_on_disk(journal._path, "door") == {f"door-{n}": b"%d" % n for n in range(25)}
    [stall] = await stalls(journal)
    assert stall.dropped == 15


async def test_a_hanging_sync_does_not_stop_commits_but_nothing_is_sent(journals: Opener) -> None:
    disk = FaultyDisk()
    journal = journals(disk=disk, keep=Keep(act_waits_s=30, silent_s=0.2))
    await journal.put([moved("a")])
    assert await journal.on_disk(within_s=20)
    disk.hang_syncs()
    for n in range(5):
        assert len(await journal.put([moved(f"b-{n}")])) == 1
    assert not await journal.on_disk(within_s=0.05)
    assert journal.durable == 1
    assert await journal.batch(1) is None
    await until(lambda: journal.stalled is not None)
    assert len(await journal.put([moved("c")])) == 1
    disk.heal()
    await until(lambda: journal.durable == 8)
    [stall] = await stalls(journal)
    assert (stall.why, stall.waited) == ("the disk does not confirm what was written", 0)


async def test_state_without_an_event_is_waited_for_too(journals: Opener) -> None:
    disk = FaultyDisk()
    journal = journals(disk=disk, keep=PATIENT)
    await journal.put([moved("a")])
    assert await journal.on_disk(within_s=20)
    disk.hang_syncs()
    await journal.put([], [StateChange("command", "c-1", b"{}")])
    assert not await journal.on_disk(within_s=0.05)
    disk.heal()
    assert await journal.on_disk(within_s=20)


async def test_after_a_failed_sync_only_a_rewrite_counts(journals: Opener, tmp_path: Path) -> None:
    disk = FaultyDisk()
    journal = journals(disk=disk, keep=PATIENT)
    await journal.put([moved("a")])
    assert await journal.on_disk(within_s=20)
    disk.sync_error = OSError(5, "Input/output error")
    await journal.put([moved("b")])
    await until(lambda: journal.stalled is not None)
    assert journal.durable == 1
    disk.heal()
    await until(lambda: journal.durable == 3)
    # What counted was the whole checkpoint: it wrote every page again and emptied the log.
    assert (tmp_path / "journal.sqlite").stat().st_size > 4096
    assert await sources(journal) == ["a", "b"]


async def test_closing_on_a_hung_disk_ends(journals: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.journal.journal.CLOSE_S", 0.1)
    disk = FaultyDisk()
    journal = journals(disk=disk)
    disk.hang_commits()
    assert await journal.put([moved()]) == []
    await journal.close()
    disk.heal()
    with pytest.raises(RuntimeError, match="closed"):
        await journal.put([moved()])


async def test_what_waits_at_the_close_is_written_behind_a_refused_job(
    journals: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.journal.writer.RETRY_S", (30.0,))
    disk = FaultyDisk()
    journal = journals(disk=disk)
    await journal.put([moved("first")])
    assert await journal.on_disk(within_s=20)
    disk.commit_error = sqlite3.OperationalError("database is locked")
    journal.acknowledge(1)
    await until(lambda: journal._writer._failures == 1)
    disk.heal()
    assert await journal.put([moved("last")]) == []
    await journal.close()
    assert await sources(journals()) == ["first", "last"]


async def test_what_was_dropped_does_not_undo_newer_state(journals: Opener) -> None:
    disk = FaultyDisk()
    journal = journals(disk=disk, keep=Keep(act_waits_s=0.001, late_s=0.05, waiting=2))
    disk.hang_commits()
    await journal.put([moved("in-hand")], [StateChange("door", "a", b"0")])
    await until(lambda: journal.waiting == 0)
    for n in range(1, 5):
        await journal.put([moved()], [StateChange("door", "a", b"%d" % n), StateChange("door", f"a-{n}", b"")])
    await journal.put([moved("b"), moved("b")], [StateChange("door", "b", b"5")])
    disk.commit_error = OSError(5, "Input/output error")
    disk.let_go()
    await until(lambda: "Input/output" in str(journal.stalled))
    disk.heal()
    await until(lambda: journal.stalled is None)
    await until(lambda: journal.waiting == 0)
    assert state_on_disk(journal._path, "door") == {"a": b"4", "b": b"5", **{f"a-{n}": b"" for n in range(1, 5)}}


# --- Faults of ours

NO_TEXT = "\udc80"
"""Half a character: no file takes it."""


async def together(
    journal: Journal, disk: FaultyDisk, *appends: tuple[list[Draft], list[StateChange]]
) -> list[list[str]]:
    """Puts all of them into one transaction; the sources of what each was told of."""
    await until(lambda: not (journal._writer._waiting or journal._writer._jobs))
    disk.hang_commits()
    first = journal.put([moved("first")])
    await until(lambda: journal.waiting == 0)
    futures = [journal.put(*append) for append in appends]
    disk.heal()
    async with asyncio.timeout(20):
        return [[event.source for event in await future] for future in (first, *futures)]


async def test_an_append_that_cannot_be_written_costs_no_other(journals: Opener) -> None:
    disk = FaultyDisk()
    journal = journals(disk=disk, keep=PATIENT)
    heard: list[str | None] = []
    journal.watch_stall(heard.append)
    never = Draft(kind="door.opened", source="never", data=DoorMoved(by="exit"), at_ms=-(2**70))
    with capture_logs() as logs:
        told = await together(
            journal,
            disk,
            ([moved("a")], [StateChange("door", "a", b"1")]),
            ([moved("with"), never], [StateChange("door", "b", b"2"), StateChange("door", "c", b"3")]),
            ([moved("d")], []),
        )
        await until(lambda: journal.last == 4)
    assert told == [["first"], ["a"], [], ["d"]]
    assert await sources(journal) == ["first", "a", "d"]
    assert await journal.on_disk(within_s=20)
    assert state_on_disk(journal._path, "door") == {"a": b"1", "b": b"2", "c": b"3"}
    [stall] = await stalls(journal)
    assert stall.dropped == 2
    assert stall.why.startswith("what was to be recorded cannot be written: ")
    assert heard == [stall.why, None]
    assert [log["kinds"] for log in logs if log["event"] == "journal.dropped"] == [["door.opened"]]
    assert not [log for log in logs if "never" in repr(log)]


async def test_a_state_that_cannot_be_written_costs_no_other(journals: Opener) -> None:
    disk = FaultyDisk()
    journal = journals(disk=disk, keep=PATIENT)
    await together(
        journal,
        disk,
        ([moved("a")], [StateChange("door", "a", b"1")]),
        ([], [StateChange("door", "b", b"2"), StateChange("door", NO_TEXT, b"3"), StateChange("door", "c", b"4")]),
        ([moved("d")], [StateChange("door", "a", b"5")]),
    )
    await until(lambda: journal.last == 4)
    assert await sources(journal) == ["first", "a", "d"]
    assert state_on_disk(journal._path, "door") == {"a": b"5", "b": b"2", "c": b"4"}
    assert [stall.dropped for stall in await stalls(journal)] == [0]


async def test_a_state_that_is_carried_and_cannot_be_written_costs_no_other(journals: Opener) -> None:
    disk = FaultyDisk()
    journal = journals(disk=disk, keep=Keep(act_waits_s=30, late_s=30, waiting=2))
    told = await together(
        journal,
        disk,
        ([moved("a")], [StateChange("door", "a", b"1"), StateChange("door", NO_TEXT, b"2")]),
        ([moved("b")], [StateChange("door", "b", b"3")]),
        ([moved("c")], [StateChange("door", "a", b"4")]),
    )
    assert told == [["first"], [], ["b"], ["c"]]
    await until(lambda: journal.stalled is None and journal.last == 4)
    assert state_on_disk(journal._path, "door") == {"a": b"4", "b": b"3"}


async def test_a_fault_that_is_of_no_append_drops_none(journals: Opener) -> None:
    disk = FaultyDisk()
    journal = journals(disk=disk)
    disk.commit_error = KeyError("ours")
    for source in ("a", "b", "c"):
        assert await journal.put([moved(source)], [StateChange("door", source, b"1")]) == []
    await until(lambda: "KeyError" in str(journal.stalled))
    await until(lambda: journal._writer._failures > 1)
    disk.heal()
    await until(lambda: journal.stalled is None and journal.last == 4)
    assert await sources(journal) == ["a", "b", "c"]
    assert state_on_disk(journal._path, "door") == {"a": b"1", "b": b"1", "c": b"1"}
    [stall] = await stalls(journal)
    assert stall.dropped == 0


# --- Damage


async def test_a_file_that_is_no_database_is_kept_and_begun_anew(journals: Opener, tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_bytes(b"not a database at all " * 1000)
    journal = journals(keep=PATIENT)
    [damaged, event] = await journal.events()
    assert damaged.kind == "journal.damaged"
    told = decode_data(event.kind, event.data)
    assert isinstance(told, StreamForked)
    assert (told.old_stream, told.agreed) == ("", 0)
    assert "damaged" in told.why
    [kept] = [file for file in tmp_path.iterdir() if ".damaged-" in file.name]
    assert kept.name in told.why
    assert kept.read_bytes().startswith(b"not a database")
    assert len(await journal.put([moved()])) == 1


async def test_events_that_the_disk_does_not_give_are_an_error_in_time(
    journals: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.journal.history.READ_S", 0.05)
    disk = FaultyDisk()
    journal = journals(disk=disk)
    await journal.put([moved("a")])
    disk.hang_looks()
    with pytest.raises(OSError, match="does not answer"):
        await journal.events()
    disk.heal()
    monkeypatch.setattr("gateway.journal.history.READ_S", 20.0)
    assert await sources(journal) == ["a"]


# --- Clock


async def test_reading_a_damaged_file_that_is_not_mended_leaves_nothing_running(
    journals: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FaultyDisk()
    journal = journals(disk=disk)

    async def damaged(*_: object) -> list[Recorded]:
        raise Damaged("a page")

    monkeypatch.setattr("gateway.journal.history.OPEN_S", 0.05)
    monkeypatch.setattr(journal._history, "_read", damaged)
    journal._history._renewed.clear()
    before = asyncio.all_tasks()
    with pytest.raises(OSError, match="cannot be read"):
        await journal.events()
    assert asyncio.all_tasks() == before


async def test_a_machine_that_starts_in_1970_goes_on_from_the_journal(journals: Opener) -> None:
    journal = journals(clock=Clock(Hands().machine), keep=PATIENT)
    [before] = await journal.put([moved()])
    await journal.close()
    hands = Hands(wall=5_000)
    clock = Clock(hands.machine, hands.monotonic)
    again = journals(clock=clock, keep=PATIENT)
    assert clock.doubt is not None
    hands.pass_s(1)
    [after] = await again.put([moved()])
    assert after.clock == "doubtful"
    assert after.at > before.at


async def test_a_quiet_journal_remembers_when_it_was_closed(journals: Opener) -> None:
    hands = Hands()
    journal = journals(clock=Clock(hands.machine, hands.monotonic), keep=PATIENT)
    hands.pass_s(3600)
    await journal.close()
    early = Hands(wall=hands.wall - 1_800_000)
    clock = Clock(early.machine, early.monotonic)
    journals(clock=clock, keep=PATIENT)
    assert clock.wall_ms() == hands.wall


# --- kill -9

APPENDER = """
import asyncio, sys
from pathlib import Path
from contract.facts.entry import DoorMoved
from gateway.clock import Clock
from gateway.journal import Draft, Journal, Keep

async def main():
    journal = Journal.open(Path(sys.argv[1]), clock=Clock(), keep=Keep(act_waits_s=30))
    print("open", journal.last, flush=True)
    async def door(name):
        while True:
            for event in await journal.put([Draft(kind="door.opened", source=name, data=DoorMoved(by="exit"))]):
                print(event.seq, flush=True)
    await asyncio.gather(*(door(f"door-{n}") for n in range(4)))

asyncio.run(main())
"""


def kill_in_the_middle(path: Path, after: int) -> list[int]:
    """Appends in a process of its own, kills it with -9 once it has printed `after` sequences; all that it printed."""
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", APPENDER, str(path)], stdout=subprocess.PIPE, cwd=root, env={**os.environ}, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("open")
        printed = [int(process.stdout.readline()) for _ in range(after)]
        process.send_signal(signal.SIGKILL)
        printed += [int(line) for line in process.stdout if line.endswith("\n")]
        process.wait()
    return printed


async def test_what_was_told_before_kill_9_is_there(journals: Opener, tmp_path: Path) -> None:
    printed: list[int] = []
    for after in (50, 120, 1):
        printed += kill_in_the_middle(tmp_path / "journal.sqlite", after)
    journal = journals(keep=PATIENT)
    held: list[Recorded] = []
    while page := await journal.events(after=held[-1].id if held else 0, limit=1000):
        held += page
    assert [event.seq for event in held] == list(range(1, journal.last + 1))
    assert set(printed) <= {event.seq for event in held}
    assert len(set(printed)) == len(printed) >= 171
    assert await journal.on_disk(within_s=20)
    after_seq = 0
    while batch := await journal.batch(after_seq):
        assert batch_fault(batch) is None
        after_seq = batch.events[-1].seq
    assert after_seq == journal.last

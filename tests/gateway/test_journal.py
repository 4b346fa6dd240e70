"""The journal on a real disk: order, chain, state, reading, acknowledging, forks, pruning."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvloop

from contract.events import GENESIS, Event, batch_fault, chain, chained
from contract.facts.alarms import TicketMoved
from contract.facts.entry import DoorMoved
from contract.facts.gateway import StreamForked
from contract.kinds import decode_data
from gateway.clock import Clock
from gateway.hubtime import HubWord
from gateway.journal import (
    BrokenChain,
    Draft,
    Journal,
    JournalInUse,
    JournalTooNew,
    Keep,
    NotHeld,
    Recorded,
    StateChange,
)
from gateway.sqlite.disk import FileLock
from tests.gateway.disks import NOW_MS, Hands, state_on_disk, until

Opener = Callable[..., Journal]

PATIENT = Keep(act_waits_s=30)
"""A loaded test machine may take longer than a door should wait."""


@pytest.fixture
async def journals(tmp_path: Path) -> AsyncIterator[Opener]:
    made: list[Journal] = []

    def opener(**options: Any) -> Journal:
        keep = options.pop("keep", PATIENT)
        journal = Journal.open(tmp_path / "journal.sqlite", **{"clock": Clock(), "keep": keep, **options})
        made.append(journal)
        return journal

    yield opener
    for journal in made:
        await journal.close()


class Long(msgspec.Struct, frozen=True):
    """Data of a kind that the contract does not know."""

    text: str


def moved(source: str = "lobby-a") -> Draft:
    return Draft(kind="door.opened", source=source, data=DoorMoved(by="exit"))


def assert_chained(events: list[Recorded]) -> None:
    head = GENESIS
    for event, following in zip(events, [*events[1:], None], strict=True):
        head = chained(head, event)
        if following is not None:
            assert following.seq == event.seq + 1
    assert events[0].seq == 1


async def test_append_gives_each_draft_its_place(journals: Opener) -> None:
    journal = journals()
    first = await journal.put([moved("lobby-a"), moved("lobby-b")])
    second = await journal.put([moved("garage")])
    assert [(event.seq, event.source) for event in [*first, *second]] == [(1, "lobby-a"), (2, "lobby-b"), (3, "garage")]
    assert journal.last == 3
    assert isinstance(first[0], Recorded)
    assert first[0].stream == journal.stream
    assert bytes(first[0].data) == b'{"by":"exit"}'
    assert first[0].clock == "ok"


async def test_what_was_committed_is_there_after_reopening(journals: Opener) -> None:
    journal = journals()
    await journal.put([moved()], [StateChange("door", "lobby-a", b'{"open":true}')])
    stream = journal.stream
    await journal.close()
    again = journals()
    assert (again.stream, again.last, again.acked) == (stream, 1, 0)
    assert again.load_state("door") == {"lobby-a": b'{"open":true}'}
    await again.put([moved()])
    batch = await batch_when_on_disk(again, 0)
    assert batch_fault(batch) is None
    assert batch.prev == GENESIS
    assert len(batch.events) == 2


async def batch_when_on_disk(journal: Journal, after: int) -> Any:
    assert await journal.on_disk(within_s=10)
    batch = await journal.batch(after)
    assert batch is not None
    return batch


async def test_concurrent_appends_keep_their_order_and_chain(journals: Opener) -> None:
    journal = journals()
    told: list[Recorded] = []
    journal.subscribe(told.extend)
    await asyncio.gather(*(journal.put([moved(f"door-{n}")]) for n in range(200)))
    assert [event.source for event in told] == [f"door-{n}" for n in range(200)]
    assert_chained(await journal.events(after=0, limit=1000))
    assert [event.id for event in told] == list(range(1, 201))


async def test_state_changes_with_its_event_and_is_removed_by_none(journals: Opener) -> None:
    journal = journals()
    await journal.put([moved()], [StateChange("door", "a", b"1"), StateChange("lane", "a", b"2")])
    await journal.put([], [StateChange("door", "a", None), StateChange("door", "b", b"3")])
    for held in (journal.load_state, partial(state_on_disk, journal._path)):
        assert held("door") == {"b": b"3"}
        assert held("lane") == {"a": b"2"}


@pytest.mark.parametrize(
    ("draft", "error"),
    [
        (Draft(kind="Door.Opened", source="a", data=DoorMoved(by="exit")), ValueError),
        (Draft(kind="door", source="a", data=DoorMoved(by="exit")), ValueError),
        (Draft(kind="door.opened", source="", data=DoorMoved(by="exit")), ValueError),
        (Draft(kind="ticket.closed", source="a", data=TicketMoved(ticket="t", state="closed")), ValueError),
        (Draft(kind="test.made", source="a", data=Long("x" * 400_001)), ValueError),
        (Draft(kind="alarm.raised", source="a", data=DoorMoved(by="exit")), TypeError),
    ],
)
async def test_a_draft_that_breaks_the_contract_is_its_authors_error(
    journals: Opener, draft: Draft, error: type[Exception]
) -> None:
    journal = journals()
    with pytest.raises(error):
        await journal.put([moved(), draft])
    assert len(await journal.put([moved()])) == 1
    assert journal.last == 1


async def test_a_draft_from_the_future_is_recorded_now(journals: Opener) -> None:
    hands = Hands()
    journal = journals(clock=Clock(hands.machine, hands.monotonic))
    draft = Draft(kind="door.opened", source="a", data=DoorMoved(by="exit"), at_ms=NOW_MS + 60_000)
    earlier = Draft(kind="door.opened", source="a", data=DoorMoved(by="exit"), at_ms=NOW_MS - 60_000)
    events = await journal.put([draft, earlier])
    assert [event.at for event in events] == ["2026-09-21T14:13:20.000Z", "2026-09-21T14:12:20.000Z"]


async def test_events_page_both_ways_and_filter(journals: Opener) -> None:
    journal = journals()
    await journal.put([moved(f"door-{n % 2}") for n in range(10)])
    assert [event.id for event in await journal.events(limit=3)] == [10, 9, 8]
    assert [event.id for event in await journal.events(before=8, limit=3)] == [7, 6, 5]
    assert [event.id for event in await journal.events(after=8, limit=3)] == [9, 10]
    assert [event.id for event in await journal.events(source="door-1", limit=2)] == [10, 8]
    assert await journal.events(kind="door.closed") == []
    assert len(await journal.events(kind="door.opened", source="door-0", limit=0)) == 1


async def test_only_what_is_on_disk_is_batched(journals: Opener) -> None:
    journal = journals()
    assert await journal.batch(0) is None
    await journal.put([moved() for _ in range(450)])
    first = await batch_when_on_disk(journal, 0)
    assert (first.first_seq, len(first.events)) == (1, 200)
    second = await journal.batch(200)
    assert second is not None
    assert second.prev == first.head
    third = await journal.batch(400)
    assert third is not None
    assert len(third.events) == 50
    assert third.head == journal.durable_head[1]
    assert await journal.batch(450) is None


async def test_batches_stay_small_enough_to_travel(journals: Opener) -> None:
    journal = journals()
    await journal.put([Draft(kind="test.made", source="a", data=Long("x" * 60_000)) for _ in range(20)])
    batch = await batch_when_on_disk(journal, 0)
    assert len(batch.events) == 13


async def test_a_watcher_hears_that_more_is_on_disk(journals: Opener) -> None:
    journal = journals()
    heard = asyncio.Event()
    journal.watch_durable(lambda: heard.set() if journal.durable == 1 else None)
    await journal.put([moved()])
    await asyncio.wait_for(heard.wait(), 10)


async def test_one_bad_subscriber_does_not_stop_the_others(journals: Opener) -> None:
    journal = journals()
    told: list[Recorded] = []

    def bad(events: list[Recorded]) -> None:
        raise RuntimeError("a screen that broke")

    journal.subscribe(bad)
    end = journal.subscribe(told.extend)
    await journal.put([moved()])
    end()
    await journal.put([moved()])
    assert [event.seq for event in told] == [1]


async def test_the_acknowledgement_is_kept(journals: Opener) -> None:
    journal = journals()
    await journal.put([moved() for _ in range(5)])
    journal.acknowledge(2)
    journal.acknowledge(4)
    assert journal.acked == 4
    await journal.close()
    again = journals()
    assert again.acked == 4
    again.acknowledge(99)
    assert again.acked == 5


# --- Forks


async def test_a_fork_moves_what_is_not_acknowledged(journals: Opener) -> None:
    journal = journals()
    before = await journal.put([moved(f"door-{n}") for n in range(1, 7)])
    journal.acknowledge(2)
    old = journal.stream
    told: list[Recorded] = []
    journal.subscribe(told.extend)
    assert await journal.fork(4, "a journal was copied back") == 2
    assert journal.stream != old
    assert (journal.first, journal.last, journal.acked) == (1, 3, 0)
    batch = await batch_when_on_disk(journal, 0)
    assert batch_fault(batch) is None
    assert batch.stream == journal.stream
    assert decode_data("stream.forked", batch.events[0].data) == StreamForked(
        old_stream=old, agreed=4, why="a journal was copied back", moved=2, missing=0
    )
    assert [(moved.seq, moved.stream, moved.was) for moved in batch.moved] == [(2, old, 5), (3, old, 6)]
    assert [(event.seq, event.source, event.at) for event in batch.events[1:]] == [
        (2, "door-5", before[4].at),
        (3, "door-6", before[5].at),
    ]
    assert [(event.seq, event.kind) for event in told] == [(1, "stream.forked")]
    after = await journal.put([moved("door-7")])
    assert after[0].seq == 4
    # On the site's own screen nothing appears twice: moved events keep their ids.
    held = await journal.events(after=0)
    assert [event.source for event in held] == [*(f"door-{n}" for n in range(1, 7)), "gateway", "door-7"]
    assert [event.stream == old for event in held] == [True] * 4 + [False] * 4


async def test_a_fork_never_moves_what_is_acknowledged(journals: Opener) -> None:
    journal = journals()
    await journal.put([moved() for _ in range(5)])
    journal.acknowledge(3)
    assert await journal.fork(0, "the hub disagrees") == 2


async def test_a_fork_where_the_hub_holds_more_moves_nothing(journals: Opener) -> None:
    journal = journals()
    await journal.put([moved() for _ in range(2)])
    assert await journal.fork(100, "a power cut") == 0
    assert journal.last == 1


async def test_appends_during_a_fork_are_all_chained(journals: Opener) -> None:
    journal = journals()
    await journal.put([moved() for _ in range(20)])
    results = await asyncio.gather(
        *(journal.put([moved(f"during-{n}")]) for n in range(20)),
        journal.fork(10, "twice"),
        *(journal.put([moved(f"later-{n}")]) for n in range(20)),
    )
    assert len(results) == 41
    batch = await batch_when_on_disk(journal, 0)
    assert len(batch.events) == journal.last == 1 + 10 + 40


async def test_a_fork_survives_reopening_and_can_be_forked_again(journals: Opener) -> None:
    journal = journals()
    made = await journal.put([moved() for _ in range(3)])
    hashes = chain(GENESIS, made)
    first = journal.stream
    await journal.fork(1, "first")
    stream = journal.stream
    await journal.close()
    again = journals()
    assert (again.stream, again.last) == (stream, 3)
    await again.fork(0, "second")
    assert again.last == 4
    batch = await batch_when_on_disk(again, 0)
    assert [event.kind for event in batch.events] == ["stream.forked", "stream.forked", "door.opened", "door.opened"]
    # Each names the place where it was recorded, not the one that the last fork took it from.
    assert [(moved.seq, moved.stream, moved.was) for moved in batch.moved] == [
        (2, stream, 1), (3, first, 2), (4, first, 3),
    ]  # fmt: skip
    assert [moved.hash for moved in batch.moved[1:]] == hashes[1:]


# --- Retention


async def test_a_moment_in_2099_removes_nothing_and_is_itself_removed_in_its_turn(journals: Opener) -> None:
    hands = Hands()
    clock = Clock(hands.machine, hands.monotonic)
    journal = journals(clock=clock, keep=replace(PATIENT, days=1, prune_every_s=0.02))
    await journal.put([moved(), moved()])
    clock.heard_hub(HubWord(4_080_000_000_000, hands.steady, answers=3))  # a hub whose clock was wrong for a moment
    hands.pass_s(30)
    await journal.put([moved()])
    journal.acknowledge(3)
    await asyncio.sleep(0.2)
    assert journal.first == 1
    clock.heard_hub(HubWord(hands.wall, hands.steady))
    await journal.put([moved()])
    hands.pass_s(2 * 86_400)
    await journal.put([moved()])
    journal.acknowledge(5)
    await until(lambda: journal.first == 5)


async def test_old_acknowledged_events_go(journals: Opener) -> None:
    hands = Hands()
    journal = journals(clock=Clock(hands.machine, hands.monotonic), keep=replace(PATIENT, days=1, prune_every_s=0.05))
    await journal.put([moved() for _ in range(600)])
    await journal.put([moved() for _ in range(600)])
    hands.pass_s(2 * 86_400)
    await journal.put([moved() for _ in range(10)])
    journal.acknowledge(1000)
    await until(lambda: journal.first == 1000)
    assert await journal.on_disk(within_s=10)
    batch = await journal.batch(1000)
    assert batch is not None
    assert batch.first_seq == 1001
    with pytest.raises(NotHeld):
        await journal.batch(998)
    journal.acknowledge(1210)
    await until(lambda: journal.first == 1201)


async def test_unacknowledged_events_stay_whatever_the_quota(journals: Opener) -> None:
    journal = journals(keep=replace(PATIENT, quota_bytes=1, prune_every_s=0.02))
    await journal.put([moved() for _ in range(100)])
    journal.acknowledge(40)
    await until(lambda: journal.first == 40)
    await asyncio.sleep(0.1)
    assert [event.seq for event in await journal.events(after=0, limit=1000)] == list(range(40, 101))


async def test_events_moved_by_a_fork_are_not_pruned(journals: Opener) -> None:
    journal = journals(keep=replace(PATIENT, quota_bytes=1, prune_every_s=0.02))
    await journal.put([moved(f"door-{n}") for n in range(1, 6)])
    journal.acknowledge(2)
    await journal.fork(2, "copied back")
    journal.acknowledge(1)
    await until(lambda: journal.first == 1)
    await asyncio.sleep(0.1)  # some rounds of pruning
    assert {event.source for event in await journal.events(after=0)} >= {"door-3", "door-4", "door-5"}


# --- Files


async def test_what_a_fork_has_moved_is_not_pruned_by_the_acknowledgement_of_before(journals: Opener) -> None:
    journal = journals(keep=Keep(act_waits_s=30, quota_bytes=0))
    await journal.put([moved()] * 100)
    journal.acknowledge(90)
    forking = asyncio.create_task(journal.fork(90, "copied back"))
    await asyncio.sleep(0)  # the fork is handed over, the journal has not heard of it
    journal._upkeep._prune()
    assert await forking == 10
    assert await journal.on_disk(within_s=20)
    assert (batch := await journal.batch(0)) is not None
    assert len(batch.events) == 11


async def test_a_second_process_is_refused_by_name(journals: Opener) -> None:
    journals()
    with pytest.raises(JournalInUse, match=r"in use by process \d+"):
        journals()


async def test_a_second_process_is_refused_from_the_first_start_on(tmp_path: Path) -> None:
    path = tmp_path / "no folder yet" / "journal.sqlite"
    lock = FileLock(path)
    path.parent.mkdir(exist_ok=True)
    with pytest.raises(JournalInUse, match="in use by process"):
        FileLock(path)
    lock.close()


async def test_a_journal_of_newer_software_is_left_alone(journals: Opener, tmp_path: Path) -> None:
    journal = journals()
    await journal.put([moved()])
    await journal.close()
    path = tmp_path / "journal.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    with pytest.raises(JournalTooNew, match="form 99"):
        journals()
    assert [file.name for file in tmp_path.iterdir() if "damaged" in file.name] == []


async def test_a_changed_row_breaks_the_chain_and_a_fork_mends_it(journals: Opener, tmp_path: Path) -> None:
    journal = journals()
    await journal.put([moved() for _ in range(5)])
    await journal.close()
    with sqlite3.connect(tmp_path / "journal.sqlite") as db:
        db.execute("UPDATE events SET source='garage' WHERE seq=3")
    db.close()
    again = journals()
    assert await again.on_disk(within_s=10)
    with pytest.raises(BrokenChain):
        await again.batch(0)
    await again.fork(0, "the chain was broken")
    batch = await batch_when_on_disk(again, 0)
    assert batch_fault(batch) is None
    assert len(batch.events) == 6


def test_recorded_is_an_event() -> None:
    assert issubclass(Recorded, Event)


async def test_a_journal_that_was_read_beside_its_writer_ends_as_one_file(journals: Opener, tmp_path: Path) -> None:
    """The writer's connection is the last to close: it takes the log over into the file, whoever has read."""
    journal = journals()
    await journal.put([moved() for _ in range(50)])
    await asyncio.gather(*(journal.events(limit=10) for _ in range(20)))
    await journal.close()
    assert {path.name for path in tmp_path.iterdir()} == {"journal.sqlite", "journal.sqlite.lock"}


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_what_is_committed_during_a_long_turn_is_not_late(tmp_path: Path, run: Callable[..., Any]) -> None:
    """uvloop runs the timers that are due before it hears what other threads have told it meanwhile."""

    async def main() -> None:
        journal = Journal.open(tmp_path / "journal.sqlite", clock=Clock())
        try:
            await journal.put([moved("before")])
            recording = journal.put([moved("lobby")])
            await asyncio.sleep(0)
            time.sleep(0.2)  # noqa: ASYNC251 - the turn that is too long
            assert [event.source for event in await recording] == ["lobby"]
        finally:
            await journal.close()

    run(main())

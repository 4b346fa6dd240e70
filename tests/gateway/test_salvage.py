"""What a damaged journal still gives: whatever page is gone, every row that another page holds goes on at its place."""

from __future__ import annotations

import errno
import os
import random
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.events import batch_fault
from contract.facts.gateway import JournalDamaged, StreamForked
from contract.facts.machines import InputRefused
from contract.kinds import decode_data
from gateway.clock import Clock
from gateway.hubtime import HubWord
from gateway.journal import Draft, Journal, Keep, NotHeld, StateChange
from gateway.journal.salvage import Salvage, salvage
from gateway.journal.salvage import pages_of as image_of
from gateway.journal.tables import MIGRATIONS
from tests.gateway.disks import NOW_MS, Hands

PATIENT = Keep(act_waits_s=30)
PAGE = 4096

Opener = Callable[..., Journal]


@pytest.fixture
async def journals(tmp_path: Path) -> AsyncIterator[Opener]:
    made: list[Journal] = []

    def opener(name: str = "journal.sqlite", **options: Any) -> Journal:
        journal = Journal.open(tmp_path / name, **{"clock": Clock(), "keep": PATIENT, **options})
        made.append(journal)
        return journal

    yield opener
    for journal in made:
        await journal.close()


def said(source: str, size: int = 40) -> Draft:
    return Draft(kind="input.refused", source=source, data=InputRefused(wire="w", why="x" * size, count=1))


async def filled(journal: Journal, count: int = 1000, acked: int = 100, size: int = 40) -> Path:
    """A closed journal of so many events, in one file without a log."""
    for first in range(1, count + 1, 500):
        drafts = [said(f"fact-{n}", size) for n in range(first, min(first + 500, count + 1))]
        await journal.put(drafts, [StateChange("executed", f"c-{first}", b'{"at":1}')])
    journal.acknowledge(acked)
    await journal.close()
    return journal._path


def pages_of(path: Path, name: str) -> list[int]:
    """The pages of a table or index: its root, and (of a tree of two levels) the leaves."""
    db = sqlite3.connect(path)
    root = int(db.execute("SELECT rootpage FROM sqlite_master WHERE name=?", (name,)).fetchone()[0])
    db.close()
    page = path.read_bytes()[(root - 1) * PAGE : root * PAGE]
    if page[0] in (0x0D, 0x0A):
        return [root]
    cells = int.from_bytes(page[3:5])
    places = [int.from_bytes(page[at : at + 2]) for at in range(12, 12 + 2 * cells, 2)]
    return [root, *(int.from_bytes(page[at : at + 4]) for at in places), int.from_bytes(page[8:12])]


def overwrite(path: Path, page: int, filling: bytes = b"\xff" * PAGE) -> None:
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE)
        file.write(filling)


async def damage_told(journal: Journal) -> JournalDamaged:
    [event] = await journal.events(kind="journal.damaged")
    told = decode_data(event.kind, event.data)
    assert isinstance(told, JournalDamaged)
    return told


async def test_an_index_that_is_gone_costs_nothing_and_moves_nothing(journals: Opener) -> None:
    journal = journals()
    path = await filled(journal, 300)
    overwrite(path, pages_of(path, "events_by_kind")[0])
    again = journals()
    assert (again.stream, again.acked, again.last) == (journal.stream, 100, 301)
    told = await damage_told(again)
    assert (told.saved, told.missing) == (200, 0)
    assert ".damaged-" in told.kept
    assert again.load_state("executed") == {"c-1": b'{"at":1}'}
    assert await again.on_disk(within_s=20)
    batch = await again.batch(100)
    assert batch is not None
    assert batch_fault(batch) is None
    assert [event.source for event in batch.events] == [*(f"fact-{n}" for n in range(101, 301))]
    # Local ids stay too: a screen that asks for what came after one does not see it all again.
    assert [event.id for event in await again.events(after=0, limit=2)] == [100, 101]


async def test_one_leaf_of_the_events_costs_only_what_it_held(journals: Opener) -> None:
    journal = journals()
    path = await filled(journal)
    leaves = pages_of(path, "events")[1:]
    overwrite(path, leaves[len(leaves) // 2])
    again = journals()
    told = await damage_told(again)
    assert 0 < told.missing < 40
    assert told.saved + told.missing == 900
    assert again.stream == journal.stream
    with pytest.raises(NotHeld, match="are not held"):
        after = 100
        assert await again.on_disk(within_s=20)
        while batch := await again.batch(after):
            assert batch_fault(batch) is None
            after = batch.events[-1].seq
    # The hub says that it has everything up to there: only what lies behind the hole moves, and what is lost is told.
    stream = again.stream
    moved = await again.fork(after, "events are missing")
    assert moved == told.saved - (after - 100) + 1
    assert await again.on_disk(within_s=20)
    batch = await again.batch(0)
    assert batch is not None
    forked = decode_data("stream.forked", batch.events[0].data)
    assert forked == StreamForked(
        old_stream=stream, agreed=after, why="events are missing", moved=moved, missing=told.missing
    )
    assert [(first.stream, first.was) for first in batch.moved[:2]] == [
        (stream, after + told.missing + 1), (stream, after + told.missing + 2),
    ]  # fmt: skip
    assert batch.events[1].source == f"fact-{after + told.missing + 1}"


@pytest.mark.parametrize("part", ["events", "events_by_seq", "state", "facts", "streams", "sqlite_autoindex_streams_1"])
async def test_the_root_of_a_tree_costs_nothing_but_itself(journals: Opener, part: str) -> None:
    journal = journals()
    path = await filled(journal)
    overwrite(path, pages_of(path, part)[0])
    again = journals()
    told = await damage_told(again)
    assert (again.stream, again.last) == (journal.stream, 1001)
    assert told.missing == 0
    # An acknowledgement that cannot be read is none: the hub will say what it has.
    assert again.acked == (0 if part == "streams" else 100)
    kept = len(again.load_state("executed"))
    assert kept == (0 if part == "state" else 2)


async def test_without_its_first_page_everything_is_found_by_its_shape(journals: Opener) -> None:
    journal = journals()
    path = await filled(journal)
    overwrite(path, 1)
    again = journals()
    assert (again.stream, again.acked, again.last) == (journal.stream, 100, 1001)
    assert len(again.load_state("executed")) == 2


async def test_what_stands_in_the_log_alone_is_read_too(journals: Opener, tmp_path: Path) -> None:
    journal = journals()
    for first in range(0, 400, 100):
        await journal.put([said(f"fact-{n}") for n in range(first, first + 100)])
    for suffix in ("", "-wal"):
        shutil.copy(f"{journal._path}{suffix}", tmp_path / f"copy.sqlite{suffix}")
    copy = tmp_path / "copy.sqlite"
    copy.write_bytes(b"\xff" * copy.stat().st_size)
    found = salvage(copy)
    assert [row.source for row in found.rows] == [f"fact-{n}" for n in range(400)]


def running_apart(path: Path, *times: int) -> sqlite3.Connection:
    """A file that goes on being written, so many events at a time, each time the log begun again."""
    from gateway.journal.records import Fact, Place, placed  # noqa: PLC0415

    first_form(path, 100)
    db = sqlite3.connect(path)
    db.executescript(f"{' '.join(MIGRATIONS[1:])} PRAGMA user_version={len(MIGRATIONS)}; PRAGMA wal_autocheckpoint=0;")
    [(seq, head)] = db.execute("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1")
    place = Place(1, "a" * 32, seq, head.hex(), seq)
    for time, count in enumerate(times):
        facts = [Fact(NOW_MS + time, "test.made", f"more-{time}-{n}", b'{"n":1}', "ok") for n in range(count)]
        rows, place = placed(facts, place)
        for row in rows:
            db.execute(
                "INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?,NULL,NULL,NULL)",
                (row.id, 1, row.seq, row.at_ms, row.kind, row.source, 0, row.data, bytes.fromhex(row.hash)),
            )
            db.commit()
        # All of the log is in the file now: the next commit writes over its beginning, the rest stays as it is.
        if time < len(times) - 1:
            assert db.execute("PRAGMA wal_checkpoint(FULL)").fetchone()[0] == 0
    return db


async def test_a_lost_page_is_found_again_among_the_older_copies_in_the_log(journals: Opener, tmp_path: Path) -> None:
    path = tmp_path / "apart" / "running.sqlite"
    path.parent.mkdir()
    db = running_apart(path, 80, 5)
    true = [*db.execute("SELECT seq, source FROM events ORDER BY seq")]
    content = path.read_bytes()
    [lost] = [
        number
        for number in range(2, len(content) // PAGE + 1)
        if content[(number - 1) * PAGE] == 0x0D and b"more-0-27" in content[(number - 1) * PAGE : number * PAGE]
    ]
    for suffix in ("", "-wal"):
        shutil.copy(f"{path}{suffix}", tmp_path / f"journal.sqlite{suffix}")
    db.close()
    overwrite(tmp_path / "journal.sqlite", lost)
    assert [(row.seq, row.source) for row in salvage(tmp_path / "journal.sqlite").rows] == true
    journal = journals()
    assert journal.last > len(true)
    assert [event.source for event in reversed(await journal.events(kind="test.made", limit=len(true)))] == [
        source for _, source in true
    ]
    assert (await damage_told(journal)).missing == 0


def test_a_copy_that_the_chain_does_not_join_is_not_taken() -> None:
    from gateway.journal.records import Fact, Place, completed, placed  # noqa: PLC0415

    def facts(word: str) -> list[Fact]:
        return [Fact(NOW_MS + n, "test.made", f"{word}-{n}", b"{}", "ok") for n in range(9)]

    rows, _ = placed(facts("true"), Place(1, "a" * 32))
    never, _ = placed(facts("never"), Place(1, "a" * 32))
    mixed, _ = placed(facts("never")[3:6], Place(1, "a" * 32, 3, rows[2].hash, 3))
    spare = [*never, *mixed, *rows]
    assert completed([rows[0], rows[8]], spare) == rows
    assert completed(rows[4:5], rows) == rows
    assert completed([rows[8]], [*never[:8], rows[7], rows[5]]) == [rows[7], rows[8]]
    assert completed([], rows) == rows
    assert completed([rows[0]], never[1:]) == [rows[0]]
    assert completed(rows[:3], [*never[3:], *mixed]) == [*rows[:3], *mixed]


async def test_events_longer_than_a_page_are_read_whole(journals: Opener) -> None:
    path = await filled(journals(), 60, acked=0, size=7_500)
    overwrite(path, pages_of(path, "events")[0])
    found = salvage(path)
    assert [len(row.data) > 7_500 for row in found.rows] == [True] * 60
    assert found.missing == 0


async def test_a_flipped_byte_costs_that_event_alone(journals: Opener) -> None:
    path = await filled(journals(), 300)
    whole = bytearray(path.read_bytes())
    at = whole.index(b"xxxx", whole.index(b"fact-200"))
    whole[at] ^= 0x01
    path.write_bytes(whole)
    overwrite(path, pages_of(path, "events_by_kind")[0])
    found = salvage(path)
    assert [row.seq for row in found.rows] == [seq for seq in range(100, 301) if seq != 200]
    assert found.missing == 1


async def test_a_sector_that_cannot_be_read_costs_only_its_page(
    journals: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await filled(journals(), 1000, acked=0)
    leaf = pages_of(path, "events")[5]
    overwrite(path, pages_of(path, "events")[0])
    read = os.pread

    def pread(fd: int, size: int, at: int) -> bytes:
        if at <= (leaf - 1) * PAGE < at + size:
            raise OSError(errno.EIO, "Input/output error")
        return read(fd, size, at)

    monkeypatch.setattr(os, "pread", pread)
    found = salvage(path)
    assert 0 < found.missing < 40
    assert len(found.rows) + found.missing == 1000


async def test_only_what_the_hub_lacks_is_held_in_memory(journals: Opener) -> None:
    journal = journals()
    await journal.put([said(f"fact-{n}") for n in range(1, 1001)])
    await journal.fork(400, "copied back")
    path = await filled(journal, 200, acked=790)
    found, most = Salvage(current=True), 0
    with image_of(path) as image:
        for record in image.records():
            found.take(record)
            most = max(most, len(found.rows))
    assert [row.seq for row in found.salvaged().rows] == list(range(790, 802))
    assert most < 20


async def test_a_time_that_was_taken_back_does_not_come_again(journals: Opener) -> None:
    hands = Hands(wall=NOW_MS + 10**12)
    journal = journals(clock=Clock(hands.machine, hands.monotonic))
    await journal.put([said("of another century")])
    hands.wall = NOW_MS
    journal._clock.heard_hub(HubWord(NOW_MS, hands.steady, 10, 3))
    await journal.put([said("of today")])
    await journal.close()
    overwrite(journal._path, pages_of(journal._path, "events_by_kind")[0])
    assert salvage(journal._path).wall_ms < NOW_MS + 10**11


async def test_what_was_removed_does_not_come_back(journals: Opener) -> None:
    journal = journals()
    await journal.put([said("a")], [StateChange("alarm", f"a-{n}", b"{}") for n in range(2000)])
    await journal.put([said("b")], [StateChange("alarm", f"a-{n}", None) for n in range(1999)])
    await journal.close()
    overwrite(journal._path, pages_of(journal._path, "events_by_seq")[0])
    overwrite(journal._path, pages_of(journal._path, "state")[0], journal._path.read_bytes()[-PAGE:])
    assert len(salvage(journal._path).state) <= 1


async def test_moved_events_are_saved_where_the_last_fork_put_them(journals: Opener) -> None:
    journal = journals()
    first = journal.stream
    await journal.put([said(f"fact-{n}") for n in range(1, 1001)])
    await journal.fork(400, "copied back")
    path = await filled(journal, 200, acked=1)
    overwrite(path, pages_of(path, "events")[0])
    found = salvage(path)
    assert found.stream == journal.stream != first
    assert [row.seq for row in found.rows] == list(range(1, 802))
    assert found.rows[1].first is not None
    assert (found.rows[1].first.stream, found.rows[1].first.seq) == (first, 401)
    assert found.rows[-1].first is None


async def test_without_any_event_to_follow_a_new_stream_names_the_old_one(journals: Opener) -> None:
    journal = journals()
    path = await filled(journal, 30, acked=10)
    for page in pages_of(path, "events"):
        overwrite(path, page)
    again = journals()
    assert again.stream != journal.stream
    forked, damaged = reversed(await again.events())
    assert decode_data(forked.kind, forked.data) == StreamForked(
        old_stream=journal.stream,
        agreed=10,
        why=str(decode_data(forked.kind, forked.data).why),  # type: ignore[union-attr]
        moved=0,
        missing=0,
    )
    assert damaged.kind == "journal.damaged"


async def test_damaged_again_and_again_it_still_goes_on(journals: Opener) -> None:
    journal = journals()
    path = await filled(journal)
    for _ in range(3):
        overwrite(path, pages_of(path, "events")[7])
        again = journals()
        await again.put([said("later")])
        await again.close()
    found = salvage(path)
    assert found.stream == journal.stream
    assert found.rows[-1].seq == 1006
    assert len(found.rows) + found.missing == 907


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32), pages=st.integers(1, 8), kind=st.sampled_from(["noise", "zeros", "ones", "moved"]))
def test_whatever_is_overwritten_what_is_saved_is_true(
    seed: int, pages: int, kind: str, template: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    chance = random.Random(seed)
    path = tmp_path_factory.mktemp("damaged") / "journal.sqlite"
    shutil.copy(template, path)
    count = path.stat().st_size // PAGE
    for _ in range(pages):
        filling = {
            "noise": chance.randbytes(PAGE),
            "zeros": bytes(PAGE),
            "ones": b"\xff" * PAGE,
            "moved": template.read_bytes()[(place := chance.randrange(count) * PAGE) : place + PAGE],
        }[kind]
        overwrite(path, chance.randrange(count) + 1, filling)
    true = {(row.seq, row.hash, row.data) for row in salvage(template).rows}
    found = salvage(path)
    assert {(row.seq, row.hash, row.data) for row in found.rows} <= true
    assert [row.seq for row in found.rows] == sorted({row.seq for row in found.rows})


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal's file of before events remembered their first place: without those columns."""
    path = tmp_path_factory.mktemp("template") / "journal.sqlite"
    first_form(path, 600)
    return path


def first_form(path: Path, count: int, acked: int = 0) -> None:
    from gateway.journal.records import Fact, Place, placed  # noqa: PLC0415

    db = sqlite3.connect(path)
    db.executescript(f"{MIGRATIONS[0]} PRAGMA user_version=1; PRAGMA journal_mode=WAL;")
    db.execute("INSERT INTO streams (stream, acked) VALUES (?, ?)", ("a" * 32, acked))
    facts = [Fact(1_790_000_000_000 + n, "test.made", f"fact-{n}", b'{"n":%d}' % n, "ok") for n in range(1, count + 1)]
    rows, _ = placed(facts, Place(1, "a" * 32))
    db.executemany(
        "INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?)",
        [(r.id, r.number, r.seq, r.at_ms, r.kind, r.source, 0, r.data, bytes.fromhex(r.hash)) for r in rows],
    )
    db.commit()
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


async def test_a_journal_of_the_first_form_goes_on(journals: Opener, tmp_path: Path) -> None:
    first_form(tmp_path / "journal.sqlite", 300, acked=50)
    journal = journals()
    assert (journal.stream, journal.acked, journal.last) == ("a" * 32, 50, 300)
    await journal.put([said("new")])
    await journal.fork(299, "copied back")
    assert await journal.on_disk(within_s=20)
    batch = await journal.batch(0)
    assert batch is not None
    assert [(first.stream, first.was) for first in batch.moved] == [("a" * 32, 300), ("a" * 32, 301)]

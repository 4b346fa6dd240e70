"""The readings' store on a real disk: batches, history, quota, restarts, a disk that refuses."""

from __future__ import annotations

import asyncio
import sqlite3
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.facts.machines import ReadingsDropped
from contract.readings import Column, Reading, columns_of, readings_fault
from gateway.clock import Clock
from gateway.readings import Keep, ReadingsStore, blobs
from tests.gateway.disks import NOW_MS, Hands, until

Opener = Callable[..., ReadingsStore]
QUICK = Keep(every_s=0.01)


@pytest.fixture
async def stores(tmp_path: Path) -> AsyncIterator[Opener]:
    made: list[ReadingsStore] = []

    def opener(**options: Any) -> ReadingsStore:
        clock = Clock(Hands().machine)
        store = ReadingsStore.open(tmp_path / "readings.sqlite", **{"clock": clock, "keep": QUICK, **options})
        made.append(store)
        return store

    yield opener
    for store in made:
        await store.close()


def flow(value: float | None, at: int, point: str = "pump-1.flow") -> Reading:
    return Reading(point=point, value=value, quality="bad" if value is None else "good", at=at)


def writing(store: ReadingsStore) -> sqlite3.Connection:
    """The connection that writes."""
    assert store._file.db is not None
    return store._file.db


async def write(store: ReadingsStore, *readings: Reading) -> None:
    """Adds readings and waits until they are one blob."""
    last = store.last
    store.add(readings)
    await until(lambda: store.last == last + 1)


async def test_what_comes_within_a_moment_is_one_blob(stores: Opener) -> None:
    store = stores(keep=Keep(every_s=0.2))
    store.add([flow(1.0, NOW_MS), flow(7.5, NOW_MS, "meter-main.power")])
    store.add([flow(1.5, NOW_MS + 100)])
    await until(lambda: store.last == 1)
    batch = await store.batch(0)
    assert batch is not None
    assert readings_fault(batch) is None
    assert (batch.store, batch.seq, batch.oldest) == (store.store, 1, 1)
    assert batch.columns == [
        Column(point="pump-1.flow", at=[NOW_MS, NOW_MS + 100], values=[1.0, 1.5], quality=["good", "good"]),
        Column(point="meter-main.power", at=[NOW_MS], values=[7.5], quality=["good"]),
    ]
    assert await store.batch(1) is None


async def test_a_watcher_hears_of_more_to_send(stores: Opener) -> None:
    store = stores()
    heard = asyncio.Event()
    store.watch(heard.set)
    store.add([flow(1.0, NOW_MS)])
    await asyncio.wait_for(heard.wait(), 20)
    assert store.backlog == 1


async def test_history_reaches_from_chunks_to_what_is_not_written_yet(stores: Opener) -> None:
    store = stores(keep=Keep(every_s=0.01, chunk_blobs=3))
    for n in range(8):
        await write(store, flow(float(n), NOW_MS + n * 1000), flow(-1.0, NOW_MS + n * 1000, "pump-2.flow"))
    store.add([flow(8.0, NOW_MS + 8000)])
    found = await store.history("pump-1.flow", NOW_MS + 1000, NOW_MS + 8000)
    assert [(reading.at - NOW_MS, reading.value) for reading in found] == [(n * 1000, float(n)) for n in range(1, 9)]
    assert await store.history("pump-3.flow", 0, NOW_MS * 2) == []
    points = ["pump-1.flow", "pump-2.flow", "pump-3.flow"]
    of_point = await store.histories(points, 0, NOW_MS * 2)
    assert list(of_point) == points
    assert of_point == {point: await store.history(point, 0, NOW_MS * 2) for point in points}
    assert [len(readings) for readings in of_point.values()] == [9, 8, 0]


async def test_latest_values_survive_a_restart(stores: Opener) -> None:
    store = stores()
    await write(store, flow(1.0, NOW_MS), flow(None, NOW_MS, "sump-1.level"))
    await write(store, flow(2.0, NOW_MS + 1))
    name = store.store
    await store.close()
    again = stores()
    assert again.latest() == {
        "pump-1.flow": flow(2.0, NOW_MS + 1),
        "sump-1.level": flow(None, NOW_MS, "sump-1.level"),
    }
    assert (again.store, again.last) == (name, 2)
    assert len(await again.history("pump-1.flow", NOW_MS, NOW_MS + 1)) == 2


async def test_acknowledged_blobs_go_once_they_stand_in_history(stores: Opener) -> None:
    store = stores(keep=Keep(every_s=0.01, chunk_blobs=4))
    for n in range(3):
        await write(store, flow(float(n), NOW_MS + n))
    store.acknowledge(2)
    await write(store, flow(3.0, NOW_MS + 3))
    await until(lambda: store.floor == 2)
    assert store.backlog == 2
    batch = await store.batch(2)
    assert batch is not None
    assert (batch.seq, batch.oldest) == (3, 3)
    assert [reading.value for reading in await store.history("pump-1.flow", 0, NOW_MS + 9)] == [0.0, 1.0, 2.0, 3.0]
    store.acknowledge(4)
    await until(lambda: store.floor == 4)
    await store.close()
    again = stores()
    assert (again.acked, again.last, again.floor) == (4, 4, 4)


async def test_over_the_quota_history_goes_first_then_what_is_not_sent(stores: Opener) -> None:
    store = stores(keep=Keep(every_s=0.01, quota_bytes=1, chunk_blobs=5))
    dropped: list[ReadingsDropped] = []
    store.watch_drops(dropped.append)
    for n in range(4):
        await write(store, flow(float(n), NOW_MS + n), flow(0.0, NOW_MS + n, "pump-2.flow"))
    await until(lambda: len(dropped) >= 3)
    assert dropped[:2] == [
        ReadingsDropped(first_seq=1, last_seq=1, count=2),
        ReadingsDropped(first_seq=2, last_seq=2, count=2),
    ]
    await write(store, flow(4.0, NOW_MS + 4))
    batch = await store.batch(0)
    assert batch is None or batch.oldest == batch.seq > 3


async def test_acknowledged_blobs_are_not_counted_as_dropped(stores: Opener) -> None:
    store = stores(keep=Keep(every_s=0.01, quota_bytes=10_000_000))
    dropped: list[ReadingsDropped] = []
    store.watch_drops(dropped.append)
    await write(store, flow(0.0, NOW_MS))
    store.acknowledge(1)
    store._keep = Keep(every_s=0.01, quota_bytes=1)
    await write(store, flow(1.0, NOW_MS + 1))
    assert dropped == []


async def test_history_older_than_wanted_is_forgotten(stores: Opener) -> None:
    hands = Hands(wall=NOW_MS - 3_600_000)
    store = stores(clock=Clock(hands.machine, hands.monotonic), keep=Keep(days=1, every_s=0.01, chunk_blobs=2))
    hands.pass_s(3600)
    await write(store, flow(0.0, NOW_MS - 2 * 86_400_000))
    await write(store, flow(1.0, NOW_MS - 2 * 86_400_000 + 1))
    await write(store, flow(2.0, NOW_MS))
    await write(store, flow(3.0, NOW_MS + 1))
    assert [reading.value for reading in await store.history("pump-1.flow", 0, NOW_MS * 2)] == [2.0, 3.0]


async def test_a_disk_that_refuses_makes_readings_wait_in_bounded_memory(stores: Opener) -> None:
    store = stores(keep=Keep(every_s=0.01, waiting=5))
    dropped: list[ReadingsDropped] = []
    store.watch_drops(dropped.append)
    await write(store, flow(0.0, NOW_MS))
    pages = writing(store).execute("PRAGMA page_count").fetchone()[0]
    writing(store).execute(f"PRAGMA max_page_count={pages}")
    long = "x" * 7_900
    store.add([Reading(point="lift-1.mode", value=f"{long}{n}", quality="good", at=NOW_MS + n) for n in range(3)])
    await until(lambda: store.failing)
    for n in range(3, 9):
        store.add([Reading(point="lift-1.mode", value=f"{long}{n}", quality="good", at=NOW_MS + n)])
    writing(store).execute("PRAGMA max_page_count=1000000")
    await until(lambda: not store.failing and store.last >= 2 and not store._buffer)
    kept = await store.history("lift-1.mode", 0, NOW_MS * 2)
    assert [reading.at - NOW_MS for reading in kept][-4:] == [5, 6, 7, 8]
    assert len(kept) + sum(drop.count for drop in dropped) == 9


async def test_a_damaged_store_is_set_aside(stores: Opener, tmp_path: Path) -> None:
    (tmp_path / "readings.sqlite").write_bytes(b"no database " * 1000)
    store = stores()
    await write(store, flow(1.0, NOW_MS))
    assert len([file for file in tmp_path.iterdir() if ".damaged-" in file.name]) == 1


async def test_a_blob_that_cannot_be_read_is_sent_empty_and_stops_nothing(stores: Opener) -> None:
    store = stores()
    await write(store, flow(1.0, NOW_MS))
    await write(store, flow(2.0, NOW_MS + 1))
    writing(store).execute("UPDATE blobs SET data=x'00' WHERE seq=1")
    first, second = await store.batch(0), await store.batch(1)
    assert first is not None
    assert first.columns == []
    assert second is not None
    assert second.columns != []
    with pytest.raises(OSError, match=r"pump-1\.flow"):
        await store.history("pump-1.flow", 0, NOW_MS * 2)


async def test_a_renewed_store_goes_on_under_another_name(stores: Opener) -> None:
    store = stores()
    await write(store, flow(1.0, NOW_MS))
    name = store.store
    await store.renew()
    assert store.store != name
    batch = await store.batch(0)
    assert batch is not None
    assert batch.store == store.store


values = st.one_of(st.none(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=20))


@given(
    st.lists(
        st.lists(
            st.builds(
                Reading,
                point=st.sampled_from(["a.x", "a.y", "b.x"]),
                value=values,
                quality=st.sampled_from(["good", "stale", "bad"]),
                at=st.integers(0, 50),
            ),
            min_size=1,
        )
    )
)
def test_packing_and_chunking_lose_nothing(made: list[list[Reading]]) -> None:
    packed = [blobs.unpack(blobs.pack(columns_of(part))) for part in made]
    merged = blobs.chunks(packed)
    for point in ("a.x", "a.y", "b.x"):
        expected = [reading for part in made for reading in part if reading.point == point]
        assert list(blobs.readings_of(blobs.pick(blobs.pack(merged), {point}), 0, 50)) == expected
    assert blobs.count(merged) == sum(len(part) for part in made)


def test_bytes_that_are_no_columns_are_refused() -> None:
    whole = blobs.pack(columns_of([flow(1.0, 5)]))
    for spoilt in (b"", whole[:-3], zlib.compress(b"[{}]"), zlib.compress(b"[") + whole):
        with pytest.raises(ValueError, match="not a blob"):
            blobs.pick(spoilt, {"pump-1.flow"})


def test_of_two_readings_at_one_moment_the_last_counts() -> None:
    assert blobs.in_order([flow(1.0, 5), flow(2.0, 3), flow(3.0, 5)]) == [flow(2.0, 3), flow(3.0, 5)]

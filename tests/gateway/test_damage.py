"""Every file of the gateway with damage in every kind of page: it starts, decides, records, and says what happened."""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contract.desired import Holder
from contract.facts.machines import ReadingsDropped
from contract.readings import Reading
from gateway.clock import Clock
from gateway.desired.held import Held
from gateway.desired.tables import Row
from gateway.journal import BrokenChain, Draft, Journal, NotHeld, StateChange
from gateway.journal import Keep as KeepEvents
from gateway.readings import Keep, ReadingsStore
from tests.gateway.disks import NOW_MS, Hands, until
from tests.gateway.hub_model import ModelHub
from tests.gateway.line import RunningBroker, Wire, hub_end
from tests.gateway.pages import Page, a_page_of_each, grow, overwrite, pages, settle
from tests.gateway.test_uplink import site

PATIENT = KeepEvents(act_waits_s=30)
QUICK = Keep(every_s=0.01, chunk_blobs=12)
LARGE = 33_000_000
SEEDS = range(6)

PAGES = {
    "journal": [
        ("sqlite_master", "root"), ("streams", "root"), ("sqlite_autoindex_streams_1", "root"), ("facts", "root"),
        *((table, kind) for table in ("events", "state") for kind in ("root", "leaf", "overflow")),
        *((f"events_by_{name}", kind) for name in ("seq", "kind", "source") for kind in ("root", "leaf")),
    ],
    "readings": [
        ("sqlite_master", "root"), ("standing", "root"),
        *((table, kind) for table in ("blobs", "chunks", "latest") for kind in ("root", "leaf", "overflow")),
        *(("chunks_by_point", kind) for kind in ("root", "leaf")),
    ],
    "held": [
        ("sqlite_master", "root"), ("standing", "root"), ("arriving", "root"),
        *(("items", kind) for kind in ("root", "leaf", "overflow")),
    ],
}  # fmt: skip
"""Every table and index of each store, with the kinds of page that it has in the files made here."""


class Note(msgspec.Struct):
    text: str


def note(source: str, text: str = "") -> Draft:
    return Draft(kind="note.made", source=source, data=Note(text))


def holder(name: str, size: int = 5) -> Row:
    return "holder", name, msgspec.json.encode(Holder(id=name, name=name * size))


def value(n: float, point: str, at: int = NOW_MS) -> Reading:
    return Reading(point=point, value=float(n), quality="good", at=at)


async def a_journal(path: Path) -> None:
    journal = Journal.open(path, clock=Clock(Hands().machine), keep=PATIENT)
    drafts = [note(f"door-{n}", "x" * (15_000 if n == 300 else 60)) for n in range(600)]
    state = [StateChange("executed", f"command-{n}", b'"%s"' % (b"x" * (9_000 if n == 50 else 60))) for n in range(100)]
    await journal.put(drafts, state)
    journal.acknowledge(200)
    await journal.close()


async def a_readings_store(path: Path) -> None:
    store = ReadingsStore.open(path, clock=Clock(Hands().machine), keep=QUICK)
    rng = random.Random(1)
    for n in range(40):
        long = Reading(point="lift-1.mode", value=rng.randbytes(3_900).hex(), quality="good", at=NOW_MS + n)
        store.add([long, *(value(rng.random(), f"meter-{number}.power", NOW_MS + n) for number in range(80))])
        await until(lambda n=n: store.last == n + 1)  # type: ignore[misc]
        if n == 20:
            store.acknowledge(10)
    await store.close()


async def a_held_store(path: Path) -> None:
    held = Held.open(path, clock=Clock(Hands().machine))
    held.keep_part(7, [holder(f"h-{n}", 2_000 if n == 100 else 5) for n in range(200)], first=True)
    held.keep_whole(7)
    await held.close()


MAKERS: dict[str, Any] = {"journal": a_journal, "readings": a_readings_store, "held": a_held_store}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one whole file of each kind, small and larger than what is checked as a whole."""
    folder = tmp_path_factory.mktemp("whole")
    for name, make in MAKERS.items():
        asyncio.run(make(folder / name))
        settle(folder / name)
        shutil.copy(folder / name, folder / f"{name}-large")
        grow(folder / f"{name}-large", LARGE)
        settle(folder / f"{name}-large")
    return folder


def page_of(path: Path, of: str, kind: str) -> int:
    found = [page.number for page in a_page_of_each(path) if (page.of, page.kind) == (of, kind)]
    assert found, f"{path.name} has no {kind} page of {of}: {a_page_of_each(path)}"
    return found[0]


def set_aside(path: Path) -> list[Path]:
    found = path.parent.glob(f"{path.name}.damaged-*")
    return [file for file in found if not file.name.endswith(("-wal", "-shm"))]


def each_page(store: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("of", "kind"), PAGES[store], ids=lambda word: word)


@pytest.mark.parametrize("store", MAKERS)
def test_no_page_is_forgotten(store: str, whole: Path) -> None:
    kinds = {(page.of, page.kind) for page in pages(whole / store) if page.kind != "inner"}
    assert kinds == set(PAGES[store])


# --- The journal


async def it_records_and_the_hub_gets_it(path: Path) -> ModelHub:
    """Opens it, records, reads, drains to a hub as the uplink does, twice over a restart; what the hub then has."""
    hub = ModelHub("gw")
    for time in ("first", "second"):
        journal = Journal.open(path, clock=Clock(Hands().machine), keep=PATIENT)
        try:
            await journal.put([note(f"new-{time}")], [StateChange("executed", f"new-{time}", b"1")])
            assert len(await journal.put([note(f"then-{time}")])) == 1
            await until(lambda journal=journal: journal.stalled is None)  # type: ignore[misc]
            await drain(journal, hub)
            assert [event.source for event in await journal.events(source=f"new-{time}")] == [f"new-{time}"]
            assert journal.load_state("executed")[f"new-{time}"] == b"1"
        finally:
            await journal.close()
    assert path.exists()
    sources = hub.sources("note.made")
    assert sources[-1] == "then-second"
    assert len(set(sources)) == len(sources)
    assert {"new-first", "then-first", "new-second"} <= set(sources)
    return hub


async def drain(journal: Journal, hub: ModelHub) -> None:
    stream = ""
    async with asyncio.timeout(20):
        while journal.acked < journal.last or journal.stream != stream:
            stream, after = journal.stream, journal.acked
            try:
                batch = await journal.batch(after)
                if stream not in hub.heads and after:
                    hub.take_over(stream, after, batch)
            except (NotHeld, BrokenChain) as hole:
                with contextlib.suppress(OSError):  # begun anew meanwhile: the next turn sees where it stands
                    await journal.fork(after, str(hole))
                continue
            if batch is None or batch.stream != journal.stream:
                await asyncio.sleep(0.01)
                continue
            ack = hub.batch(batch)
            assert ack.state == "committed", ack
            journal.acknowledge(ack.seq)


@each_page("journal")
@pytest.mark.parametrize("size", ["", "-large"], ids=["small", "large"])
async def test_a_journal_with_a_damaged_page_records(
    of: str, kind: str, size: str, whole: Path, tmp_path: Path
) -> None:
    path = tmp_path / "journal.sqlite"
    shutil.copy(whole / f"journal{size}", path)
    overwrite(path, page_of(whole / "journal", of, kind))
    hub = await it_records_and_the_hub_gets_it(path)
    # A page of a large file that nothing looks at hurts nobody; a small file is checked whole.
    unused = size and (of, kind) in {
        ("sqlite_autoindex_streams_1", "root"), ("events_by_source", "leaf"), ("events_by_kind", "leaf")
    }  # fmt: skip
    found = 0 if unused else 1
    assert len(set_aside(path)) == found
    assert len(hub.sources("journal.damaged")) == found


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_journal_with_noise_in_any_pages_records(seed: int, whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    shutil.copy(whole / f"journal{'-large' if seed % 2 else ''}", path)
    rng = random.Random(seed)
    overwrite(path, *rng.sample([page.number for page in pages(whole / "journal")], 1 + seed), seed=seed)
    await it_records_and_the_hub_gets_it(path)


# --- The readings


async def readings_go_on(path: Path) -> list[ReadingsDropped]:
    """Opens it, writes, sends all there is, twice over a restart; what it said was lost."""
    lost: list[ReadingsDropped] = []
    for time in range(2):
        store = ReadingsStore.open(path, clock=Clock(Hands().machine), keep=replace(QUICK, chunk_blobs=2))
        store.watch_drops(lost.append)
        try:
            point = f"new-{time}.power"
            store.add([value(1000 + time, point)])
            sent: set[str] = set()
            name, after = "", 0
            async with asyncio.timeout(20):
                while point not in sent:
                    if store.store != name:
                        name, after = store.store, store.acked
                    batch = await store.batch(after)
                    if batch is None:
                        await asyncio.sleep(0.01)
                        continue
                    assert batch.seq == after + 1 or batch.oldest == batch.seq
                    after = batch.seq
                    sent |= {column.point for column in batch.columns}
            assert not store.failing
            assert store.latest()[point].value == 1000.0 + time
            assert [reading.value for reading in await store.history(point, 0, NOW_MS * 2)] == [1000.0 + time]
            for n in range(2):  # it gathers what was there into history
                store.add([value(n, point, NOW_MS + n)])
                last = store.last
                await until(lambda store=store, last=last: store.last > last)  # type: ignore[misc]
            assert not store.failing
        finally:
            await store.close()
    return lost


@each_page("readings")
@pytest.mark.parametrize("size", ["", "-large"], ids=["small", "large"])
async def test_readings_with_a_damaged_page_go_on(of: str, kind: str, size: str, whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "readings.sqlite"
    shutil.copy(whole / f"readings{size}", path)
    overwrite(path, page_of(whole / "readings", of, kind))
    await readings_go_on(path)


@pytest.mark.parametrize("seed", SEEDS)
async def test_readings_with_noise_in_any_pages_go_on(seed: int, whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "readings.sqlite"
    shutil.copy(whole / f"readings{'-large' if seed % 2 else ''}", path)
    rng = random.Random(seed)
    overwrite(path, *rng.sample([page.number for page in pages(whole / "readings")], 1 + seed), seed=seed)
    await readings_go_on(path)


# --- What is held


@each_page("held")
@pytest.mark.parametrize("size", ["", "-large"], ids=["small", "large"])
async def test_rights_on_a_damaged_page_are_asked_for_and_the_others_hold(
    of: str, kind: str, size: str, whole: Path, tmp_path: Path
) -> None:
    path = tmp_path / "held.sqlite"
    shutil.copy(whole / f"held{size}", path)
    overwrite(path, page_of(whole / "held", of, kind))
    held = Held.open(path, clock=Clock())
    # Nobody looks at it before something arrives; a small file is checked whole.
    assert held.revision == (7 if size and of == "arriving" else 0)
    # Read from both ends: what is lost stands on the page, or between the pages.
    readable = {"leaf": 120, "overflow": 197, "root": 200 if of == "standing" else 0}[kind]
    assert sum(map(len, held.stored())) >= readable
    held.keep_part(8, [holder("new")], first=True)
    held.keep_whole(8)
    await held.close()
    again = Held.open(path, clock=Clock())
    assert (again.revision, [name for some in again.stored() for _, name, _ in some]) == (8, ["new"])
    await again.close()
    assert len(set_aside(path)) == 1


def test_pages_are_told_apart(whole: Path) -> None:
    kinds = {page.kind for page in a_page_of_each(whole / "journal")}
    assert {"root", "leaf", "overflow"} <= kinds
    assert Page("sqlite_master", "root", 1) in pages(whole / "journal")


# --- Through the uplink


@pytest.mark.parametrize("store", ["journal", "readings"])
async def test_a_bad_page_among_what_is_not_sent_stops_no_uplink(
    store: str, whole: Path, tmp_path: Path, broker: RunningBroker, wire: Wire
) -> None:
    folder = tmp_path / "gw"
    folder.mkdir()
    path = folder / f"{store}.sqlite"
    shutil.copy(whole / f"{store}-large", path)
    table = {"journal": "events", "readings": "blobs"}[store]
    leaves = [page.number for page in pages(whole / store) if (page.of, page.kind) == (table, "leaf")]
    overwrite(path, leaves[len(leaves) * 3 // 4])
    async with hub_end(broker) as hub, site(folder, wire.port) as gateway:
        await gateway.record("new")
        gateway.readings.add([value(1, "new.power")])
        await hub.until(lambda: hub.model.sources("door.opened") == ["new"])
        await until(lambda: gateway.journal.acked == gateway.journal.last)
        await until(lambda: gateway.readings.last > 0 and gateway.readings.backlog == 0)
        assert gateway.uplink.crashed == 0
    assert len(set_aside(path)) == 1

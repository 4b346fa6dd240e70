"""The desired state on disk: restarts, wholes in parts, a disk that refuses, hangs or has lost what it should keep."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.clock import Clock
from gateway.desired.held import Held
from gateway.desired.tables import MIGRATIONS, Row
from gateway.sqlite.disk import Damaged, prepare
from tests.gateway.disks import FaultyDisk, until

Opener = Callable[[], Held]


@asynccontextmanager
async def opened(path: Path, disk: FaultyDisk | None = None) -> AsyncIterator[Held]:
    held = Held.open(path / "held.sqlite", clock=Clock(), disk=disk)
    try:
        yield held
    finally:
        if disk is not None:
            disk.heal()
        await held.close()


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.desired.held._PAUSES_S", (0.01,))


def row(name: str, value: bytes | None = b"{}") -> Row:
    return ("holder", name, value)


def names(held: Held) -> list[str]:
    return [name for slice in held.stored() for _, name, _ in slice]


async def test_a_new_file_holds_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as held:
        assert (held.revision, names(held), held.why, held.wants_all) == (0, [], None, False)


async def test_what_changed_is_there_after_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path) as held:
        held.keep(4, [row("li"), row("wang")])
        held.keep(5, [row("li", None), row("wang", b"[1]")])
    async with opened(tmp_path) as again:
        assert again.revision == 5
        assert list(again.stored()) == [[("holder", "wang", b"[1]")]]


NAME = "周明远".encode()


def in_files(folder: Path, said: bytes) -> list[str]:
    """The files that hold these bytes anywhere: in a page, in free space, in a log."""
    return sorted(file.name for file in folder.iterdir() if said in file.read_bytes())


@pytest.mark.parametrize("erased", [None, b'{"name":"x"}'], ids=["dropped", "replaced"])
async def test_who_is_erased_leaves_no_byte(tmp_path: Path, erased: bytes | None) -> None:
    async with opened(tmp_path) as held:
        held.keep(1, [row(f"h-{number}", b'{"name":"%s %d"}' % (NAME, number)) for number in range(300)])
        held.keep(2, [row("stays", b'{"name":"\xe6\x9d\x8e"}')])
        await written(held, 2)
        assert in_files(tmp_path, NAME) != []
        held.keep(3, [row(f"h-{number}", erased) for number in range(300)])
        # While the gateway runs on, not only once its files are let go.
        await written(held, 3)
        assert in_files(tmp_path, NAME) == []
        assert in_files(tmp_path, b'{"name":"\xe6\x9d\x8e"}') == ["held.sqlite"]


async def test_a_whole_leaves_no_byte_of_what_it_replaces(tmp_path: Path) -> None:
    async with opened(tmp_path) as held:
        held.keep(1, [row(f"h-{number}", b'{"name":"%s %d"}' % (NAME, number)) for number in range(300)])
        held.keep_part(2, [row("a")], first=True)
        held.keep_whole(2)
        await written(held, 2)
        assert in_files(tmp_path, NAME) == []


async def written(held: Held, revision: int) -> None:
    await until(lambda: held.revision == revision and held._writer is None)


async def test_a_whole_replaces_everything_when_its_last_part_is_there(tmp_path: Path) -> None:
    async with opened(tmp_path) as held:
        held.keep(1, [row("old")])
        held.keep_part(9, [row("a")], first=True)
        held.keep_part(9, [row("b")], first=False)
        await held.room()
    async with opened(tmp_path) as again:
        assert (again.revision, names(again)) == (1, ["old"])
        again.keep_part(10, [row("c")], first=True)
        again.keep_whole(10)
        again.keep(11, [row("d")])
    async with opened(tmp_path) as once_more:
        assert (once_more.revision, names(once_more)) == (11, ["c", "d"])


async def test_a_disk_that_refuses_is_tried_again_until_it_takes_all(tmp_path: Path, short_pauses: None) -> None:
    disk = FaultyDisk()
    turns: list[str | None] = []
    async with opened(tmp_path, disk) as held:
        held.watch(lambda: turns.append(held.why))
        disk.commit_error = sqlite3.OperationalError("database or disk is full")
        held.keep(1, [row("li")])
        await until(lambda: held.why is not None)
        held.keep(2, [row("wang")])
        assert held.revision == 0
        disk.heal()
        await until(lambda: held.revision == 2 and held.why is None)
        assert turns == ["database or disk is full", None]
    async with opened(tmp_path) as again:
        assert names(again) == ["li", "wang"]


async def test_a_disk_that_hangs_is_told_and_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.desired.held.LATE_S", 0.02)
    disk = FaultyDisk()
    async with opened(tmp_path, disk) as held:
        disk.hang_commits()
        held.keep(1, [row("li")])
        await until(lambda: held.why is not None)
        # Nobody who brings more waits for such a disk.
        await held.room()
        disk.let_go()
        await until(lambda: held.why is None)
        assert held.revision == 1


async def test_when_too_much_waits_everything_is_asked_for_once_there_is_room(
    tmp_path: Path, short_pauses: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.desired.held.WAITING_BYTES", 1000)
    disk = FaultyDisk()
    async with opened(tmp_path, disk) as held:
        held.keep(1, [row("old")])
        await until(lambda: held.revision == 1)
        disk.commit_error = sqlite3.OperationalError("database or disk is full")
        for revision in range(2, 20):
            held.keep(revision, [row(f"h-{revision}")])
        await until(lambda: held.why is not None)
        assert not held.wants_all
        disk.heal()
        await until(lambda: held.wants_all)
        assert held.why is not None
        held.keep_part(30, [row("new")], first=True)
        held.keep_whole(30)
        assert not held.wants_all
        await until(lambda: held.why is None)
    async with opened(tmp_path) as again:
        assert (again.revision, names(again)) == (30, ["new"])


async def test_a_damaged_file_is_set_aside_and_the_hub_is_asked(tmp_path: Path) -> None:
    (tmp_path / "held.sqlite").write_bytes(b"no database " * 1000)
    async with opened(tmp_path) as held:
        assert held.revision == 0
        assert len([file for file in tmp_path.iterdir() if ".damaged-" in file.name]) == 1
        with sqlite3.connect(tmp_path / "held.sqlite") as db:
            assert db.execute("PRAGMA quick_check").fetchone()[0] == "ok"
        db.close()


async def test_a_file_of_the_form_before_is_taken_over(tmp_path: Path) -> None:
    before = prepare(tmp_path / "held.sqlite", MIGRATIONS[:1])
    before.execute("INSERT INTO items VALUES ('holder', 'li', x'7b7d')")
    before.execute("UPDATE standing SET revision = 3")
    before.close()
    async with opened(tmp_path) as held:
        assert (held.revision, names(held)) == (3, ["li"])
        held.keep_part(4, [row("wang")], first=True)
        held.keep_whole(4)
    async with opened(tmp_path) as again:
        assert (again.revision, names(again)) == (4, ["wang"])


async def test_a_whole_larger_than_what_may_wait_gets_onto_a_disk_that_is_well_again(
    tmp_path: Path, short_pauses: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.desired.held.WAITING_BYTES", 2000)
    monkeypatch.setattr("gateway.desired.held.ROOM_BYTES", 500)
    disk = FaultyDisk()
    async with opened(tmp_path, disk) as held:
        disk.commit_error = sqlite3.OperationalError("database or disk is full")
        for revision in range(1, 20):
            held.keep(revision, [row(f"h-{revision}")])
        await until(lambda: held.why is not None)
        disk.heal()
        await until(lambda: held.wants_all)
        monkeypatch.setattr("gateway.desired.held._PAUSES_S", (60.0,))
        for part in range(60):
            held.keep_part(30, [row(f"n-{part}")], first=part == 0)
            await held.room()
        held.keep_whole(30)
        await until(lambda: held.revision == 30 and held.why is None)
        assert not held.wants_all


async def test_an_error_of_another_kind_does_not_end_the_writer(tmp_path: Path, short_pauses: None) -> None:
    disk = FaultyDisk()
    async with opened(tmp_path, disk) as held:
        disk.commit_error = OverflowError("Python int too large")
        held.keep(1, [row("li")])
        await until(lambda: held.why is not None)
        disk.heal()
        await until(lambda: held.revision == 1 and held.why is None)


async def test_a_file_that_is_not_read_says_why_and_one_that_breaks_asks_for_all(
    tmp_path: Path, short_pauses: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path) as held:
        held.keep(4, [row("li")])
    disk = FaultyDisk()
    disk.hang_opening()
    monkeypatch.setattr("gateway.sqlite.file.OPEN_S", 0.05)
    async with opened(tmp_path, disk) as held:
        assert held.why is not None
        disk.heal()
        await until(lambda: held.why is None)
        assert (held.revision, names(held)) == (4, ["li"])

        def breaks(path: Path) -> sqlite3.Connection:
            raise Damaged("a page that is none")

        with monkeypatch.context() as broken:
            broken.setattr(disk, "look", breaks)
            assert names(held) == []
        await until(lambda: held.wants_all)
        assert held.why is not None


# --- PINs


PIN = b'{"id":"c-1","kind":"pin","value":"835512","holder":"h-1","state":"active"}'
CARD = b'{"id":"c-2","kind":"card","value":"04A1","holder":"pin","state":"active"}'
BLOCK = b'{"id":"b-1","kind":"pin","value":"777111","reason":{"zh":"x","en":"x"}}'
ITEMS: list[Row] = [("block", "b-1", BLOCK), ("credential", "c-1", PIN), ("credential", "c-2", CARD)]


def files(folder: Path) -> bytes:
    """Every byte of the rights on the disk."""
    return b"".join(file.read_bytes() for file in sorted(folder.iterdir()) if "sqlite" in file.name)


def values(held: Held) -> list[bytes]:
    return sorted(value for slice in held.stored() for _, _, value in slice)


async def test_no_pin_can_be_read_in_the_file_and_every_one_is_there(tmp_path: Path) -> None:
    async with opened(tmp_path) as held:
        held.keep(4, ITEMS)
        held.keep_part(5, ITEMS, first=True)
        held.keep_whole(5)
    async with opened(tmp_path) as again:
        assert (values(again), again.revision) == (sorted((PIN, CARD, BLOCK)), 5)
    assert b"04A1" in files(tmp_path)
    assert b"835512" not in files(tmp_path)
    assert b"777111" not in files(tmp_path)
    assert (tmp_path / "held.secret").stat().st_mode & 0o777 == 0o600


def lying_open(folder: Path) -> None:
    """A file of rights as it was written before PINs were sealed."""
    db = prepare(folder / "held.sqlite", MIGRATIONS)
    db.executemany("INSERT INTO items VALUES (?,?,?)", ITEMS)
    db.execute("INSERT INTO arriving VALUES ('credential', 'c-1', ?)", (PIN,))
    db.execute("UPDATE standing SET revision=7")
    db.close()
    assert b"835512" in files(folder)


async def test_pins_that_lay_open_are_sealed_at_the_start_and_leave_no_trace(tmp_path: Path) -> None:
    lying_open(tmp_path)
    async with opened(tmp_path) as held:
        assert (values(held), held.revision, held.why) == (sorted((PIN, CARD, BLOCK)), 7, None)
        assert b"835512" not in files(tmp_path)
        assert b"777111" not in files(tmp_path)


async def test_pins_that_lay_open_are_sealed_in_a_file_that_opens_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lying_open(tmp_path)
    disk = FaultyDisk()
    disk.hang_opening()
    monkeypatch.setattr("gateway.sqlite.file.OPEN_S", 0.05)
    async with opened(tmp_path, disk) as held:
        assert held.why is not None
        disk.heal()
        await until(lambda: held.why is None)
        assert (values(held), held.revision) == (sorted((PIN, CARD, BLOCK)), 7)
        assert b"835512" not in files(tmp_path)


@pytest.mark.parametrize("damage", ["gone", "nonsense", "another"])
async def test_without_its_secret_the_hub_is_asked_for_everything(tmp_path: Path, damage: str) -> None:
    async with opened(tmp_path) as held:
        held.keep(4, ITEMS)
    secret = tmp_path / "held.secret"
    if damage == "gone":
        secret.unlink()
    else:
        secret.write_text("nonsense" if damage == "nonsense" else "00" * 32)
    async with opened(tmp_path) as again:
        # Cards go on; PINs come again with the whole that revision 0 asks for.
        assert values(again) == [CARD]
        assert again.revision == 0
        again.keep_part(9, ITEMS, first=True)
        again.keep_whole(9)
    async with opened(tmp_path) as healed:
        assert (len(values(healed)), healed.revision) == (3, 9)

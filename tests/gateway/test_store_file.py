"""The start's one way to each store's file: waited for while its disk gives, and told later when it hung."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.sqlite.disk import JournalTooNew
from gateway.sqlite.file import Damage, Opened, StoreFile
from tests.gateway.disks import NOW_MS, FaultyDisk, until

MANY = 100_000
FORM = ("CREATE TABLE rows (n INTEGER PRIMARY KEY);",)
COUNTED = f"WITH RECURSIVE up (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up LIMIT {MANY}) SELECT count(*) FROM up"


def fill(db: sqlite3.Connection, damage: Damage | None) -> None:
    db.execute("INSERT INTO rows VALUES (7)")


def first_row(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT n FROM rows").fetchone()[0])


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as own:
        yield own


def a_file(
    path: Path,
    *,
    take: Callable[[sqlite3.Connection], int] = first_row,
    patience_s: float = 60.0,
    disk: FaultyDisk | None = None,
) -> StoreFile[int]:
    return StoreFile(
        path, FORM, take=take, fill=fill, machine_ms=lambda: NOW_MS, patience_s=patience_s, disk=disk or FaultyDisk()
    )


@pytest.mark.parametrize("what", ["brought to a newer form", "checked"])
def test_a_file_that_is_made_ready_goes_on_giving(tmp_path: Path, what: str) -> None:
    file = a_file(tmp_path / "store")
    file.open()
    assert file.db is not None
    if what == "checked":
        file.db.execute(f"INSERT INTO rows {COUNTED.replace('count(*)', 'n + 7')}")
    file.close()
    given: list[int] = []
    newer = FORM if what == "checked" else (*FORM, f"CREATE TABLE counted AS {COUNTED};")

    def take(db: sqlite3.Connection) -> int:
        given.append(file._given)
        return first_row(db)

    file = StoreFile(tmp_path / "store", newer, take=take, fill=fill, machine_ms=lambda: NOW_MS, disk=FaultyDisk())
    assert file.open() == 7
    file.close()
    assert given[0] > 0


async def test_a_file_is_there_when_the_start_goes_on(tmp_path: Path, thread: ThreadPoolExecutor) -> None:
    heard: list[Opened[int]] = []
    file = a_file(tmp_path / "store")
    assert file.begin(thread.submit, heard.append)
    assert heard == [Opened(7, renewals=1)]
    thread.submit(file.close).result()


@pytest.mark.parametrize("heals", [True, False], ids=["opens", "is of a newer form"])
async def test_a_disk_that_hangs_is_not_waited_for_and_is_told_once_it_answers(
    tmp_path: Path, thread: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch, heals: bool
) -> None:
    monkeypatch.setattr("gateway.sqlite.file.OPEN_S", 0.02)
    if not heals:
        file = a_file(tmp_path / "store")
        thread.submit(file.open).result()
        assert file.db is not None
        thread.submit(file.db.execute, "PRAGMA user_version=9").result()
        thread.submit(file.close).result()
    disk = FaultyDisk()
    disk.hang_opening()
    heard: list[Opened[int]] = []
    file = a_file(tmp_path / "store", disk=disk)
    assert not file.begin(thread.submit, heard.append)
    assert heard == []
    disk.heal()
    await until(lambda: bool(heard))
    [opened] = heard
    assert opened.taken == 7
    assert (opened.why is None, opened.found) == (heals, heals)
    thread.submit(file.close).result()


async def test_a_newer_form_that_is_found_in_time_stops_the_start(tmp_path: Path, thread: ThreadPoolExecutor) -> None:
    file = a_file(tmp_path / "store")
    thread.submit(file.open).result()
    assert file.db is not None
    thread.submit(file.db.execute, "PRAGMA user_version=9").result()
    thread.submit(file.close).result()
    with pytest.raises(JournalTooNew):
        a_file(tmp_path / "store").begin(thread.submit, lambda opened: None)


class Slow(threading.Event):
    """Is there when it has been looked for five times; whatever `goes_on` does happens meanwhile."""

    def __init__(self, goes_on: Callable[[], object]) -> None:
        super().__init__()
        self._goes_on = goes_on
        self.looked = 0

    def wait(self, timeout: float | None = None) -> bool:
        self._goes_on()
        self.looked += 1
        return self.looked == 5


@pytest.mark.parametrize("gives", ["rows", "what is saved", "nothing"])
@pytest.mark.parametrize("patience_s", [60.0, -1.0], ids=["patient", "not patient"])
def test_a_disk_that_goes_on_giving_does_not_count_as_one_that_hangs(
    tmp_path: Path, gives: str, patience_s: float
) -> None:
    file = a_file(tmp_path / "store", take=lambda db: int(db.execute(COUNTED).fetchone()[0]), patience_s=patience_s)
    with sqlite3.connect(":memory:") as db:
        there = Slow(lambda: file._taken(db) if gives == "rows" else None)
        if gives == "what is saved":
            with file._save():
                assert file._waited(there) == (patience_s > 0)
        else:
            assert file._waited(there) == (gives == "rows" and patience_s > 0)
    assert there.looked == (5 if patience_s > 0 and gives != "nothing" else 1)

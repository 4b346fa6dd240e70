"""The pages of an SQLite file, read without SQLite."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

from gateway.journal.salvage import Salvaged, salvage
from gateway.sqlite.pages import Pages


def test_pages_hold_what_sqlite_says(tmp_path: Path) -> None:
    path = tmp_path / "any.sqlite"
    db = sqlite3.connect(path)
    db.executescript(
        "PRAGMA page_size=1024; CREATE TABLE t (id INTEGER PRIMARY KEY, a, b, c);"
        " CREATE TABLE w (k TEXT PRIMARY KEY, v) WITHOUT ROWID;"
    )
    chance = random.Random(7)
    values = [None, 0, 1, -1, 127, -128, 40_000, -9_000_000, 2**40, -(2**62), 1.5, "x", "电梯" * 200, b"y" * 3000]
    for id in range(1, 400):
        db.execute("INSERT INTO t VALUES (?,?,?,?)", (id * 7, *chance.choices(values, k=3)))
        db.execute("INSERT INTO w VALUES (?,?)", (f"key-{id}" * chance.choice([1, 100]), chance.choice(values)))
    db.execute("DELETE FROM t WHERE id BETWEEN 700 AND 1400")
    db.commit()
    rows = {(row[0], row[1:]) for row in db.execute("SELECT id, a, b, c FROM t")}
    keys = set(db.execute("SELECT k, v FROM w"))
    db.close()
    records = list(Pages(path.read_bytes()).records())
    assert {(r.rowid, r.values[1:]) for r in records if r.rowid is not None and len(r.values) == 4} == rows
    assert {r.values for r in records if r.rowid is None} == keys


def test_nothing_is_found_where_nothing_is(tmp_path: Path) -> None:
    for name, content in {
        "empty": b"",
        "words": b"not a database at all " * 1000,
        "short": b"SQLite format 3\x00",
    }.items():
        (tmp_path / name).write_bytes(content)
        assert salvage(tmp_path / name) == Salvaged()

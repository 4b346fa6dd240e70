"""`aside`: which damaged files a gateway kept, and what each still holds."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from contract.readings import Reading, columns_of
from gateway.desired.tables import MIGRATIONS
from gateway.readings import tables
from gateway.sqlite.disk import prepare
from tests.gateway.disks import NOW_MS
from tests.gateway.installer.tool import as_json, tool
from tests.gateway.test_salvage import first_form, overwrite, pages_of


def test_a_damaged_journal_is_listed_and_read(tmp_path: Path) -> None:
    kept = tmp_path / "journal.sqlite.damaged-20260102T030405.678Z"
    first_form(kept, 300, acked=50)
    leaves = pages_of(kept, "events")
    overwrite(kept, leaves[0])
    overwrite(kept, leaves[2])
    before = kept.read_bytes()
    (tmp_path / "journal.sqlite").write_bytes(b"")
    listed = tool("aside", "--data", str(tmp_path), "--json")
    assert as_json(listed)["file"] == str(kept)
    out = tmp_path / "events.jsonl"
    done = tool("aside", str(kept), "--out", str(out), "--json")
    assert done.returncode == 0, done.stderr
    [stream] = as_json(done)["streams"]
    assert (stream["stream"], stream["acked"]) == ("a" * 32, 50)
    [[first, low], [high, last]] = stream["events"]
    assert (first, last) == (1, 300)
    assert stream["missing"] == high - low - 1 > 0
    events = [json.loads(line) for line in out.read_text().splitlines()]
    assert [event["seq"] for event in events] == [*range(1, low + 1), *range(high, 301)]
    assert events[0] == {
        "id": 1, "stream": "a" * 32, "seq": 1, "at_ms": NOW_MS + 1, "kind": "test.made", "source": "fact-1",
        "clock": "ok", "data": {"n": 1},
    }  # fmt: skip
    assert kept.read_bytes() == before
    assert "中间缺" in tool("aside", str(kept), lang="zh").stdout


def test_readings_and_desired_items_are_read_too(tmp_path: Path) -> None:
    at = [Reading(point="pump-1.flow", value=1.5 * n, quality="good", at=NOW_MS + n) for n in range(20)]
    db = prepare(tmp_path / "readings.sqlite", tables.MIGRATIONS)
    tables.begin(db)
    store = tables.standing(db).store
    tables.insert(db, at, columns_of(at))
    flushed(db)
    db = prepare(tmp_path / "held.sqlite", MIGRATIONS)
    db.execute("INSERT INTO items VALUES ('holder', 'h-1', ?)", (b'{"id":"h-1","name":"Zhao"}',))
    db.execute("UPDATE standing SET revision=3")
    flushed(db)
    for name in ("readings.sqlite", "held.sqlite"):
        overwrite(tmp_path / name, 1)
    found = as_json(tool("aside", str(tmp_path / "readings.sqlite"), "--json"))
    assert (found["readings"], found["stores"]) == (20, [{"store": store, "last": 1, "acked": 0}])
    found = as_json(tool("aside", str(tmp_path / "held.sqlite"), "--json"))
    assert (found["state"], found["revision"]) == ({"holder": 1}, 3)


def test_what_is_no_file_or_gives_nothing_is_said(tmp_path: Path) -> None:
    assert tool("aside", str(tmp_path / "nowhere")).returncode == 2
    assert tool("aside", "--data", str(tmp_path / "nowhere")).returncode == 2
    empty = tmp_path / "held.sqlite.damaged-x"
    empty.write_bytes(b"nothing of the kind" * 1000)
    done = tool("aside", str(empty))
    assert (done.returncode, "nothing can be read" in done.stdout) == (1, True)


def flushed(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()

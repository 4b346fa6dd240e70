"""Entries as a file: whole, in the asker's words and the site's time, and harmless to whoever opens it."""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
import zipfile
from pathlib import Path

import pytest

from contract.instants import instant
from hub.database.transactions import Database
from hub.search import export
from rules.access.entries import NAMES
from tests.hub.office import office
from tests.hub.senders import NOW_MS
from tests.hub.test_entries import ALL, came, day, person


def read(body: bytes) -> list[list[str]]:
    assert body.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))


async def test_a_file_holds_what_the_search_finds(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "PAGE", 2)
    async with office(database) as hub, hub.signed_in("li", "manager") as client:
        await day(hub, client)
        answer = await client.get("/api/entries/export", params={"language": "en"})
        assert re.search(r'filename="entries-\d+-\d+\.csv"', answer.headers["content-disposition"])
        header, *lines = read(answer.content)
        assert header == [text.en for text in export.HEADERS]
        assert [line[6] or line[7] or "by hand" for line in lines] == [
            "by hand" if one == "barrier.open" else one for one in ALL
        ]
        zhou = lines[-1]
        local = "2026-09-21 22:13:20"  # of a moment that is 14:13:20 UTC
        assert instant(NOW_MS).startswith("2026-09-21T14:13:20")
        assert zhou[:10] == [
            local, "demo court", "Entry", "In", "Car", "Allowed", "沪A12345", "", "周建国", "3-1201",
        ]  # fmt: skip
        by_hand = lines[1]
        assert (by_hand[5], by_hand[10], by_hand[12]) == ("Manual", "访客已登记", "王队")
        assert lines[3][11] == local
        chinese = read((await client.get("/api/entries/export", params={"q": "zjg"})).content)
        assert [line[5] for line in chinese] == ["结果", "放行"]
        await hub.app.state.witness.close()
        told = [data["records"] for _, _, data in await hub.events("records.read") if data["what"] == "export"]
        assert told == [6, 1]


async def test_a_workbook_holds_the_same_and_leaves_nothing_behind(
    database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    async with office(database) as hub, hub.signed_in("li", "manager") as client:
        await day(hub, client)
        answer = await client.get("/api/entries/export", params={"format": "xlsx"})
        assert list(tmp_path.iterdir()) == []
        sheet = zipfile.ZipFile(io.BytesIO(answer.content)).read("xl/worksheets/sheet1.xml").decode()
        assert all(word in sheet for word in ("时间", "沪A12345", "周建国", "人工"))
        assert sheet.count("<row ") == len(ALL) + 1


async def test_no_cell_is_a_formula(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("li", "manager") as client:
        for name in ("=1+1", "+cmd", "-2", "@SUM(A1)", "\tx"):
            await came(hub, "沪A12345", holder=await person(client, name, "=HYPERLINK(1)"))
        _, *lines = read((await client.get("/api/entries/export")).content)
        assert {line[9] for line in lines} == {"'=HYPERLINK(1)"}
        assert all(line[8].startswith(("'", "x")) for line in lines)
        answer = await client.get("/api/entries/export", params={"format": "xlsx"})
        sheet = zipfile.ZipFile(io.BytesIO(answer.content)).read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in sheet


@pytest.mark.parametrize("cell", ["=1", "\uff1d1", " =1", "\n=1", "\u3000\uff0b1", "\nx", "@x", "\r-1"])
def test_blanks_and_wide_signs_hide_no_formula(cell: str) -> None:
    assert export._harmless(cell) == f"'{cell}"
    assert export._harmless(f"x{cell}") == f"x{cell}"


async def test_a_search_that_fails_is_no_file(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("the database is gone")

    monkeypatch.setattr("hub.entries.service.search", broken)
    async with office(database) as hub, hub.signed_in("wang", "guard") as client:
        for format in ("csv", "xlsx"):
            answer = await client.get("/api/entries/export", params={"format": format})
            assert (answer.status_code, "Content-Disposition" in answer.headers) == (500, False)


async def test_at_a_post_a_file_tells_of_a_card_what_the_screen_tells(database: Database) -> None:
    async with (
        office(database) as hub,
        hub.signed_in("li", "manager") as manager,
        hub.signed_in("wang", "guard") as guard,
    ):
        await came(hub, "04A1B2C3D4E5F6", "card", place="lobby-a")
        await came(hub, "沪A12345")
        _, *whole = read((await manager.get("/api/entries/export")).content)
        _, *ends = read((await guard.get("/api/entries/export")).content)
        assert [line[6:8] for line in whole] == [["沪A12345", ""], ["", "04A1B2C3D4E5F6"]]
        assert [line[6:8] for line in ends] == [["沪A12345", ""], ["", "••••E5F6"]]


async def test_a_file_ends_where_it_says(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "MOST_ROWS", 3)
    async with office(database) as hub, hub.signed_in("wang", "guard") as client:
        for number in range(5):
            await came(hub, f"沪A0000{number}")
        _, *lines = read((await client.get("/api/entries/export")).content)
        assert [line[6] for line in lines[:3]] == ["沪A00004", "沪A00003", "沪A00002"]
        assert len(lines) == 4 and "只导出了最近的" in lines[3][0]


def test_a_file_and_a_screen_call_an_outcome_the_same() -> None:
    locales = Path(__file__).parents[2] / "web/console/src/locales"
    for place, language in enumerate(("zh", "en")):
        said = json.loads((locales / f"{language}.json").read_text())["outcome"]
        del said["over"]  # what a screen says once nobody has to look any more
        assert {outcome: names[place] for outcome, names in NAMES.items()} == said

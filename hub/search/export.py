"""`GET /api/entries/export`: what a search finds as a file, CSV or Excel, in the words of whoever asks.

Nothing of it is held as a whole: pages of the search are written as they come, at most `MOST_ROWS` of them. In CSV a
cell that a spreadsheet would take for a formula has an apostrophe before it; in Excel every cell is a text.
"""

from __future__ import annotations

import asyncio
import csv
import io
import os
import tempfile
import unicodedata
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import xlsxwriter  # type: ignore[import-untyped]
from fastapi import APIRouter, Depends, Request
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response, StreamingResponse

from contract.rights import Viewer, number_seen
from contract.texts import Text
from hub.access.models import HolderRow
from hub.database.transactions import Database, database
from hub.entries import service
from hub.entries.service import FoundEntry, WantedEntries
from hub.events.service import seen
from hub.search.filters import wanted_of
from hub.sites.models import SiteRow
from rules.access.entries import NAMES
from web.finding.entries import AskedEntries
from web.language import Language, in_language
from web.session.sessions import Able
from web.users import User
from web.witness import Witnessed

router = APIRouter(prefix="/api/entries", tags=["entries"])

MOST_ROWS = 100_000
"""Of one file: a year of a large site's gate is more; a narrower time is the answer, and the last line says so."""

PAGE = 1_000

BOM = "\ufeff"
"""Without it Excel takes UTF-8 for the machine's own code page."""

_FORMULA = ("=", "+", "-", "@")
_BLANKS = ("\t", "\r", "\n")

Watching = Annotated[User, Depends(Able("watch"))]
Cells = Sequence[str]

HEADERS: Sequence[Text] = (
    Text("时间", "Time"),
    Text("项目", "Site"),
    Text("地点", "Place"),
    Text("方向", "Direction"),
    Text("类型", "Kind"),
    Text("结果", "Outcome"),
    Text("车牌", "Plate"),
    Text("卡号", "Card"),
    Text("姓名", "Name"),
    Text("房号 / 部门", "Unit"),
    Text("原因", "Reason"),
    Text("通过时间", "Passed at"),
    Text("操作人", "By"),
    Text("记录编号", "Record"),
)
_DIRECTIONS = {"in": Text("进", "In"), "out": Text("出", "Out")}
_TRAVELLERS = {"car": Text("车辆", "Car"), "person": Text("人员", "Person")}
_CUT = Text(
    f"只导出了最近的 {MOST_ROWS} 条；请缩小时间范围后再导出更早的记录",
    f"Only the newest {MOST_ROWS} are here; export older ones with a narrower time",
)


@router.get("/export", response_class=Response, responses={200: {"content": {"text/csv": {}}}})
async def export(
    user: Watching,
    *,
    request: Request,
    witness: Witnessed,
    asked: AskedEntries,
    format: Literal["csv", "xlsx"] = "csv",
    language: Language | None = None,
) -> Response:
    """The entries of a search as a file, at most 100,000, the newest first; times are those of each site.

    That it was made is recorded, with how many it held.
    """
    base = database(request)
    async with base.session() as session:
        wanted = await wanted_of(session, user, asked)
        words = _Words(language or user.language, await _sites(session, wanted.sites), user.viewer())
    lines = await _begun(_lines(base, user, wanted, words))

    def told(rows: int) -> None:
        witness.read(request, user, "export", asked.site, records=rows)

    name = f"entries-{datetime.now(UTC):%Y%m%d-%H%M%S}.{format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    if format == "csv":
        return StreamingResponse(
            _csv(words.headers(), lines, told), media_type="text/csv; charset=utf-8", headers=headers
        )
    path = await _workbook(words.headers(), lines, told)
    return FileResponse(
        path,
        media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        headers=headers,
        background=BackgroundTask(path.unlink, missing_ok=True),
    )


class _Site(NamedTuple):
    name: Text
    zone: ZoneInfo
    places: Mapping[str, Text]


class _Words:
    """What cells say, in one language, to one viewer."""

    def __init__(self, language: Language, sites: Mapping[str, _Site], viewer: Viewer) -> None:
        self._language = language
        self._sites = sites
        self._viewer = viewer

    def headers(self) -> Cells:
        return [in_language(text, self._language) for text in HEADERS]

    def cut(self) -> Cells:
        return [in_language(_CUT, self._language)]

    def cells(
        self, found: FoundEntry, data: Mapping[str, object], holders: Mapping[tuple[str, str], HolderRow]
    ) -> Cells:
        row = found.row
        site = self._sites[row.site]
        holder = holders.get((row.site, row.holder))
        by = data.get("by")
        return [
            self._time(row.at, site),
            self._said(site.name),
            self._said(site.places.get(row.source, Text(row.source, row.source))),
            self._said(_DIRECTIONS.get(row.direction)),
            self._said(_TRAVELLERS[row.traveller]),
            self._said(Text(*NAMES[row.outcome])),
            row.plate or "",
            number_seen(self._viewer, "card", row.number or ""),
            "" if holder is None else holder.name,
            "" if holder is None else holder.unit,
            " · ".join(filter(None, (self._reason(data.get(name)) for name in ("reason", "why")))),
            "" if row.passed_at is None else self._time(row.passed_at, site),
            str(by.get("name", "")) if isinstance(by, dict) else "",
            str(row.event),
        ]

    def _said(self, text: Text | None) -> str:
        return "" if text is None else in_language(text, self._language)

    def _reason(self, said: object) -> str:
        if isinstance(said, dict):
            return str(said.get(self._language, ""))
        return said if isinstance(said, str) else ""

    def _time(self, at: datetime, site: _Site) -> str:
        return f"{at.astimezone(site.zone):%Y-%m-%d %H:%M:%S}"


async def _sites(session: AsyncSession, sites: Sequence[str]) -> dict[str, _Site]:
    rows = (await session.exec(select(SiteRow).where(col(SiteRow.id).in_(sites)))).all()
    return {
        row.id: _Site(
            Text(**row.name),
            ZoneInfo(row.timezone),
            {
                place["id"]: Text(**place["name"])
                for kind in ("doors", "lanes")
                for place in (row.layout or {}).get(kind, ())
            },
        )
        for row in rows
    }


async def _lines(base: Database, user: User, wanted: WantedEntries, words: _Words) -> AsyncIterator[list[Cells]]:
    """Page after page, each in a transaction of its own."""
    viewer = user.viewer()
    rest = MOST_ROWS
    while True:
        async with base.session() as session:
            found = await service.search(await session.connection(), wanted, min(PAGE, rest) + 1)
            page = found[: min(PAGE, rest)]
            pairs = {(one.row.site, one.row.holder) for one in page if one.row.holder is not None}
            holders = await _holders(session, pairs) if user.may("people.read") else {}
        if page:
            yield [words.cells(one, _data(seen(one.event, viewer).data), holders) for one in page]
        rest -= len(page)
        if len(found) <= len(page):
            return
        if rest <= 0:
            yield [words.cut()]
            return
        wanted = replace(wanted, after=(page[-1].row.at, page[-1].row.event))


async def _begun(lines: AsyncIterator[list[Cells]]) -> AsyncIterator[list[Cells]]:
    """The same, with its first page searched: what fails then is still an answer, and no file that breaks off."""
    first = await anext(lines, None)

    async def pages() -> AsyncIterator[list[Cells]]:
        if first is not None:
            yield first
        async for page in lines:
            yield page

    return pages()


def _data(data: msgspec.Raw) -> dict[str, object]:
    found = msgspec.json.decode(data)
    return found if isinstance(found, dict) else {}


async def _holders(session: AsyncSession, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], HolderRow]:
    by_site: dict[str, list[str]] = {}
    for site, holder in pairs:
        by_site.setdefault(site, []).append(holder)
    found: dict[tuple[str, str], HolderRow] = {}
    for site, ids in by_site.items():
        query = select(HolderRow).where(HolderRow.site == site, col(HolderRow.id).in_(ids))
        found |= {(row.site, row.id): row for row in await session.exec(query)}
    return found


async def _csv(headers: Cells, lines: AsyncIterator[list[Cells]], told: Callable[[int], None]) -> AsyncIterator[bytes]:
    count = 0
    try:
        yield (BOM + _written([headers])).encode()
        async for page in lines:
            count += len(page)
            yield _written(page).encode()
    finally:
        told(count)


def _written(lines: Iterable[Cells]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([_harmless(cell) for cell in line] for line in lines)
    return out.getvalue()


def _harmless(cell: str) -> str:
    # A spreadsheet passes over blanks, and takes a wide = for one.
    taken = unicodedata.normalize("NFKC", cell).lstrip()
    return f"'{cell}" if cell.startswith(_BLANKS) or taken.startswith(_FORMULA) else cell


async def _workbook(headers: Cells, lines: AsyncIterator[list[Cells]], told: Callable[[int], None]) -> Path:
    """The file, beside the memory: a row is on the disk when the next begins."""
    handle, name = tempfile.mkstemp(suffix=".xlsx")
    os.close(handle)
    path = Path(name)
    count = 0
    with ExitStack() as unless_made:
        unless_made.callback(path.unlink, missing_ok=True)
        book = xlsxwriter.Workbook(name, {"constant_memory": True, "strings_to_formulas": False})
        sheet = book.add_worksheet()
        sheet.freeze_panes(1, 0)
        _put(sheet, 0, [headers])
        async for page in lines:
            await asyncio.to_thread(_put, sheet, count + 1, page)
            count += len(page)
        await asyncio.to_thread(book.close)
        unless_made.pop_all()
    told(count)
    return path


def _put(sheet: Any, since: int, lines: Iterable[Cells]) -> None:
    for row, line in enumerate(lines, since):
        for column, cell in enumerate(line):
            sheet.write_string(row, column, cell)

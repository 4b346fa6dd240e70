"""Pages of an SQLite file by what they are for, and damage to them as a failing flash cell would make it.

The walk follows https://sqlite.org/fileformat2.html, "B-tree Pages".
"""

from __future__ import annotations

import contextlib
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PAGE = 4096
_INTERIOR = (2, 5)


class Page(NamedTuple):
    """`of`: the table or index; `kind`: root, inner, leaf or overflow; `number` counts from 1."""

    of: str
    kind: str
    number: int


def settle(path: Path) -> None:
    """Moves the write-ahead log into the file, so that its pages are what is read."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def pages(path: Path) -> list[Page]:
    """Every page in use, table by table."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        roots = db.execute("SELECT name, rootpage FROM sqlite_master WHERE rootpage > 0 ORDER BY name").fetchall()
    image = path.read_bytes()
    found = [Page("sqlite_master", "root", 1)]
    for name, root in roots:
        found += [Page(name, kind, number) for kind, number in _walk(image, root, "root")]
    return found


def a_page_of_each(path: Path) -> list[Page]:
    """One page for each table and kind of page: the middle one of several."""
    by_kind: dict[tuple[str, str], list[Page]] = {}
    for page in pages(path):
        by_kind.setdefault((page.of, page.kind), []).append(page)
    return [those[len(those) // 2] for those in by_kind.values()]


def overwrite(path: Path, *numbers: int, seed: int | None = None) -> None:
    """Overwrites pages: with ones, as worn-out flash reads, or with noise."""
    noise = None if seed is None else random.Random(seed)
    with path.open("r+b") as file:
        for number in numbers:
            file.seek((number - 1) * PAGE)
            file.write(b"\xff" * PAGE if noise is None else noise.randbytes(PAGE))


def grow(path: Path, size: int) -> None:
    """Makes the file larger than `size` bytes by pages that are free."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("CREATE TABLE filler (data BLOB)")
        db.execute("INSERT INTO filler VALUES (zeroblob(?))", (size,))
        db.execute("DROP TABLE filler")


def _walk(image: bytes, number: int, kind: str) -> Iterator[tuple[str, int]]:
    yield kind, number
    page = image[(number - 1) * PAGE : number * PAGE]
    start = 100 if number == 1 else 0
    form = page[start]
    cells = int.from_bytes(page[start + 3 : start + 5], "big")
    at = start + (12 if form in _INTERIOR else 8)
    places = [int.from_bytes(page[at + 2 * n : at + 2 * n + 2], "big") for n in range(cells)]
    if form in _INTERIOR:
        children = [int.from_bytes(page[place : place + 4], "big") for place in places]
        for child in (*children, int.from_bytes(page[start + 8 : start + 12], "big")):
            child_form = image[(child - 1) * PAGE]
            yield from _walk(image, child, "inner" if child_form in _INTERIOR else "leaf")
    for place in places:
        if form != 5:
            yield from _overflow(image, page, place + (4 if form == 2 else 0), table=form == 13)


def _overflow(image: bytes, page: bytes, place: int, *, table: bool) -> Iterator[tuple[str, int]]:
    size, place = _varint(page, place)
    if table:
        _, place = _varint(page, place)
    most = PAGE - 35 if table else (PAGE - 12) * 64 // 255 - 23
    if size <= most:
        return
    least = (PAGE - 12) * 32 // 255 - 23
    local = least + (size - least) % (PAGE - 4)
    place += local if local <= most else least
    number = int.from_bytes(page[place : place + 4], "big")
    while number:
        yield "overflow", number
        number = int.from_bytes(image[(number - 1) * PAGE : (number - 1) * PAGE + 4], "big")


def _varint(page: bytes, place: int) -> tuple[int, int]:
    value = 0
    for _ in range(8):
        value = value << 7 | page[place] & 0x7F
        place += 1
        if page[place - 1] < 0x80:
            return value, place
    return value << 8 | page[place], place + 1

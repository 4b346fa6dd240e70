"""SQLite's file format, as far as it takes to read the rows of a file that SQLite itself no longer reads.

Every page is looked at for itself, whatever has become of the pages that lead to it: the rows of a table's leaves, the
keys of an index (a table WITHOUT ROWID is one). Pages of the free list hold what was deleted, and are left out.
https://sqlite.org/fileformat2.html (sections 1.2 to 1.6, 2.1 and 4.1). Pure.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol, TypeAlias

Value: TypeAlias = int | float | str | bytes | None

MAGIC = b"SQLite format 3\x00"

_TABLE_LEAF, _INDEX_LEAF, _INDEX_INTERIOR = 0x0D, 0x0A, 0x02
_WAL_MAGICS = (0x377F0682, 0x377F0683)
_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}


class Image(Protocol):
    """The bytes of a file, each part read when it is asked for; what cannot be read is missing from it."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> bytes: ...


class PageRecord(NamedTuple):
    """A row of a table (`rowid` is its number), or a key of an index (`rowid` None)."""

    rowid: int | None
    values: tuple[Value, ...]


class Pages:
    """A database file and its write-ahead log: the newest committed form of every page.

    The log's check sums are not reckoned: what they would exclude, the owner of the rows must recognise.
    """

    def __init__(self, file: Image, log: Image = b"") -> None:
        self._file = file
        self._log = log
        self._headed = len(self._file) >= 100 and self._file[:16] == MAGIC
        self._size = self._page_size()
        reserved = int.from_bytes(self._file[20:21]) if self._headed else 0
        self._usable = self._size - (reserved if reserved <= self._size - 480 else 0)
        self._in_log = self._committed()
        self.count = max(len(self._file) // self._size, *self._in_log, 0)

    def records(self) -> Iterator[PageRecord]:
        """Every row and key that a page in use still holds, in the order of the pages."""
        free = self._free()
        for number in range(1, self.count + 1):
            if number not in free:
                yield from self._of_page(number)

    def former(self) -> Iterator[PageRecord]:
        """Rows of older forms of a page that the log still holds, the latest written first; long ones are left out.

        What a checkpoint has moved stays in the log until it is written over: a second copy of what the file has lost.
        """
        current = set(self._in_log.values())
        for at in reversed(range(32, len(self._log) - self._size - 23, self._size + 24)):
            if at + 24 in current:
                continue
            number = int.from_bytes(self._log[at : at + 4])
            page = memoryview(self._log[at + 24 : at + 24 + self._size])
            begin = 100 if number == 1 else 0
            if len(page) == self._size and page[begin] == _TABLE_LEAF:
                yield from self._cells(page, begin, whole=True)

    def page(self, number: int) -> memoryview:
        """The newest form of a page; empty if there is none."""
        at = self._in_log.get(number)
        if at is not None:
            return memoryview(self._log[at : at + self._size])
        return memoryview(self._file[(number - 1) * self._size : number * self._size])

    def _page_size(self) -> int:
        if self._headed:
            size = int.from_bytes(self._file[16:18])
            size = 65536 if size == 1 else size
        else:
            size = int.from_bytes(self._log[8:12])
        return size if 512 <= size <= 65536 and size & (size - 1) == 0 else 4096

    def _committed(self) -> dict[int, int]:
        """Page → where its last committed form begins in the log."""
        if len(self._log) < 32 or int.from_bytes(self._log[:4]) not in _WAL_MAGICS:
            return {}
        salts = self._log[16:24]
        found: dict[int, int] = {}
        pending: dict[int, int] = {}
        for at in range(32, len(self._log) - self._size - 23, self._size + 24):
            frame = self._log[at : at + 16]
            if frame[8:] != salts:
                break
            number, commit = struct.unpack_from(">II", frame)
            pending[number] = at + 24
            if commit:
                found.update(pending)
                pending.clear()
        return found

    def _free(self) -> set[int]:
        free: set[int] = set()
        trunk = int.from_bytes(self.page(1)[32:36]) if bytes(self.page(1)[:16]) == MAGIC else 0
        while 1 < trunk <= self.count and trunk not in free:
            free.add(trunk)
            page = self.page(trunk)
            if len(page) < self._size:
                break
            leaves = min(int.from_bytes(page[4:8]), self._usable // 4 - 2)
            free.update(struct.unpack_from(f">{leaves}I", page, 8))
            trunk = int.from_bytes(page[:4])
        return free

    def _of_page(self, number: int) -> Iterator[PageRecord]:
        page = self.page(number)
        if len(page) < self._size:
            return
        begin = 100 if number == 1 else 0
        if page[begin] in (_TABLE_LEAF, _INDEX_LEAF, _INDEX_INTERIOR):
            yield from self._cells(page, begin)

    def _cells(self, page: memoryview, begin: int, *, whole: bool = False) -> Iterator[PageRecord]:
        kind = page[begin]
        cells = int.from_bytes(page[begin + 3 : begin + 5])
        first = begin + (12 if kind == _INDEX_INTERIOR else 8)
        for at in range(first, min(first + 2 * cells, self._usable - 1), 2):
            try:
                yield self._cell(page, int.from_bytes(page[at : at + 2]), kind, whole=whole)
            except (ValueError, IndexError, struct.error):
                continue  # this cell is damaged, the next one need not be

    def _cell(self, page: memoryview, at: int, kind: int, *, whole: bool) -> PageRecord:
        if kind == _INDEX_INTERIOR:
            at += 4
        size, at = varint(page, at)
        rowid: int | None = None
        largest = (self._usable - 12) * 64 // 255 - 23
        if kind == _TABLE_LEAF:
            rowid, at = varint(page, at)
            largest = self._usable - 35
        if size <= largest:
            return PageRecord(rowid, values(page[at : at + size]))
        if whole:
            raise ValueError("goes on in pages of another time")
        least = (self._usable - 12) * 32 // 255 - 23
        here = least + (size - least) % (self._usable - 4)
        here = here if here <= largest else least
        parts = [bytes(page[at : at + here])]
        following = int.from_bytes(page[at + here : at + here + 4])
        left = size - here
        while left > 0 and 1 < following <= self.count:
            over = self.page(following)
            parts.append(bytes(over[4 : min(4 + left, self._usable)]))
            left -= len(parts[-1])
            following = int.from_bytes(over[:4])
        if left:
            raise ValueError("the rest of the row is gone")
        return PageRecord(rowid, values(memoryview(b"".join(parts))))


def varint(page: Sequence[int], at: int) -> tuple[int, int]:
    """The number that begins at `at`, of 1 to 9 bytes, and where it ends."""
    found = 0
    for place in range(at, at + 8):
        byte = page[place]
        found = found << 7 | byte & 0x7F
        if byte < 0x80:
            return found, place + 1
    found = found << 8 | page[at + 8]
    return found - (1 << 64) if found >= 1 << 63 else found, at + 9


def values(record: memoryview) -> tuple[Value, ...]:
    """The columns of a record; `ValueError`, `IndexError` if it is none."""
    header, at = varint(record, 0)
    if not 1 <= header <= len(record):
        raise ValueError("no record")
    found: list[Value] = []
    body = header
    while at < header:
        kind, at = varint(record, at)
        value, body = _value(record, body, kind)
        found.append(value)
    if at != header or body != len(record):
        raise ValueError("a record of another size than it says")
    return tuple(found)


def _value(record: memoryview, at: int, kind: int) -> tuple[Value, int]:
    if kind == 0:
        return None, at
    if kind in (8, 9):
        return kind - 8, at
    size = 8 if kind == 7 else _INTEGERS.get(kind) or (kind - 12) // 2
    if kind in (10, 11) or kind < 0 or at + size > len(record):
        raise ValueError("a value beyond its record")
    part = record[at : at + size]
    at += size
    if kind == 7:
        return float(struct.unpack(">d", part)[0]), at
    if kind in _INTEGERS:
        return int.from_bytes(part, signed=True), at
    return (bytes(part) if kind % 2 == 0 else bytes(part).decode()), at

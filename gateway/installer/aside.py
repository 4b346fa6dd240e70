"""`aside`: the damaged files that a gateway kept, and what can still be read of one, page by page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from gateway.installer.terminal.screen import Screen
from gateway.installer.terminal.trouble import FAILED, Trouble
from gateway.journal.salvage import Salvage, pages_of
from gateway.sqlite.pages import PageRecord

MARK = ".damaged-"

_COMPANIONS = ("-wal", "-shm")

_SHOWN = 12
"""Stretches of events that are shown of one stream at the most."""


@dataclass(slots=True)
class _Read:
    """What one file gave. `found`: events and state, also a held file's items, which have the shape of state."""

    found: Salvage = field(default_factory=Salvage)
    stores: dict[str, tuple[int, int]] = field(default_factory=dict)
    blobs: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    revision: int | None = None

    def take(self, record: PageRecord) -> None:
        """Takes a record for what its shape says it is."""
        self.found.take(record)
        match record.values:
            case (None, str() as store, int() as last, int() as acked, int()) if record.rowid == 1:
                self.stores[store] = last, acked
            case (None, int() as since, int() as until, int() as count, bytes()) if record.rowid is not None:
                self.blobs[record.rowid] = since, until, count
            case (None, int() as revision) if record.rowid == 1:
                self.revision = revision


def aside(screen: Screen, path: Path | None, data: Path, out: Path | None) -> int:
    """Lists the files in `data`, or reads the one at `path` and writes its events to `out`; the exit status."""
    if path is None:
        return _list(screen, data)
    if not path.is_file():
        raise Trouble(f"没有文件 {path}", f"there is no file {path}")
    read = _Read()
    with pages_of(path) as pages:
        for record in pages.records():
            read.take(record)
    _show(screen, path, read)
    if out is not None:
        with out.open("wb") as file:
            file.writelines(_lines(read.found))
        screen.note(f"{len(read.found.rows)} 条事件已写入 {out}", f"{len(read.found.rows)} events written to {out}")
    return 0 if read.found.rows or read.found.state or read.blobs or read.stores else FAILED


def _list(screen: Screen, data: Path) -> int:
    if not data.is_dir():
        raise Trouble(f"没有文件夹 {data}", f"there is no folder {data}")
    kept = sorted(file for file in data.glob(f"*{MARK}*") if not file.name.endswith(_COMPANIONS))
    rows = []
    for file in kept:
        seen = file.stat()
        when = datetime.fromtimestamp(seen.st_mtime, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        rows.append((str(file), f"{seen.st_size / 1e6:.1f} MB", when))
        screen.record(file=str(file), bytes=seen.st_size, changed=when)
    if rows:
        screen.table([screen.say("文件", "file"), screen.say("大小", "size"), screen.say("最后写入", "written")], rows)
    else:
        screen.line(f"{data} 中没有留存的损坏文件", f"no damaged files are kept in {data}")
    return 0


def _show(screen: Screen, path: Path, read: _Read) -> None:
    found = read.found
    by_number: dict[int, list[int]] = {}
    for row in found.rows.values():
        by_number.setdefault(row.number, []).append(row.seq)
    streams = []
    for number in sorted({*by_number, *found.streams}):
        seqs = sorted(by_number.get(number, ()))
        stretches, acked = list(_stretches(seqs)), found.acked.get(number)
        missing = seqs[-1] - seqs[0] + 1 - len(seqs) if seqs else 0
        name = found.streams.get(number, "?")
        streams.append({"stream": name, "acked": acked, "events": stretches, "missing": missing})
        shown = ", ".join(f"{low}-{high}" for low, high in stretches[:_SHOWN]) + (
            "…" if len(stretches) > _SHOWN else ""
        )
        screen.line(
            f"流 {name}：{len(seqs)} 条事件（{shown or '无'}），中间缺 {missing} 条；"
            f"总控台已确认到 {_or_unknown(acked)}",
            f"stream {name}: {len(seqs)} events ({shown or 'none'}), {missing} between them missing; "
            f"acknowledged up to {_or_unknown(acked)}",
        )
    kinds = Counter(kind for kind, _ in found.state)
    if kinds:
        words = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
        screen.line(f"状态或下发数据：{words}", f"state or desired items: {words}")
    if read.revision is not None and not found.rows:
        screen.line(f"下发版本 {read.revision}", f"desired revision {read.revision}")
    readings = sum(count for _, _, count in read.blobs.values())
    for store, (last, acked) in read.stores.items():
        screen.line(
            f"读数库 {store}：写到 {last}，总控台已确认到 {acked}", f"readings {store}: up to {last}, acked {acked}"
        )
    if read.blobs:
        words = ", ".join(f"{low}-{high}" for low, high in list(_stretches(sorted(read.blobs)))[:_SHOWN])
        screen.line(f"读数 {readings} 个，批次 {words}", f"{readings} readings in blobs {words}")
    if not (by_number or found.streams or kinds or read.blobs or read.stores):
        screen.line("什么也读不出来", "nothing can be read of it", "red")
    stores: list[dict[str, object]] = [
        {"store": s, "last": last, "acked": acked} for s, (last, acked) in read.stores.items()
    ]
    screen.record(
        file=str(path), streams=streams, state=dict(kinds), revision=read.revision, stores=stores, readings=readings
    )


def _lines(found: Salvage) -> Iterator[bytes]:
    """Every event as a line of JSON, by its place in the journal."""
    for row in sorted(found.rows.values(), key=lambda row: row.id):
        line = {
            "id": row.id,
            "stream": found.streams.get(row.number, ""),
            "seq": row.seq,
            "at_ms": row.at_ms,
            "kind": row.kind,
            "source": row.source,
            "clock": row.clock,
            "data": msgspec.Raw(row.data),
        }
        yield msgspec.json.encode(line) + b"\n"


def _stretches(seqs: Iterable[int]) -> Iterator[tuple[int, int]]:
    """(first, last) of each run without a hole."""
    first = last = 0
    for seq in seqs:
        if last and seq == last + 1:
            last = seq
            continue
        if last:
            yield first, last
        first = last = seq
    if last:
        yield first, last


def _or_unknown(number: int | None) -> str:
    return "?" if number is None else str(number)

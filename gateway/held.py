"""The desired state that this gateway holds: what the hub wants here, on disk so that the site works without the hub.

A file of its own, apart from the journal: a snapshot of many thousand items must not hold up a door's append.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec
import structlog

from contract.desired import ITEM_TYPES, NOTHING, Desired, Item
from contract.instants import instant
from gateway.clock import Clock
from gateway.journal.disk import Damaged, prepare, set_aside

log = structlog.get_logger(__name__)

T = TypeVar("T", bound=msgspec.Struct)

PARTS_BYTES = 64_000_000
"""Bytes of values in the parts of one snapshot at the most."""

_MIGRATIONS = (
    """
    CREATE TABLE items (
        kind TEXT NOT NULL, id TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (kind, id)
    ) WITHOUT ROWID;
    CREATE TABLE standing (one INTEGER PRIMARY KEY CHECK (one = 1), revision INTEGER NOT NULL);
    INSERT INTO standing (one, revision) VALUES (1, 0);
    """,
)
_GONE = bytes(NOTHING)
_KIND_OF = {kind_type: kind for kind, kind_type in ITEM_TYPES.items()}
_decoders = {kind: msgspec.json.Decoder(kind_type) for kind, kind_type in ITEM_TYPES.items()}


@dataclass(frozen=True, slots=True)
class Applied:
    """A step that was taken: the revision held now, how many items it had, and which of them do not fit their kind."""

    revision: int
    items: int
    unusable: tuple[str, ...] = ()


@dataclass(slots=True)
class _Parts:
    """The parts of a snapshot that have come so far."""

    revision: int
    parts: int
    items: dict[int, list[Item]] = field(default_factory=dict)
    size: int = 0


class Held:
    """Items by kind and id, typed where the kind is known. All methods belong to one event loop."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="held-writer")
        self._one_by_one = asyncio.Lock()
        self._watchers: list[Callable[[Applied], None]] = []
        self._parts: _Parts | None = None
        self._behind = False
        self.revision = int(db.execute("SELECT revision FROM standing").fetchone()[0])
        found = db.execute("SELECT kind, id, value FROM items")
        self._typed, unusable = _typed((kind, name, bytes(value)) for kind, name, value in found)
        if unusable:
            log.warning("held.unusable", items=unusable[:20], count=len(unusable))

    @classmethod
    def open(cls, path: Path, *, clock: Clock) -> Held:
        """What is held in `path`; if that is damaged it is set aside, and the hub is asked for everything."""
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return cls(prepare(path, _MIGRATIONS, checkpoint_pages=1_000))
        except Damaged as damage:
            aside = set_aside(path, instant(clock.machine_ms()).replace(":", "").replace("-", ""))
            log.critical("held.damaged", why=str(damage), kept=aside.name)
            return cls(prepare(path, _MIGRATIONS, checkpoint_pages=1_000))

    @property
    def announced(self) -> int:
        """The revision to tell the hub: 0 asks for a snapshot, because a step did not fit what is held."""
        return 0 if self._behind else self.revision

    def of(self, kind: type[T]) -> Mapping[str, T]:
        """All items of one kind by id, for example `of(Holder)`. The mapping is replaced, never changed, by a step."""
        found: dict[str, msgspec.Struct] = self._typed.get(_KIND_OF[kind], {})
        return found  # type: ignore[return-value]  # a kind's items were decoded as its type

    def items(self) -> list[msgspec.Struct]:
        """Every item of a known kind."""
        return [item for by_id in self._typed.values() for item in by_id.values()]

    async def apply(self, desired: Desired) -> Applied | None:
        """Takes a step, atomically; None if nothing changed: a part is missing, a repeat, or a step from elsewhere.

        `OSError` if the disk refuses: then the old revision stands, and is announced.
        """
        async with self._one_by_one:
            if desired.form == "snapshot":
                items = self._collected(desired)
                return None if items is None else await self._take(desired.revision, items, replace=True)
            if desired.revision == self.revision and not self._behind:
                return None
            if desired.base != self.revision or desired.revision <= desired.base:
                self._behind = True
                log.warning("held.behind", held=self.revision, base=desired.base, revision=desired.revision)
                return None
            return await self._take(desired.revision, desired.items, replace=False)

    def watch(self, watcher: Callable[[Applied], None]) -> None:
        """`watcher` hears of every step that was taken."""
        self._watchers.append(watcher)

    async def close(self) -> None:
        """Lets the file go."""
        await asyncio.to_thread(self._thread.shutdown)
        self._db.close()

    # --- Inside

    def _collected(self, desired: Desired) -> list[Item] | None:
        """All items of a snapshot once its last part has come; None until then."""
        waiting = self._parts
        if waiting is None or (waiting.revision, waiting.parts) != (desired.revision, desired.parts):
            waiting = self._parts = _Parts(desired.revision, desired.parts)
        if desired.part > desired.parts:
            return None
        if desired.part not in waiting.items:
            waiting.items[desired.part] = desired.items
            waiting.size += sum(len(bytes(item.value)) for item in desired.items)
        if waiting.size > PARTS_BYTES:
            log.error("held.too_large", revision=desired.revision, limit=PARTS_BYTES)
            self._parts = None
            return None
        if len(waiting.items) < waiting.parts:
            return None
        self._parts = None
        return [item for part in sorted(waiting.items) for item in waiting.items[part]]

    async def _take(self, revision: int, items: Sequence[Item], *, replace: bool) -> Applied:
        loop = asyncio.get_running_loop()
        try:
            unusable = await loop.run_in_executor(self._thread, self._store, revision, items, replace)
        except sqlite3.Error as error:
            raise OSError(f"revision {revision} could not be stored: {error}") from error
        self.revision = revision
        self._behind = False
        if unusable:
            log.warning("held.unusable", revision=revision, items=unusable[:20], count=len(unusable))
        applied = Applied(revision, len(items), tuple(unusable))
        for watcher in self._watchers:
            watcher(applied)
        return applied

    def _store(self, revision: int, items: Sequence[Item], replace: bool) -> list[str]:
        """On the writer's thread: the step on disk, then the same step on fresh copies of what is in memory."""
        db = self._db
        db.execute("BEGIN IMMEDIATE")
        try:
            if replace:
                db.execute("DELETE FROM items")
            for item in items:
                if item.dropped:
                    db.execute("DELETE FROM items WHERE kind=? AND id=?", (item.kind, item.id))
                else:
                    db.execute(
                        "INSERT INTO items (kind, id, value) VALUES (?,?,?)"
                        " ON CONFLICT (kind, id) DO UPDATE SET value=excluded.value",
                        (item.kind, item.id, bytes(item.value)),
                    )
            db.execute("UPDATE standing SET revision=?", (revision,))
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        typed: dict[str, dict[str, msgspec.Struct]] = {} if replace else dict(self._typed)
        changed, unusable = _typed((item.kind, item.id, item.value) for item in items)
        for kind in {item.kind for item in items} & ITEM_TYPES.keys():
            by_id = dict(typed.get(kind, {}))
            for item in items:
                if item.kind == kind:
                    by_id.pop(item.id, None)
            typed[kind] = by_id | changed.get(kind, {})
        self._typed = typed
        return unusable


def _typed(
    items: Iterable[tuple[str, str, msgspec.Raw | bytes]],
) -> tuple[dict[str, dict[str, msgspec.Struct]], list[str]]:
    """Items of known kinds by kind and id, and those (`kind/id`) that do not fit: they are held and open nothing."""
    typed: dict[str, dict[str, msgspec.Struct]] = {}
    unusable: list[str] = []
    for kind, name, value in items:
        decoder = _decoders.get(kind)
        if decoder is None:
            continue
        by_id = typed.setdefault(kind, {})
        by_id.pop(name, None)
        if bytes(value) == _GONE:
            continue
        try:
            by_id[name] = decoder.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            unusable.append(f"{kind}/{name}: {error}")
    return typed, unusable

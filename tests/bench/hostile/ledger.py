"""What the gateway has recorded over all lives of its journal, and what of it must be at the hub exactly once.

Independent of the product's own salvage: rows are read with plain SQL from files that are whole, and whether a damaged
file still holds a row is asked of its bytes: the row's hash stands in them or it does not.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from contract.instants import instant

_ROWS = (
    "SELECT coalesce(first_stream, stream), coalesce(first_seq, seq), coalesce(first_hash, hash), hash, at, kind,"
    " source, data FROM events JOIN streams USING (number) ORDER BY events.id"
)


class First(NamedTuple):
    """Where an event was recorded first; its name, wherever it is moved afterwards."""

    stream: str
    seq: int
    hash: bytes


class Content(NamedTuple):
    """What an event says, as both sides tell it."""

    at: str
    kind: str
    source: str
    data: str


@dataclass
class Ledger:
    """`recorded`: all that was ever on the disk; `gone`: what a fault destroyed before anybody else had it."""

    recorded: dict[First, Content] = field(default_factory=dict)
    gone: set[First] = field(default_factory=set)

    def take(self, journal: Path) -> dict[First, bytes]:
        """Reads a whole journal (running or not); the hash under which each of its events stands there."""
        rows: dict[First, bytes] = {}
        with contextlib.closing(_opened(journal)) as db:
            for stream, seq, first_hash, here, at, kind, source, data in db.execute(_ROWS):
                first = First(stream, seq, bytes(first_hash))
                rows[first] = bytes(here)
                self.recorded[first] = Content(instant(at), kind, source, bytes(data).decode())
        return rows

    def destroyed(self, firsts: set[First], at_hub: Counter[Content]) -> None:
        """These exist no more at the site; what the hub does not hold either is gone."""
        self.gone |= {first for first in firsts if self.recorded[first] not in at_hub}

    def owed(self) -> Counter[Content]:
        """What the hub must hold, each as often as it was recorded."""
        return Counter(content for first, content in self.recorded.items() if first not in self.gone)

    def lost(self, at_hub: Counter[Content]) -> Counter[Content]:
        """What the hub lacks."""
        return self.owed() - at_hub

    def doubled(self, at_hub: Counter[Content]) -> Counter[Content]:
        """What the hub holds more often than it was recorded."""
        known = Counter(self.recorded.values())
        return Counter({content: count - known[content] for content, count in at_hub.items() if count > known[content]})


def missing_in(file: Path, rows: dict[First, bytes]) -> set[First]:
    """Of `rows` of a journal that was damaged since: those of which its bytes hold nothing any more."""
    content = b"".join(part.read_bytes() for part in (file, file.with_name(file.name + "-wal")) if part.exists())
    return {first for first, here in rows.items() if here not in content}


def _opened(journal: Path) -> sqlite3.Connection:
    """A copy of the file, so that reading it changes nothing of what the gateway will find."""
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ("", "-wal"):
            part = journal.with_name(journal.name + suffix)
            if part.exists():
                shutil.copy2(part, Path(folder, f"copy{suffix}"))
        whole = sqlite3.connect(Path(folder, "copy"))
        memory = sqlite3.connect(":memory:")
        whole.backup(memory)
        whole.close()
    return memory

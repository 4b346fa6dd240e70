"""Keeping entries: rows made of events, passages noted in them, and what may not be kept any longer taken out.

An entry is kept once however often its event is told, and a passage may come before its decision: filling goes from the
newest event down.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import BigInteger, DateTime, Text, TypeEngine

from hub.database.event import StoredEvent
from hub.events.redacting import GONE
from rules.access.entries import EntrySeen, entry_of, passed
from rules.access.values import plate_key

LONGEST = 256
"""Characters of a number or an id that are kept; none that anybody has is longer."""

COLUMNS: tuple[tuple[str, str], ...] = (
    ("event", "bigint"),
    ("site", "text"),
    ("at", "timestamptz"),
    ("source", "text"),
    ("outcome", "text"),
    ("traveller", "text"),
    ("direction", "text"),
    ("credential", "text"),
    ("plate", "text"),
    ("plate_key", "text"),
    ("number", "text"),
    ("holder", "text"),
    ("code", "text"),
    ("picture", "text"),
    ("account", "text"),
)
_NAMES = ", ".join(name for name, _ in COLUMNS)
_ARRAYS = ", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in COLUMNS)
_TYPES: dict[str, TypeEngine[Any]] = {"bigint": BigInteger(), "text": Text(), "timestamptz": DateTime(timezone=True)}

_PUT = text(
    f"INSERT INTO entries ({_NAMES}) SELECT {_NAMES} FROM unnest({_ARRAYS}) AS new ({_NAMES}) ON CONFLICT DO NOTHING"
).bindparams(*(bindparam(name, type_=ARRAY(_TYPES[kind])) for name, kind in COLUMNS))

DECIDED = (
    "SELECT coalesce(here.id, place.event) AS event, named.at"
    " FROM unnest(CAST(:streams AS text[]), CAST(:seqs AS bigint[]), CAST(:ats AS timestamptz[]))"
    " AS named (stream, seq, at)"
    " LEFT JOIN events here ON here.stream = named.stream AND here.seq = named.seq"
    " LEFT JOIN LATERAL (SELECT event FROM event_places WHERE stream = named.stream AND seq = named.seq LIMIT 1)"
    " AS place ON here.id IS NULL"
)
"""The decisions that passages name, by the place where they were first recorded: (event, at)."""

_PASSED = text(
    f"UPDATE entries SET passed_at = decided.at FROM ({DECIDED}) AS decided"
    " WHERE entries.event = decided.event AND entries.passed_at IS NULL"
)
_BLANK = text("UPDATE entries SET plate = NULL, plate_key = NULL, number = NULL WHERE event = ANY(:ids)")


class Passed(NamedTuple):
    """A passage: the place of the decision that it followed, and when it was."""

    stream: str
    seq: int
    at: datetime


class KeptEntry(NamedTuple):
    """An entry and the event that says it."""

    event: StoredEvent
    seen: EntrySeen


Item = KeptEntry | Passed


def item_of(event: StoredEvent) -> Item | None:
    """What an event says of entries, None if nothing."""
    data = event.typed()
    seen = entry_of(event.kind, event.source, data)
    if seen is not None:
        return KeptEntry(event, seen)
    passage = passed(data)
    if passage is None or passage.after is None:
        return None
    return Passed(passage.after_stream or event.stream, passage.after, event.when)


async def keep(conn: AsyncConnection, items: Sequence[Item]) -> None:
    """Put entries into the table, then note the passages among `items`."""
    rows = [_row(item.event, item.seen) for item in items if isinstance(item, KeptEntry) and item.event.site]
    if rows:
        columns = dict(zip((name for name, _ in COLUMNS), map(list, zip(*rows, strict=True)), strict=True))
        await conn.execute(_PUT, columns)
    passages = [item for item in items if isinstance(item, Passed)]
    if passages:
        await conn.execute(_PASSED, places_of(passages))


def places_of(passages: Sequence[Passed]) -> dict[str, object]:
    """Parameters of `DECIDED`."""
    return {
        "streams": [each.stream for each in passages],
        "seqs": [each.seq for each in passages],
        "ats": [each.at for each in passages],
    }


async def blank(conn: AsyncConnection, events: Iterable[int]) -> None:
    """Take plates and card numbers out of the entries of these events: they leave the history."""
    await conn.execute(_BLANK, {"ids": list(events)})


def _row(event: StoredEvent, seen: EntrySeen) -> tuple[object, ...]:
    number = "" if seen.number == GONE else _clean(seen.number)
    plate = number if seen.credential == "plate" else ""
    return (
        event.id,
        event.site,
        event.when,
        _clean(seen.source)[:128],
        seen.outcome,
        seen.traveller,
        seen.direction,
        seen.credential,
        plate or None,
        plate_key(plate) or None,
        None if plate else number or None,
        _clean(seen.holder or "") or None,
        _clean(seen.code),
        _clean(seen.picture or "") or None,
        _clean(seen.by or "") or None,
    )


def _clean(words: str) -> str:
    """Words as a column takes them: no U+0000 and no half of a pair, which only a broken device says."""
    return words[:LONGEST].replace("\x00", "").encode(errors="replace").decode()

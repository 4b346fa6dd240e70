"""Recording what an edit changed, reading it, and erasing it without breaking the history.

The chain of events cannot forget, so names, numbers and whatever else people type stay out of it: an event names the
fields and holds a salted hash of their values, a row beside it holds the values. `hub verify` compares the two.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.commands import Person
from contract.facts.hub import RecordChanged
from hub.database.event import to_datetime
from hub.database.rows import StatementRow
from hub.events import stream
from hub.events.digest import digest

LONGEST = 2_000
"""Bytes of one value; what is longer is cut, and says so."""

_INSERT = text(
    "INSERT INTO changes (event, site, kind, record, subject, at, said, salt)"
    " VALUES (:event, :site, :kind, :record, :subject, :at, :said, :salt)"
)
_ERASED = "UPDATE changes SET said = NULL, salt = NULL, erased_at = now() WHERE event IN (SELECT event FROM changes"
_ERASE = text(f"{_ERASED} WHERE site = :site AND subject = :subject AND said IS NOT NULL)")
_FORGET = text(f"{_ERASED} WHERE said IS NOT NULL AND at < :before ORDER BY at LIMIT :most)")


@dataclass(frozen=True, kw_only=True)
class Change:
    """One edit of one record. `kind`: what the record is, as in `<kind>.changed`. `fields`: what changed.

    `before`, `after`: field → value as JSON holds it; nothing before a record was made and after it was removed.
    """

    kind: str
    id: str
    change: Literal["created", "updated", "removed"]
    before: Mapping[str, object] = field(default_factory=dict)
    after: Mapping[str, object] = field(default_factory=dict)
    fields: Sequence[str] = ()
    site: str | None = None
    subject: str | None = None

    def said(self) -> str:
        """The values as they are kept."""
        values = {"before": _bounded(self.before), "after": _bounded(self.after)}
        return msgspec.json.encode(values, order="deterministic").decode()


async def record(conn: AsyncConnection, changes: Sequence[Change], by: Person) -> None:
    """Record edits, in the transaction that makes them: an event each, and its values beside it."""
    said = [(change.said(), secrets.token_bytes(16)) for change in changes]
    facts = [
        stream.Fact(
            f"{change.kind}.changed",
            change.id,
            RecordChanged(
                id=change.id, by=by, change=change.change, fields=list(change.fields), digest=digest(salt, values)
            ),
            change.site,
        )
        for change, (values, salt) in zip(changes, said, strict=True)
    ]
    events = await stream.record_all(conn, facts)
    rows = [
        {
            "event": event.id,
            "site": change.site,
            "kind": change.kind,
            "record": change.id,
            "subject": change.subject,
            "at": to_datetime(event.at),
            "said": values,
            "salt": salt,
        }
        for event, change, (values, salt) in zip(events, changes, said, strict=True)
    ]
    await conn.execute(_INSERT, rows)


async def erase(conn: AsyncConnection, site: str, subject: str) -> int:
    """Erase the values of everything that was ever changed about a holder; how many changes that were."""
    return (await conn.execute(_ERASE, {"site": site, "subject": subject})).rowcount


async def forget(conn: AsyncConnection, before: datetime, most: int) -> int:
    """Erase the values of at most `most` changes of before then; how many."""
    return (await conn.execute(_FORGET, {"before": before, "most": most})).rowcount


@dataclass(frozen=True, kw_only=True)
class WantedChanges:
    """Which changes. `sites` None: of every site, and the company's own. `before`: below that event."""

    sites: Sequence[str] | None = None
    kinds: Sequence[str] = ()
    record: str | None = None
    subject: str | None = None
    before: int | None = None


async def listed(conn: AsyncConnection, wanted: WantedChanges, limit: int) -> list[StatementRow]:
    """At most `limit` changes, the newest first, each with the data of its event."""
    values: dict[str, object] = {"limit": limit}
    conditions = ["true"]
    if wanted.sites is not None:
        conditions.append("c.site = ANY(:sites)")
        values["sites"] = list(wanted.sites)
    if wanted.kinds:
        conditions.append("c.kind = ANY(:kinds)")
        values["kinds"] = list(wanted.kinds)
    for name, condition in (("record", "c.record = :record"), ("subject", "c.subject = :subject")):
        if (asked := getattr(wanted, name)) is not None:
            conditions.append(condition)
            values[name] = asked
    if wanted.before is not None:
        conditions.append("c.event < :before")
        values["before"] = wanted.before
    query = (
        "SELECT c.event, c.site, c.kind, c.record, c.subject, c.at, c.said, c.erased_at, CAST(e.data AS text) AS data"
        f" FROM changes c JOIN events e ON e.id = c.event WHERE {' AND '.join(conditions)}"
        " ORDER BY c.event DESC LIMIT :limit"
    )
    return list(await conn.execute(text(query), values))


def _bounded(values: Mapping[str, object]) -> dict[str, object]:
    found = {}
    for name, value in values.items():
        whole = msgspec.json.encode(value)
        found[name] = value if len(whole) <= LONGEST else whole[:LONGEST].decode(errors="ignore") + "…"
    return found

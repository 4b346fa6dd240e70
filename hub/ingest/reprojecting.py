"""Projecting again what could not be projected: after an upgrade, what was only stored becomes part of the picture."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import text

from hub.database.failures import passes
from hub.database.transactions import Database
from hub.events.service import COLUMNS, EVENTS, stored
from hub.ingest.projecting import Registry

_FAILED = text(f"SELECT {COLUMNS} FROM {EVENTS} WHERE failed IS NOT NULL AND id > :after ORDER BY id LIMIT 1")
_CLEAR = text("UPDATE events SET failed = NULL WHERE id = :id")
_STILL = text("UPDATE events SET failed = :why WHERE id = :id")


STATEMENTS = frozenset({"alarms.stated", "places.stated"})
"""What stood when it was said: late, it would undo what happened since. The next one says all of it anew."""


class Reprojected(NamedTuple):
    """How many marked events were projected, and which still cannot be: id → why."""

    done: int
    still: dict[int, str]


async def reproject(database: Database, registry: Registry) -> Reprojected:
    """Try every marked event again, oldest first, each in its own transaction."""
    still: dict[int, str] = {}
    done = after = 0
    while True:
        try:
            async with database.transaction(writes=True) as conn:
                row = (await conn.execute(_FAILED, {"after": after})).one_or_none()
                if row is None:
                    return Reprojected(done, still)
                after = row.id
                for projection in () if row.kind in STATEMENTS else registry.get(row.kind, ()):
                    await projection(conn, stored(row))
                await conn.execute(_CLEAR, {"id": row.id})
                done += 1
        except Exception as error:  # what still fails stays marked, and those that follow are tried
            if passes(error):
                raise
            still[after] = f"{type(error).__name__}: {error}"[:300].replace("\x00", "")
            async with database.transaction() as conn:
                await conn.execute(_STILL, {"id": after, "why": still[after]})

"""The table of jobs: putting, taking, keeping, ending them. Moments of the table are by the database's clock alone.

A job that runs has no `due_at` but what was put meanwhile, so that nothing put is lost: whoever ends it sets the
earlier of both. A lease that ran out is a failure as any other: a job that kills its process must not do so for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Double, Text

from hub.database.rows import StatementRow
from hub.jobs.job import Job

CHANNEL = "gatehouse_jobs"
"""Notified in the transaction that puts a job."""

LAPSED = "whoever ran it gave no sign of life and never ended it"

_WAKE = f"SELECT pg_notify('{CHANNEL}', '') FROM"
# Nothing is written, and nobody woken, where it is due by then anyway. Nobody takes it either before this is committed,
# or what it is put for might come too late; but whoever runs it can give signs of life meanwhile.
_PUT = text(
    "WITH stands AS (SELECT 1 FROM jobs WHERE name = :name AND key = :key AND due_at <= coalesce(:at, now())"
    "  FOR KEY SHARE),"
    " put AS (INSERT INTO jobs AS held (name, key, data, due_at, said, failures, error)"
    " SELECT :name, :key, CAST(:data AS json), coalesce(:at, now()), '', 0, '' WHERE NOT EXISTS (SELECT FROM stands)"
    " ON CONFLICT (name, key) DO UPDATE SET due_at = LEAST(held.due_at, excluded.due_at),"
    "  data = coalesce(excluded.data, held.data), failed_at = NULL"
    "  WHERE held.due_at IS NULL OR held.due_at > excluded.due_at"
    f" RETURNING 1) {_WAKE} put"
)
_STAND = text(
    "INSERT INTO jobs AS held (name, key, due_at, said, failures, error)"
    " SELECT name, '', now(), '', 0, '' FROM unnest(:names) AS one (name)"
    " ON CONFLICT (name, key) DO UPDATE SET due_at = LEAST(held.due_at, now()), failed_at = NULL"
).bindparams(bindparam("names", type_=ARRAY(Text)))
# One that ended in the future: the clock was put back, and its next moment, or its next try, may be ages away.
_READY = (
    "(held_until IS NULL AND due_at <= now() OR held_until <= now()"
    " OR held_until IS NULL AND ended_at > now() + interval '5 s'"
    "  AND (key = '' OR failures > 0 AND due_at IS NOT NULL))"
)
# Nobody holds one for so long: the clock was put back. Whoever runs it gives a sign of life within the lease.
_SHORTEN = text(
    "WITH known AS (SELECT * FROM unnest(:names, :leases) AS one (name, lease_s)),"
    " long AS (SELECT id, lease_s FROM jobs JOIN known USING (name)"
    "  WHERE held_until > now() + (2 * lease_s + 5) * interval '1 s' FOR UPDATE OF jobs SKIP LOCKED)"
    " UPDATE jobs SET held_until = now() + long.lease_s * interval '1 s' FROM long WHERE jobs.id = long.id"
).bindparams(bindparam("names", type_=ARRAY(Text)), bindparam("leases", type_=ARRAY(Double)))
_TAKE = text(
    "WITH known AS (SELECT * FROM unnest(:names, :leases) AS one (name, lease_s)),"
    " ready AS (SELECT id, lease_s, held_until IS NOT NULL AS lapsed FROM jobs JOIN known USING (name)"
    f"  WHERE {_READY} ORDER BY coalesce(held_until, due_at) LIMIT :room FOR UPDATE OF jobs SKIP LOCKED)"
    " UPDATE jobs SET held_by = :holder, held_until = now() + ready.lease_s * interval '1 s', began_at = now(),"
    "  due_at = CASE WHEN lapsed AND due_at > now() THEN due_at END, failures = failures + CAST(lapsed AS int),"
    "  error = CASE WHEN lapsed THEN :lapsed ELSE error END"
    " FROM ready WHERE jobs.id = ready.id RETURNING jobs.id, name, key, data, failures, lapsed"
).bindparams(bindparam("names", type_=ARRAY(Text)), bindparam("leases", type_=ARRAY(Double)))
_KEEP = text(
    "UPDATE jobs SET held_until = now() + :lease_s * interval '1 s' WHERE id = :id AND held_by = :holder RETURNING 1"
)
_FREE = "UPDATE jobs SET held_by = NULL, held_until = NULL"
_MINE = "WHERE id = :id AND held_by = :holder"
_LATER = "LEAST(due_at, now() + CAST(:in_s AS double precision) * interval '1 s')"
_END = text(
    f"{_FREE}, due_at = {_LATER}, ended_at = now(), took_s = :took_s, said = :said, failures = 0, error = '',"
    f" failed_at = NULL {_MINE}"
)
_GONE = text(f"DELETE FROM jobs {_MINE} AND due_at IS NULL RETURNING 1")
_FAIL = text(
    f"{_FREE}, due_at = {_LATER}, ended_at = now(), took_s = :took_s, said = '', error = :error,"
    " failures = failures + :counts, failed_at = CASE WHEN :given_up THEN now() END"
    f" {_MINE}"
)
_RELEASE = text(
    f"{_FREE}, due_at = now() WHERE held_until IS NOT NULL AND starts_with(held_by, :holder)"
    " AND id = coalesce(CAST(:id AS bigint), id) RETURNING 1"
)
_NEXT = text(
    "SELECT extract(epoch FROM min(coalesce(held_until, due_at)) - now()) FROM jobs WHERE name = ANY(:names)"
    " AND (due_at IS NOT NULL OR held_until IS NOT NULL)"
)
_AGAIN = text(
    "WITH put AS (UPDATE jobs SET due_at = now(), failures = 0, failed_at = NULL WHERE id = :id RETURNING 1)"
    f" {_WAKE} put"
)


class HeldJob(NamedTuple):
    """A job that this process runs now. `holder`: who says so, of this taking alone. `failures` before this try."""

    id: int
    job: Job
    key: str
    data: object
    failures: int
    lapsed: bool
    holder: str


async def put(
    conn: AsyncConnection, name: str, at: datetime | None = None, *, key: str = "", data: object = None
) -> None:
    """Have a job done at `at` (None: at once) if this transaction is committed; earlier, if it is wanted earlier.

    `key`: which of them; the same one is put once, however often it is asked for.
    """
    values = {"name": name, "key": key, "data": None if data is None else msgspec.json.encode(data).decode(), "at": at}
    await conn.execute(_PUT, values)


async def stand(conn: AsyncConnection, jobs: Sequence[Job]) -> None:
    """The standing ones of these are due now: a hub has started, and who knows what passed meanwhile."""
    await conn.execute(_STAND, {"names": sorted(job.name for job in jobs if job.standing)})


async def take(conn: AsyncConnection, jobs: Sequence[Job], room: int, holder: str) -> list[HeldJob]:
    """At most `room` of what is due of these, the longest due first; they are this holder's from now on."""
    by_name = {job.name: job for job in jobs}
    leases = {"names": list(by_name), "leases": [job.lease_s for job in jobs]}
    await conn.execute(_SHORTEN, leases)
    rows = (await conn.execute(_TAKE, leases | {"room": room, "holder": holder, "lapsed": LAPSED})).all()
    return [HeldJob(row.id, by_name[row.name], row.key, row.data, row.failures, row.lapsed, holder) for row in rows]


async def keep(conn: AsyncConnection, held: HeldJob) -> bool:
    """A sign of life of whoever runs it; False if it is another's by now."""
    values = {"id": held.id, "holder": held.holder, "lease_s": held.job.lease_s}
    return (await conn.execute(_KEEP, values)).one_or_none() is not None


async def end(conn: AsyncConnection, held: HeldJob, took_s: float, in_s: float | None, said: str = "") -> None:
    """It went well, and comes again in `in_s` seconds, or when it is put again. Nothing if it is another's by now."""
    values = {"id": held.id, "holder": held.holder}
    # What was put meanwhile is still to be done, and so is what wants to come again.
    gone = not held.job.standing and in_s is None and (await conn.execute(_GONE, values)).one_or_none() is not None
    if not gone:
        await conn.execute(_END, values | {"in_s": in_s, "took_s": took_s, "said": said[:500]})


async def fail(
    conn: AsyncConnection,
    held: HeldJob,
    took_s: float,
    in_s: float | None,
    error: str,
    *,
    counts: bool = True,
    given_up: bool = False,
) -> None:
    """It failed, and is tried again in `in_s` seconds. `given_up`: it counts as failed, whenever it comes again."""
    values = {"id": held.id, "holder": held.holder, "in_s": in_s, "took_s": took_s, "error": error[:2000]}
    await conn.execute(_FAIL, values | {"counts": int(counts), "given_up": given_up})


async def release(conn: AsyncConnection, holder: str, row: int | None = None) -> None:
    """Who was interrupted: somebody else may begin them anew at once. All of the holders that begin so, or one job."""
    if (await conn.execute(_RELEASE, {"holder": holder, "id": row})).all():
        await conn.execute(text(f"SELECT pg_notify('{CHANNEL}', '')"))


async def next_in(conn: AsyncConnection, jobs: Sequence[Job]) -> float | None:
    """Seconds until the next of these may be taken; None if none waits. Not above 0: now, but somebody has its row."""
    found = (await conn.execute(_NEXT, {"names": [job.name for job in jobs]})).scalar_one()
    return None if found is None else float(found)


async def again(conn: AsyncConnection, row: int) -> bool:
    """A person wants it now, also if it has failed too often; False if there is no such job."""
    return bool((await conn.execute(_AGAIN, {"id": row})).all())


_SHOWN = "id, name, key, due_at, held_until > now() AS held, ended_at, took_s, said, failures, error, failed_at"
_LISTED = text(
    f"SELECT {_SHOWN} FROM jobs WHERE name = ANY(:names) AND (key = '' OR failures > 0)"
    " ORDER BY failed_at IS NULL, failures = 0, name, id LIMIT :limit"
)
_FIND = text(f"SELECT {_SHOWN} FROM jobs WHERE id = :id")


async def find(conn: AsyncConnection, row: int) -> StatementRow | None:
    """One job as it stands, None if there is none."""
    return (await conn.execute(_FIND, {"id": row})).one_or_none()


async def listed(conn: AsyncConnection, names: Sequence[str], limit: int) -> list[StatementRow]:
    """The standing jobs of these names, and of the others those that fail; what has failed first."""
    return list(await conn.execute(_LISTED, {"names": list(names), "limit": limit}))

"""`/api/jobs`: how the work stands that is done later, and doing it now; for administrators of everything."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from hub.changes import service as changes
from hub.changes.service import Change
from hub.database.rows import StatementRow
from hub.database.transactions import Reading, Writing, connection
from hub.jobs import queue
from hub.jobs.job import Job
from web import shapes
from web.errors import NotFound
from web.moments import At, written
from web.once import OnceRoute
from web.paging import Page
from web.session.sessions import Able
from web.users import User

router = APIRouter(prefix="/api/jobs", tags=["jobs"], route_class=OnceRoute)

MOST = 200

State = Literal["waiting", "due", "running", "failing", "failed"]


Keeper = Annotated[User, Depends(Able("jobs.run"))]


class JobShape(BaseModel):
    """A job. `key`: which of several, empty where there is one. `took_s`: seconds of the last run.

    `why`: why it comes again, in its own words. `failures` one after the other; `failed`: it is not tried any more
    until somebody says so, or its schedule does. `next_at`: null while nobody wants it.
    """

    id: int
    name: str
    text: shapes.Text
    key: str
    state: State
    last_at: At | None
    took_s: float | None
    next_at: At | None
    why: str
    failures: int
    error: str


def _jobs(request: Request) -> dict[str, Job]:
    found: tuple[Job, ...] = getattr(request.app.state, "jobs", ())
    return {job.name: job for job in found}


Jobs = Annotated[dict[str, Job], Depends(_jobs)]


@router.get("")
async def jobs(user: Keeper, session: Reading, known: Jobs) -> Page[JobShape]:
    """The jobs that stand, and those of others that fail; what has failed comes first."""
    rows = await queue.listed(await session.connection(), list(known), MOST)
    now = datetime.now(UTC)
    return Page(items=[_shape(row, known[row.name], now) for row in rows])


# A repeat finds it due already, or run.
@router.post("/{job}/run", status_code=202)
async def run(job: int, user: Keeper, session: Writing, known: Jobs) -> JobShape:
    """Have it done now, also if it has failed too often."""
    conn = await connection(session)
    before = await queue.find(conn, job)
    if before is None or before.name not in known:
        raise NotFound
    await queue.again(conn, job)
    after = await queue.find(conn, job)
    assert after is not None
    due = {name: None if row.due_at is None else written(row.due_at) for name, row in (("b", before), ("a", after))}
    change = Change(
        kind="job", id=before.name, change="updated", fields=["due"], before={"due": due["b"]}, after={"due": due["a"]}
    )
    await changes.record(conn, [change], user.person())
    return _shape(after, known[after.name], datetime.now(UTC))


def _shape(row: StatementRow, job: Job, now: datetime) -> JobShape:
    return JobShape(
        id=row.id,
        name=row.name,
        text=shapes.text_of(job.text),
        key=row.key,
        state=_state(row, now),
        last_at=row.ended_at,
        took_s=row.took_s,
        next_at=row.due_at,
        why=row.said,
        failures=row.failures,
        error=row.error,
    )


def _state(row: StatementRow, now: datetime) -> State:
    if row.held:
        return "running"
    if row.failed_at is not None:
        return "failed"
    if row.failures:
        return "failing"
    return "due" if row.due_at is not None and row.due_at <= now else "waiting"

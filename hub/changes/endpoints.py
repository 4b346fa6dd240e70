"""`GET /api/changes`: who changed what, from which value to which."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel

from contract.facts.hub import ChangedKind, RecordChanged
from hub.changes import service
from hub.database.rows import StatementRow
from hub.database.transactions import Reading
from web import shapes
from web.moments import written
from web.paging import Limit, Page, listed_words, sites_asked
from web.session.sessions import Able
from web.users import User
from web.witness import Witnessed

router = APIRouter(prefix="/api/changes", tags=["changes"])

Keeper = Annotated[User, Depends(Able("changes.read"))]
Id = Annotated[str | None, Query(max_length=64)]


class FieldShape(BaseModel):
    """One field: what it was and what it became; null: nothing, or not known any more."""

    field: str
    before: object
    after: object


class ChangeShape(BaseModel):
    """One edit. `id`: of the record; `event`: of the history. `erased`: the values were erased, the change stands."""

    event: int
    at: str
    site: str | None
    kind: ChangedKind
    id: str
    subject: str | None
    change: Literal["created", "updated", "removed"]
    by: shapes.Person
    fields: list[FieldShape]
    erased: bool


@router.get("")
async def changes(
    user: Keeper,
    session: Reading,
    *,
    request: Request,
    witness: Witnessed,
    site: str | None = None,
    kind: str | None = None,
    record: Id = None,
    subject: Id = None,
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    limit: Limit = 50,
) -> Page[ChangeShape]:
    """Edits, the newest first. `kind`: one or several, with commas; `record`: of one thing; `subject`: about a holder.

    `before`: the `next` of the page before. Accounts and jobs are shown to administrators only.
    """
    kinds = listed_words("kind", kind, get_args(ChangedKind)) or list(get_args(ChangedKind))
    if not user.may("changes.accounts"):
        kinds = [name for name in kinds if name not in ("account", "job")]
    wanted = service.WantedChanges(
        sites=sites_asked(user, site), kinds=kinds or ["none"], record=record, subject=subject, before=before
    )
    rows = await service.listed(await session.connection(), wanted, limit + 1)
    witness.read(request, user, "changes", site, records=len(rows[:limit]))
    last = rows[limit - 1].event if len(rows) > limit else None
    return Page(items=[_shape(row) for row in rows[:limit]], next=last)


def _shape(row: StatementRow) -> ChangeShape:
    event = msgspec.json.decode(row.data, type=RecordChanged)
    said = {"before": {}, "after": {}} if row.said is None else msgspec.json.decode(row.said)
    before, after = said["before"], said["after"]
    names = event.fields or sorted(before.keys() | after.keys())
    return ChangeShape(
        event=row.event,
        at=written(row.at),
        site=row.site,
        kind=row.kind,
        id=row.record,
        subject=row.subject,
        change=event.change,
        by=shapes.person_of(event.by),
        fields=[FieldShape(field=name, before=before.get(name), after=after.get(name)) for name in names],
        erased=row.said is None,
    )

"""`/api/holders`, `/api/credentials`, `/api/grants`, `/api/schedules`, `/api/blocks`: the same five routes for each.

No postponed annotations here: the routes of each noun are typed with its own classes.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import create_model
from sqlmodel.ext.asyncio.session import AsyncSession

from contract.facts.people import ReadWhat
from contract.rights import HIDDEN, number_seen
from contract.texts import Text
from hub.access import service
from hub.access.models import BlockRow, CredentialRow
from hub.access.nouns import CREDENTIAL, GRANT, HOLDER, NOUNS, Noun, Row
from hub.access.schemas import BlockShape, CredentialShape, HolderWhole, Id
from hub.access.sealing import sealed
from hub.database.pins import SealedPins
from hub.database.transactions import Reading, Writing
from web.asked import UNKNOWN
from web.editing import Edited, Shown
from web.errors import Invalid, NotFound
from web.once import OnceRoute
from web.paging import Limit, Page, SealedCursors, sites_asked
from web.session.sessions import Able
from web.users import User
from web.witness import Witnessed

Reader = Annotated[User, Depends(Able("people.read"))]
Keeper = Annotated[User, Depends(Able("people.write"))]
Search = Annotated[str, Query(max_length=100)]

_PERSONAL: dict[str, ReadWhat] = {"holders": "holders", "credentials": "credentials", "blocks": "blocks"}
"""Nouns that say something of a person: who reads them is recorded."""

_ORDERS = Text("只能按 name（拼音）或 room（房号）排序", "by name (pinyin) or room only")
_WHICH = Text("多个项目有此编号，请指定项目", "Several sites have this id: say which site")


def routes_of(noun: Noun) -> APIRouter:
    """The routes of one noun."""
    router = APIRouter(prefix=f"/api/{noun.path}", tags=["access"], route_class=OnceRoute)
    personal = _PERSONAL.get(noun.path)
    body_type: Any = noun.body
    shape: Any = noun.shape
    new_type: Any = create_model(
        f"New{noun.name.title()}", __base__=noun.body, site=(str, ...), id=(Id | None, None)
    )  # fmt: skip

    @router.get("", response_model=Page[shape], summary=f"{noun.path.title()}, searched and in pages")
    async def listed(
        user: Reader,
        session: Reading,
        cursors: SealedCursors,
        *,
        request: Request,
        witness: Witnessed,
        site: str | None = None,
        q: Search = "",
        kind: str | None = None,
        state: str | None = None,
        holder: str | None = None,
        sort: str = "",
        cursor: str = "",
        limit: Limit = 100,
    ) -> Any:
        asked = {"kind": kind, "state": state, "holder": holder}
        filters = {name: value for name, value in asked.items() if value is not None}
        if unknown := sorted(filters.keys() - noun.row.model_fields.keys()):
            raise Invalid(dict.fromkeys(unknown, UNKNOWN))
        if sort and sort not in noun.orders:
            raise Invalid({"sort": _ORDERS if noun.orders else UNKNOWN})
        after = cursors.key(cursor, str, str, str) if cursor else None
        rows = await service.listed(
            session,
            noun,
            sites_asked(user, site),
            filters,
            q=q.strip(),
            after=after,
            limit=limit + 1,
            sort=sort,
            whole=user.viewer().sees("numbers"),
        )
        shown = [_shown(noun, row, user) for row in rows[:limit]]
        if personal is not None:
            witness.read(request, user, personal, site, records=len(shown))
        last = cursors.after(*service.sort_key(noun, rows[limit - 1], sort)) if len(rows) > limit else None
        return Page(items=shown, next=last)

    @router.post("", response_model=shape, status_code=201, summary=f"Add a {noun.name}")
    async def create(body: new_type, user: Keeper, session: Writing, *, shown: Shown, pins: SealedPins) -> Any:
        if not user.may_see(body.site):
            raise NotFound
        site = await service.site_of(session, body.site)
        wanted = sealed(pins, site.id, noun.body.model_validate(body.model_dump(exclude={"site", "id"})))
        row = await service.create(session, noun, site, wanted, user.person(), wanted_id=body.id)
        shown.tell(row.version)
        return _shown(noun, row, user)

    if noun is HOLDER:

        @router.get("/{id}", response_model=HolderWhole, summary="A holder with credentials and grants")
        async def whole(
            id: str,
            *,
            request: Request,
            user: Reader,
            session: Reading,
            witness: Witnessed,
            shown: Shown,
            site: str | None = None,
        ) -> Any:
            row = await one_of(session, noun, id, user, site)
            shown.tell(row.version)
            witness.read(request, user, "holders", row.site, records=1, id=row.id)
            theirs = {
                kind.path: [_shown(kind, one, user) for one in await service.of_holder(session, kind, row.site, row.id)]
                for kind in (CREDENTIAL, GRANT)
            }
            return {**noun.shown(row).model_dump(), **theirs}
    else:

        @router.get("/{id}", response_model=shape, summary=f"One {noun.name}")
        async def one(
            id: str,
            *,
            request: Request,
            user: Reader,
            session: Reading,
            witness: Witnessed,
            shown: Shown,
            site: str | None = None,
        ) -> Any:
            row = await one_of(session, noun, id, user, site)
            shown.tell(row.version)
            if personal is not None:
                witness.read(request, user, personal, row.site, records=1, id=row.id)
            return _shown(noun, row, user)

    @router.put("/{id}", response_model=shape, summary=f"Change a {noun.name}")
    async def change(
        id: str,
        *,
        body: body_type,
        user: Keeper,
        session: Writing,
        pins: SealedPins,
        edited: Edited,
        site: str | None = None,
    ) -> Any:
        row = await one_of(session, noun, id, user, site)
        edited.expect(row.version, _shown(noun, row, user))
        wanted = sealed(pins, row.site, body, row if isinstance(row, CredentialRow | BlockRow) else None)
        changed = await service.change(session, noun, row, wanted, user.person())
        edited.tell(changed.version)
        return _shown(noun, changed, user)

    @router.delete("/{id}", status_code=204, summary=f"Remove a {noun.name}")
    async def remove(id: str, user: Keeper, session: Writing, edited: Edited, site: str | None = None) -> None:
        row = await one_of(session, noun, id, user, site)
        edited.expect(row.version, _shown(noun, row, user))
        await service.remove(session, noun, row, user.person())

    return router


async def one_of(session: AsyncSession, noun: Noun, row_id: str, user: User, site: str | None) -> Row:
    """The row of that id that the user may see; `NotFound`, or `Invalid` if several sites have one."""
    rows = await service.find(session, noun, row_id, sites_asked(user, site))
    if not rows:
        raise NotFound
    if len(rows) > 1:
        raise Invalid({"site": _WHICH})
    return rows[0]


def _shown(noun: Noun, row: Row, user: User) -> Any:
    shown = noun.shown(row)
    if not isinstance(shown, CredentialShape | BlockShape):
        return shown
    # A PIN nobody reads in passing; the rest as on every screen.
    seen = HIDDEN if shown.kind == "pin" else number_seen(user.viewer(), shown.kind, shown.value)
    return shown if seen == shown.value else shown.model_copy(update={"value": seen})


routers = [routes_of(noun) for noun in NOUNS]

"""`/api/about`, `/api/start`, `/api/company`, `/api/sites`, `/api/overview`, `/api/site`, `doors`, `lanes`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from starlette.requests import Request

from contract import SOFTWARE
from contract.texts import Text
from hub.database.transactions import Reading, Writing, connection, database
from hub.shapes import TextShape
from hub.sites import posts, service
from hub.sites.models import CompanyRow, PostRow, SiteRow
from hub.sites.numbers import NUMBERS
from hub.sites.overview import counts
from hub.sites.schemas import Company, Overview, OverviewNumber, PostBody
from hub.sites.states import doors_and_lanes
from web import shapes
from web.doing import seen
from web.editing import Edited, Shown
from web.errors import Invalid, NotFound
from web.once import OnceRoute
from web.paging import Page, sites_asked
from web.session.sessions import Able, SignedInUser
from web.start import LAYOUTS, Start, asking, start
from web.users import User

router = APIRouter(prefix="/api", tags=["sites"], route_class=OnceRoute)

Manager = Annotated[User, Depends(Able("posts.write"))]
PostId = Annotated[str, Path(pattern=r"^[a-z0-9_-]{1,64}$")]

_WHICH = Text("请指定项目", "Say which site")


@router.get("/about")
async def about() -> shapes.About:
    """Which server this is. Open to everybody: the console shows it before anybody has signed in."""
    return {
        "server": "hub",
        "site": None,
        "version": SOFTWARE,
        "hub_connected": None,
        "working_alone_since": None,
        "backlog": None,
    }


@router.get("/start")
async def begins(request: Request, site: str | None = None) -> Start:
    """What the console begins with. Open to everybody. `site`: the one that is looked at, where there are many."""
    asked = await asking(request)
    if asked is None:
        return start(await about())
    async with database(request).session() as session:
        rows = await service.listed(session, sites_asked(asked[0], None))
        items = await _listed(session, rows)
    described = rows if len(rows) <= LAYOUTS else [row for row in rows if row.id == site]
    return start(await about(), asked, items, [service.layout_of(row) for row in described])


@router.get("/company")
async def company(user: SignedInUser, session: Reading, shown: Shown) -> Company:
    """The company whose hub this is."""
    row = await session.get(CompanyRow, service.COMPANY) or service.unnamed()
    shown.tell(row.version)
    return _company(row)


@router.put("/company")
async def name_company(
    body: TextShape, session: Writing, user: Annotated[User, Depends(Able("company.write"))], edited: Edited
) -> Company:
    """Name the company: for administrators of all of it."""
    row = await session.get(CompanyRow, service.COMPANY) or service.unnamed()
    edited.expect(row.version, _company(row))
    await service.name_company(session, row, body.text(), user.person())
    edited.tell(row.version)
    return _company(row)


@router.get("/sites")
async def sites(user: SignedInUser, session: Reading) -> Page[shapes.Site]:
    """The user's sites with their posts."""
    rows = await service.listed(session, sites_asked(user, None))
    return Page[shapes.Site](items=await _listed(session, rows))


@router.get("/overview")
async def overview(user: SignedInUser, session: Reading, site: str | None = None) -> Page[Overview]:
    """What asks for attention at each of the user's sites, counted by the server."""
    found = await counts(await connection(session), sites_asked(user, site), datetime.now(UTC))
    return Page[Overview](items=found)


@router.get("/overview/numbers")
async def overview_numbers(user: SignedInUser) -> Page[OverviewNumber]:
    """What the numbers of the overview are called, what each counts, and where the rows are that it counted."""
    return Page[OverviewNumber](items=NUMBERS)


@router.put("/sites/{site}/posts/{post}")
async def put_post(
    site: str, post: PostId, body: PostBody, *, user: Manager, session: Writing, edited: Edited
) -> shapes.Post:
    """Set up a post, or change it. Without `If-Match` it is set up, and refused if there is one."""
    where = await _site(session, user, site)
    row = await posts.find(session, site, post)
    if row is None:
        edited.expect_none()
    else:
        edited.expect(row.version, _post(row))
    row = await posts.put(session, where, row or posts.new(site, post), body, user.person())
    edited.tell(row.version)
    return _post(row)


@router.delete("/sites/{site}/posts/{post}", status_code=204)
async def remove_post(site: str, post: PostId, user: Manager, session: Writing, edited: Edited) -> None:
    """Remove a post."""
    await _site(session, user, site)
    row = await posts.find(session, site, post)
    if row is None:
        raise NotFound
    edited.expect(row.version, _post(row))
    await posts.remove(session, row, user.person())


@router.get("/site")
async def site_layout(user: SignedInUser, session: Reading, site: str | None = None) -> shapes.Layout:
    """What a site consists of. Without `site`, the user's only one."""
    rows = await service.listed(session, sites_asked(user, site))
    if site is not None and not rows:
        raise NotFound
    if len(rows) != 1:
        raise Invalid({"site": _WHICH})
    return service.layout_of(rows[0])


@router.get("/doors")
async def doors(user: SignedInUser, session: Reading, site: str | None = None) -> Page[shapes.Door]:
    """How the doors stand."""
    found, _ = await _places(session, user, site)
    viewer = user.viewer()
    return Page[shapes.Door](items=[seen(viewer, "door", door) for door in found])


@router.get("/lanes")
async def lanes(user: SignedInUser, session: Reading, site: str | None = None) -> Page[shapes.Lane]:
    """How the lanes stand."""
    _, found = await _places(session, user, site)
    viewer = user.viewer()
    return Page[shapes.Lane](items=[seen(viewer, "lane", lane) for lane in found])


async def _listed(session: Reading, rows: Sequence[SiteRow]) -> list[shapes.Site]:
    by_site = await posts.of_sites(session, [row.id for row in rows])
    return [
        {
            "id": row.id,
            "name": row.name,
            "timezone": row.timezone,
            "described": row.layout is not None,
            "posts": [_post(post) for post in by_site.get(row.id, [])],
        }
        for row in rows
    ]


async def _places(session: Reading, user: User, site: str | None) -> tuple[list[shapes.Door], list[shapes.Lane]]:
    rows = await service.listed(session, sites_asked(user, site))
    return await doors_and_lanes(await connection(session), [service.view_of(row) for row in rows])


async def _site(session: Reading, user: User, site: str) -> SiteRow:
    row = await session.get(SiteRow, site) if user.may_see(site) else None
    if row is None:
        raise NotFound
    return row


def _company(row: CompanyRow) -> Company:
    return {"id": row.id, "name": row.name, "version": row.version}


def _post(row: PostRow) -> shapes.Post:
    return {"id": row.id, "site": row.site, "name": row.name, "places": row.places, "version": row.version}

"""The site as it stands: `/api/about`, `start`, `site`, `sites`, `doors`, `lanes`, `gateways`, `wires`, …"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from typing_extensions import TypedDict

from contract.instants import instant
from gateway.web.metrics import WireCounts
from gateway.web.served import Gateway, Served, served
from web import shapes
from web.doing import seen
from web.paging import Limit, Page
from web.session.sessions import Sees, Sessions, SignedInUser
from web.start import Start, asking, start
from web.users import User
from web.witness import Witnessed

router = APIRouter(prefix="/api", tags=["site"])

KnowsNames = Annotated[User, Depends(Sees("passing"))]
"""Who may read holders' names: those whose work is at the doors."""


class WireStanding(TypedDict):
    id: str
    site: str
    kind: str
    connected: bool
    devices: list[str]
    silent: list[str]
    crashes: int


class Wire(WireStanding, WireCounts, TypedDict):
    """One wire of the site, with what was counted on it since the start. `silent`: devices that do not answer."""


class JournalStanding(TypedDict):
    """Where the journal stands. `stalled`: why the disk does not record."""

    stream: str
    first: int
    last: int
    acked: int
    durable: int
    waiting: int
    stalled: str | None


class HolderName(TypedDict):
    """A holder as far as the hub sends them down."""

    id: str
    site: str
    name: str
    kind: str
    unit: str


@router.get("/about")
async def about(request: Request, gateway: Annotated[Served, Depends(served)]) -> shapes.About:
    """Which server this is, and whether it works alone; open to everybody. The backlog only for who is signed in."""
    sessions: Sessions = request.app.state.sessions
    known = await sessions.still_valid(request) is not None
    alone = gateway.link.alone_since_ms
    return {
        "server": "gateway",
        "site": gateway.site,
        "name": shapes.text_of(gateway.engine.layout.name),
        "version": gateway.software,
        "hub_connected": gateway.link.connected,
        "working_alone_since": None if alone is None else instant(alone),
        "backlog": gateway.backlog if known else None,
    }


@router.get("/start")
async def begins(request: Request, gateway: Annotated[Served, Depends(served)], site: str | None = None) -> Start:
    """What the console begins with. Open to everybody. `site`: there is but one here, whichever is looked at."""
    asked = await asking(request)
    if asked is None:
        return start(await about(request, gateway))
    return start(await about(request, gateway), asked, [_site(gateway)], [gateway.engine.layout])


@router.get("/site")
async def layout(gateway: Gateway) -> shapes.Layout:
    """What the site consists of."""
    return gateway.engine.layout


@router.get("/sites")
async def sites(gateway: Gateway) -> Page[shapes.Site]:
    """The one site of this gateway. Its posts are the hub's to keep."""
    return Page[shapes.Site].of([_site(gateway)])


@router.get("/doors")
async def doors(gateway: Gateway, user: SignedInUser) -> Page[shapes.Door]:
    """How the doors stand."""
    known, viewer = gateway.engine.doors, user.viewer()
    return Page[shapes.Door].of([seen(viewer, "door", known.item(id)) for id in known.ids()])


@router.get("/lanes")
async def lanes(gateway: Gateway, user: SignedInUser) -> Page[shapes.Lane]:
    """How the lanes stand."""
    known, viewer = gateway.engine.lanes, user.viewer()
    return Page[shapes.Lane].of([seen(viewer, "lane", known.item(id)) for id in known.ids()])


@router.get("/gateways")
async def gateways(gateway: Gateway) -> Page[shapes.Gateway]:
    """This gateway."""
    return Page[shapes.Gateway].of([gateway.gateway_item()])


@router.get("/wires")
async def wires(gateway: Gateway) -> Page[Wire]:
    """How each wire does since the start, for whoever looks for a bad cable: nothing is missed in silence."""
    buses = gateway.engine.buses
    installed = gateway.engine.site.buses
    items: list[Wire] = [
        {
            "id": id,
            "site": gateway.site,
            "kind": installed[id].kind,
            "connected": bus.health.connected,
            "devices": [device for device, wire in buses.bus_of.items() if wire == id],
            "silent": [device for device, wire in buses.bus_of.items() if wire == id and not bus.online(device)],
            "crashes": buses.crashes[id],
            "exchanges": bus.health.exchanges,
            "timeouts": bus.health.timeouts,
            "refused": bus.health.refused,
            "reconnects": bus.health.reconnects,
            "late": bus.health.late,
            "overruns": bus.health.overruns,
            "missed": bus.health.missed,
        }
        for id, bus in buses.buses.items()
    ]
    return Page[Wire].of(items)


@router.get("/journal")
async def journal(gateway: Gateway) -> JournalStanding:
    """Where the journal stands: its stream, the first sequence held, the last one, and what the hub acknowledged."""
    known = gateway.journal
    return {
        "stream": known.stream,
        "first": known.first,
        "last": known.last,
        "acked": known.acked,
        "durable": known.durable,
        "waiting": known.waiting,
        "stalled": known.stalled,
    }


@router.get("/holders")
async def holders(
    *,
    gateway: Gateway,
    user: KnowsNames,
    request: Request,
    witness: Witnessed,
    ids: Annotated[str, Query(max_length=10_000)] = "",
    q: Annotated[str, Query(max_length=100)] = "",
    limit: Limit = 100,
) -> Page[HolderName]:
    """Names of holders that the hub sent down: those of `ids` (with commas), or whose name or unit contains `q`."""
    known = gateway.people.holders
    if ids:
        found = [known[id] for id in ids.split(",") if id in known]
    else:
        found = [each for each in known.values() if q in each.name or q in each.unit]
    items: list[HolderName] = [
        {"id": each.id, "site": gateway.site, "name": each.name, "kind": each.kind, "unit": each.unit}
        for each in found[:limit]
    ]
    witness.read(request, user, "holders", gateway.site, records=len(items))
    return Page[HolderName].of(items)


def _site(gateway: Served) -> shapes.Site:
    known = gateway.engine.layout
    return {
        "id": known.site,
        "name": shapes.text_of(known.name),
        "timezone": known.timezone,
        "described": True,
        "posts": [],
    }

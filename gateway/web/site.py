"""The site as it stands: `/api/about`, `site`, `sites`, `doors`, `lanes`, `gateways`, `wires`, `journal`, `holders`."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query
from starlette.requests import Request

from contract.instants import instant
from contract.rights import thing_seen
from gateway.web.metrics import BUS_COUNTERS
from gateway.web.served import Gateway, Served, served
from web.paging import Limit
from web.session.sessions import Sees, Sessions, SignedInUser
from web.users import User
from web.witness import Witnessed

router = APIRouter(prefix="/api", tags=["site"])

KnowsNames = Annotated[User, Depends(Sees("passing"))]
"""Who may read holders' names: those whose work is at the doors."""


@router.get("/about")
async def about(request: Request, gateway: Annotated[Served, Depends(served)]) -> dict[str, Any]:
    """Which server this is, and whether it works alone; open to everybody. The backlog only for who is signed in."""
    sessions: Sessions = request.app.state.sessions
    known = await sessions.still_valid(request) is not None
    alone = gateway.link.alone_since_ms
    return {
        "server": "gateway",
        "site": gateway.site,
        "version": gateway.software,
        "hub_connected": gateway.link.connected,
        "working_alone_since": None if alone is None else instant(alone),
        "backlog": gateway.backlog if known else None,
    }


@router.get("/site")
async def layout(gateway: Gateway) -> dict[str, Any]:
    """What the site consists of."""
    found: dict[str, Any] = msgspec.to_builtins(gateway.engine.layout)
    return found


@router.get("/sites")
async def sites(gateway: Gateway) -> dict[str, Any]:
    """The one site of this gateway. Its posts are the hub's to keep."""
    known = gateway.engine.layout
    name = {"zh": known.name.zh, "en": known.name.en}
    item = {"id": known.site, "name": name, "timezone": known.timezone, "described": True, "posts": []}
    return {"items": [item], "next": None}


@router.get("/doors")
async def doors(gateway: Gateway) -> dict[str, Any]:
    """How the doors stand."""
    known = gateway.engine.doors
    return {"items": [known.item(id) for id in known.ids()], "next": None}


@router.get("/lanes")
async def lanes(gateway: Gateway, user: SignedInUser) -> dict[str, Any]:
    """How the lanes stand."""
    known, viewer = gateway.engine.lanes, user.viewer()
    return {"items": [thing_seen(viewer, "lane", known.item(id)) for id in known.ids()], "next": None}


@router.get("/gateways")
async def gateways(gateway: Gateway) -> dict[str, Any]:
    """This gateway."""
    return {"items": [gateway.gateway_item()], "next": None}


@router.get("/wires")
async def wires(gateway: Gateway) -> dict[str, Any]:
    """How each wire does since the start, for whoever looks for a bad cable: nothing is missed in silence."""
    buses = gateway.engine.buses
    installed = gateway.engine.site.buses
    items = [
        {
            "id": id,
            "site": gateway.site,
            "kind": installed[id].kind,
            "connected": bus.health.connected,
            "devices": [device for device, wire in buses.bus_of.items() if wire == id],
            "silent": [device for device, wire in buses.bus_of.items() if wire == id and not bus.online(device)],
            "crashes": buses.crashes[id],
            **{name: getattr(bus.health, name) for name in BUS_COUNTERS},
        }
        for id, bus in buses.buses.items()
    ]
    return {"items": items, "next": None}


@router.get("/journal")
async def journal(gateway: Gateway) -> dict[str, Any]:
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
) -> dict[str, Any]:
    """Names of holders that the hub sent down: those of `ids` (with commas), or whose name or unit contains `q`."""
    known = gateway.people.holders
    if ids:
        found = [known[id] for id in ids.split(",") if id in known]
    else:
        found = [each for each in known.values() if q in each.name or q in each.unit]
    items = [
        {"id": each.id, "site": gateway.site, "name": each.name, "kind": each.kind, "unit": each.unit}
        for each in found[:limit]
    ]
    witness.read(request, user, "holders", gateway.site, records=len(items))
    return {"items": items, "next": None}

"""`/push/{device}`: what cameras push. Always a well-formed answer; "ok" only where the camera is the lane's actuator.

Cameras do not sign in: they come from the addresses that the site file allows, and nowhere else.
"""

from __future__ import annotations

import ipaddress
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from contract.texts import Text
from drivers.camera.zhenshi import BODY_LIMIT, answer
from drivers.errors import FrameError
from drivers.push import PushBus
from drivers.reports import InputRefused, PlateRead
from gateway.web.served import Served, served
from web.errors import Forbidden, NotFound
from web.session import address_of

router = APIRouter(tags=["push"])

PUSH_LIMIT = BODY_LIMIT + 1
"""Bytes that are kept of a push; one more than is taken, so that too much is recognised."""

READ_LIMIT = 8 * BODY_LIMIT
"""Bytes that are read of a push: what a camera sends too much of is dropped, but answered, or it would come again."""

STRANGERS = "push"
"""Name under which pushes of unknown devices and from unknown places are counted."""

_NOT_ALLOWED = Text("不接受来自此地址的推送", "Pushes from this address are not taken")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def allowed_networks(allow: list[str]) -> tuple[Network, ...]:
    """The networks that a bus takes pushes from; none named: this machine only."""
    return tuple(ipaddress.ip_network(each, strict=False) for each in allow or ["127.0.0.0/8", "::1/128"])


def comes_from(address: str, networks: tuple[Network, ...]) -> bool:
    """Whether an address lies in one of the networks."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return any((mapped or found) in network for network in networks)


@router.post("/push/{device}", include_in_schema=False)
@router.post("/push/{device}/{rest:path}", include_in_schema=False)
async def push(device: str, request: Request, gateway: Annotated[Served, Depends(served)], rest: str = "") -> Response:
    """One push of a camera."""
    bus, networks = _bus_of(gateway, device)
    if bus is None:
        gateway.engine.report(InputRefused(STRANGERS, "a push of a device that this site does not have"))
        raise NotFound
    if not comes_from(address_of(request), networks):
        gateway.engine.report(InputRefused(STRANGERS, f"a push for {device} from {address_of(request)}"))
        raise Forbidden(_NOT_ALLOWED)
    body = await _beginning(request)
    try:
        said = bus.receive(device, body, request.headers.get("content-type", ""))
    except FrameError:  # told and counted there; the camera must not send it again
        return _answer(False)
    lift = await gateway.engine.plate_read(said) if isinstance(said, PlateRead) else False
    return _answer(lift)


async def _beginning(request: Request) -> bytes:
    kept = bytearray()
    async for part in request.stream():
        kept += part[: PUSH_LIMIT - len(kept)]
    return bytes(kept)


def _bus_of(gateway: Served, device: str) -> tuple[PushBus | None, tuple[Network, ...]]:
    site = gateway.engine.site
    installed = site.devices.get(device)
    if installed is None:
        return None, ()
    bus = gateway.engine.buses.buses.get(installed.bus)
    part: Any = site.buses[installed.bus]
    if not isinstance(bus, PushBus) or part.kind != "http-push":
        return None, ()
    return bus, allowed_networks(part.allow)


def _answer(lift: bool) -> JSONResponse:
    return JSONResponse(answer(lift))

"""`/push/{device}`: what cameras push. Always a well-formed answer; it lifts only where the camera is the actuator.

A read is on the disk before it is answered: a camera that was answered never sends it again. Only a lift does not wait
for a disk that hangs; any other read is then answered with 503, so that the camera keeps it. Cameras do not sign in:
they come from the addresses that the site file allows, and nowhere else.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections import Counter
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from contract.texts import Text
from drivers.camera.dialects import Said
from drivers.camera.plates import BODY_LIMIT
from drivers.camera.wishes import Wish, handed
from drivers.errors import FrameError
from drivers.push import PushBus
from drivers.reports import InputRefused
from gateway.web.served import Served, served
from web.errors import Forbidden, NotFound
from web.session import address_of

router = APIRouter(tags=["push"])

PUSH_LIMIT = BODY_LIMIT + 1
"""Bytes that are kept of a push; one more than is taken, so that too much is recognised."""

READ_LIMIT = 8 * BODY_LIMIT
"""Bytes that are read of a push: what a camera sends too much of is dropped, but answered, or it would come again."""

DISK_S = 2.0
"""How long the disk may hold up the answer to a read."""

LIFT_S = 0.1
"""How long it may hold up an answer that lifts: recording must not lock people in."""

BODY_S = 30.0
"""How long a camera may take for a push: whoever drips holds nothing up."""

AT_ONCE = 4
"""Pushes of one camera that are read at the same time, each up to `PUSH_LIMIT` bytes."""

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
    reading: Counter[str] = request.app.state.pushes
    if reading[device] >= AT_ONCE:
        gateway.engine.report(InputRefused(device, "more pushes at once than a camera has"))
        return Response(status_code=503)
    reading[device] += 1
    try:
        async with asyncio.timeout(BODY_S):
            body = await _beginning(request)
    except TimeoutError:
        gateway.engine.report(InputRefused(device, f"a push that did not end within {BODY_S:g} s"))
        return Response(status_code=408, headers={"Connection": "close"})
    except ClientDisconnect:
        return Response(status_code=400)  # nobody hears it
    finally:
        reading[device] -= 1
    try:
        pushed = bus.receive(device, body, request.headers.get("content-type", ""), address_of(request))
    except FrameError:  # told and counted there; the camera must not send it again
        return _answer(bus, device, Said())
    verdicts = [await gateway.engine.plate_read(read) for read in pushed.reads]
    lift = any(verdict.lift for verdict in verdicts)
    taken = await gateway.engine.on_disk(verdicts, within_s=LIFT_S if lift else DISK_S) if verdicts else True
    wish = await bus.order(device, pushed, request.is_disconnected)
    show = next((verdict.show for verdict in verdicts if verdict.show is not None), None)
    said = Said(pushed, lift, None if wish is None else wish.order, show, taken)
    return _answer(bus, device, said, wish)


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


def _answer(bus: PushBus, device: str, said: Said, wish: Wish | None = None) -> Response:
    body, kind = bus.answer(device, said)

    async def sent() -> None:
        bus.answered(device, said.pushed)
        if wish is not None:
            handed(wish)

    # What acts has been asked to; a camera that hears 503 would ask for it again.
    lost = not said.taken and not said.lift and wish is None
    return Response(body, 503 if lost else 200, media_type=kind, background=BackgroundTask(sent))

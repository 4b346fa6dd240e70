"""`/push/{device}`: what cameras push. Always a well-formed answer; it lifts only where the camera is the actuator.

A read is on the disk before it is answered: a camera that was answered never sends it again. Only a lift does not wait
for a disk that hangs; any other read is then answered with 503, so that the camera keeps it. Cameras do not sign in:
they come from the addresses that the site file allows, and nowhere else.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from contract.texts import Text
from drivers.camera.dialects import Said
from drivers.camera.fetched import FetchedCommand, handed
from drivers.camera.plates import BODY_LIMIT
from drivers.camera.push.bus import PushBus
from drivers.errors import FrameError
from drivers.reports import InputRefused
from gateway.web.served import Served, served
from web.addresses import THIS_MACHINE, Network, lies_in, networks, subscriber
from web.errors import Forbidden, NotFound
from web.server.bodies import Bodies
from web.session.sessions import address_of

router = APIRouter(tags=["push"])

PUSH_LIMIT = BODY_LIMIT + 1
"""Bytes that are kept of a push; one more than is taken, so that too much is recognised."""

READ_LIMIT = 8 * BODY_LIMIT
"""Bytes that are read of a push: what a camera sends too much of is dropped, but answered, or it would come again. Who
sends still more is no camera."""

DISK_S = 2.0
"""How long the disk may hold up the answer to a read."""

LIFT_S = 0.1
"""How long it may hold up an answer that lifts: recording must not lock people in."""

BODY_S = 30.0
"""How long a camera may take for a push: whoever drips holds nothing up."""

AT_ONCE = 4
"""Pushes of one camera and one sender that are read at the same time, each up to `PUSH_LIMIT` bytes: who drips from
another address in `allow` keeps out nobody but himself."""

STRANGERS = "push"
"""Name under which pushes of unknown devices and from unknown places are counted."""

_NOT_ALLOWED = Text("不接受来自此地址的推送", "Pushes from this address are not taken")


def allowed_networks(allow: list[str]) -> tuple[Network, ...]:
    """The networks that a bus takes pushes from; none named: this machine only."""
    return networks(",".join(allow)) or THIS_MACHINE


@router.post("/push/{device}", include_in_schema=False)
@router.post("/push/{device}/{rest:path}", include_in_schema=False)
async def push(device: str, request: Request, gateway: Annotated[Served, Depends(served)], rest: str = "") -> Response:
    """One push of a camera."""
    bus, allowed = _bus_of(gateway, device)
    address = address_of(request)
    if bus is None:
        gateway.engine.report(InputRefused(STRANGERS, "a push of a device that this site does not have"))
        raise NotFound
    if not lies_in(address, allowed):
        gateway.engine.report(InputRefused(STRANGERS, f"a push for {device} from {address}"))
        raise Forbidden(_NOT_ALLOWED)
    reading: Counter[tuple[str, str]] = request.app.state.pushes
    sender = device, subscriber(address)
    if reading[sender] >= AT_ONCE:
        gateway.engine.report(InputRefused(device, "more pushes at once than a camera has"))
        return Response(status_code=503)
    bodies: Bodies = request.app.state.bodies
    kept = bytearray()
    reading[sender] += 1
    try:
        async with asyncio.timeout(BODY_S):
            await _read(request, kept, lambda size: bodies.take(address, size))
        pushed = bus.receive(device, bytes(kept), request.headers.get("content-type", ""), address)
    except TimeoutError:
        gateway.engine.report(InputRefused(device, f"a push that did not end within {BODY_S:g} s"))
        return Response(status_code=408, headers={"Connection": "close"})
    except _NotRead as refused:
        gateway.engine.report(InputRefused(device, refused.why))
        return Response(status_code=refused.status, headers={"Connection": "close"})
    except ClientDisconnect:
        return Response(status_code=400)  # nobody hears it
    except FrameError:  # told and counted there; the camera must not send it again
        return _answer(bus, device, Said())
    finally:
        reading[sender] -= 1
        if not reading[sender]:
            del reading[sender]
        bodies.give_back(address, len(kept))
    verdicts = [await gateway.engine.plate_read(read) for read in pushed.reads]
    lift = any(verdict.lift for verdict in verdicts)
    taken = await gateway.engine.on_disk(verdicts, within_s=LIFT_S if lift else DISK_S) if verdicts else True
    fetched = await bus.fetch(device, pushed, request.is_disconnected)
    show = next((verdict.show for verdict in verdicts if verdict.show is not None), None)
    said = Said(pushed, lift, None if fetched is None else fetched.command, show, taken)
    return _answer(bus, device, said, fetched)


class _NotRead(Exception):
    """A push that is not read to its end."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


async def _read(request: Request, kept: bytearray, room: Callable[[int], bool]) -> None:
    """Puts the beginning of a body into `kept`, as far as there is `room`; `_NotRead` where there is none."""
    read = 0
    async for part in request.stream():
        read += len(part)
        if read > READ_LIMIT:
            raise _NotRead(413, f"a push of more than {READ_LIMIT} bytes")
        beginning = part[: PUSH_LIMIT - len(kept)]
        if not room(len(beginning)):
            raise _NotRead(503, "more bytes in pushes at once than there is room for")
        kept += beginning


def elsewhere(port: int) -> APIRouter:
    """For the console's port: says that pushes go to another one, to the camera and in the record."""
    router = APIRouter(tags=["push"])

    @router.post("/push/{device}", include_in_schema=False)
    @router.post("/push/{device}/{rest:path}", include_in_schema=False)
    async def moved(
        device: str, request: Request, gateway: Annotated[Served, Depends(served)], rest: str = ""
    ) -> Response:
        bus, allowed = _bus_of(gateway, device)
        known = bus is not None and lies_in(address_of(request), allowed)
        why = f"a push at the console's port: cameras push to port {port} (or start with --pushes-at-console)"
        gateway.engine.report(InputRefused(device if known else STRANGERS, why))
        raise NotFound(Text(f"相机请推送到 {port} 端口", f"Cameras push to port {port}"))

    return router


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


def _answer(bus: PushBus, device: str, said: Said, fetched: FetchedCommand | None = None) -> Response:
    body, kind = bus.answer(device, said)

    async def sent() -> None:
        bus.answered(device, said.pushed)
        if fetched is not None:
            handed(fetched)

    # What acts has been asked to; a camera that hears 503 would ask for it again.
    lost = not said.taken and not said.lift and fetched is None
    return Response(body, 503 if lost else 200, media_type=kind, background=BackgroundTask(sent))

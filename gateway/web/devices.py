"""`GET /api/devices`: which devices answer now."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter

from contract.facts.machines import DeviceLost
from contract.instants import Instant
from gateway.web.served import Gateway, Served
from web.devices import DeviceStanding
from web.paging import Page

router = APIRouter(prefix="/api", tags=["telemetry"])


@router.get("/devices")
async def devices(gateway: Gateway) -> Page[DeviceStanding]:
    """Every device of the site: whether it answers; of those that do not, since when, and why."""
    items: list[DeviceStanding] = []
    for device in gateway.engine.site.devices:
        online = gateway.engine.devices.online(device)
        since, why = await _lost(gateway, device) if online is False else (None, None)
        items.append({"id": device, "site": gateway.site, "online": online, "since": since, "why": why})
    return Page[DeviceStanding].of(items)


async def _lost(gateway: Served, device: str) -> tuple[Instant | None, str | None]:
    """When it was said to be lost, and why; nothing where the history cannot be read just now."""
    try:
        said = await gateway.journal.events(limit=1, kind="device.lost", source=device)
    except OSError:
        return None, None
    return (said[0].at, msgspec.json.decode(said[0].data, type=DeviceLost).why) if said else (None, None)

"""`GET /api/devices`: which devices answer now."""

from __future__ import annotations

from fastapi import APIRouter

from contract.instants import instant
from gateway.web.served import Gateway
from web.devices import DeviceStanding
from web.paging import Page

router = APIRouter(prefix="/api", tags=["telemetry"])


@router.get("/devices")
async def devices(gateway: Gateway) -> Page[DeviceStanding]:
    """Every device of the site: whether it answers; of those that do not, since when, and why."""
    standing, items = gateway.engine.devices, list[DeviceStanding]()
    for device in gateway.engine.site.devices:
        loss = standing.loss(device)
        since, why = (None, None) if loss is None else (instant(loss.since_ms), loss.why)
        items.append(
            {"id": device, "site": gateway.site, "online": standing.online(device), "since": since, "why": why}
        )
    return Page[DeviceStanding].of(items)

"""What each domain brings to the whole, listed by hand: routers, projections, and who follows the newest readings."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter

from hub.access import showing
from hub.access.endpoints import routers as access_routers
from hub.accounts.endpoints import router as accounts_router
from hub.accounts.locks import PROJECTIONS as ACCOUNTS
from hub.accounts.self_endpoints import router as self_router
from hub.alarms.endpoints import router as alarms_router
from hub.alarms.projections import PROJECTIONS as ALARMS
from hub.changes.endpoints import router as changes_router
from hub.commands.endpoints import router as commands_router
from hub.commands.projections import PROJECTIONS as COMMANDS
from hub.database.event import Projection
from hub.events.endpoints import router as events_router
from hub.gateways.endpoints import router as gateways_router
from hub.ingest.projecting import Registry
from hub.meters.endpoints import router as meters_router
from hub.meters.projections import PROJECTIONS as METERS
from hub.pictures.endpoints import router as pictures_router
from hub.retention.endpoints import router as retention_router
from hub.sites.endpoints import router as sites_router
from hub.sites.projections import PROJECTIONS as SITES
from hub.sites.states import on_readings
from hub.telemetry.endpoints import router as telemetry_router
from hub.telemetry.ingest import Latest
from hub.telemetry.projections import PROJECTIONS as TELEMETRY
from hub.tickets.endpoints import router as tickets_router
from hub.tickets.projections import PROJECTIONS as TICKETS

ROUTERS: tuple[APIRouter, ...] = (
    events_router,
    changes_router,
    retention_router,
    sites_router,
    gateways_router,
    alarms_router,
    tickets_router,
    commands_router,
    telemetry_router,
    meters_router,
    pictures_router,
    accounts_router,
    self_router,
    *access_routers,
    showing.router,
)

# In the order in which they are asked: a site exists before what is in it.
_DOMAINS: tuple[Mapping[str, Projection], ...] = (SITES, TELEMETRY, METERS, ALARMS, TICKETS, COMMANDS, ACCOUNTS)


LATEST: tuple[Latest, ...] = (on_readings,)
"""Who follows the newest readings, in the transaction that stores them."""


def projections() -> Registry:
    """Event kind → every domain's projection of it."""
    found: dict[str, list[Projection]] = {}
    for domain in _DOMAINS:
        for kind, projection in domain.items():
            found.setdefault(kind, []).append(projection)
    return found

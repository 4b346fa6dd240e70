"""The domains of the hub, and what all of them together bring."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter
from sqlalchemy import MetaData

from hub.access.domain import DOMAIN as ACCESS
from hub.accounts.domain import DOMAIN as ACCOUNTS
from hub.alarms.domain import DOMAIN as ALARMS
from hub.asking.domain import DOMAIN as ASKING
from hub.changes.domain import DOMAIN as CHANGES
from hub.commands.domain import DOMAIN as COMMANDS
from hub.database.answer_row import AnswerRow
from hub.database.event import Projection
from hub.database.transactions import Table
from hub.desired.domain import DOMAIN as DESIRED
from hub.domain import Domain, Standing, StatesOf
from hub.entries.domain import DOMAIN as ENTRIES
from hub.events.domain import DOMAIN as EVENTS
from hub.gateways.domain import DOMAIN as GATEWAYS
from hub.ingest.domain import DOMAIN as INGEST
from hub.ingest.projecting import Registry
from hub.jobs.domain import DOMAIN as LATER
from hub.jobs.job import Job
from hub.meters.domain import DOMAIN as METERS
from hub.pictures.domain import DOMAIN as PICTURES
from hub.retention.domain import DOMAIN as RETENTION
from hub.search.domain import DOMAIN as SEARCH
from hub.sites.domain import DOMAIN as SITES
from hub.telemetry.domain import DOMAIN as TELEMETRY
from hub.telemetry.ingest import Latest
from hub.tickets.domain import DOMAIN as TICKETS

DOMAINS: tuple[Domain, ...] = (
    EVENTS,
    CHANGES,
    RETENTION,
    SITES,
    GATEWAYS,
    TELEMETRY,
    METERS,
    ALARMS,
    TICKETS,
    COMMANDS,
    ASKING,
    ENTRIES,
    PICTURES,
    ACCOUNTS,
    ACCESS,
    SEARCH,
    DESIRED,
    INGEST,
    LATER,
)
"""In the order in which they are asked what an event means: a site exists before what is in it."""

ROUTERS: tuple[APIRouter, ...] = tuple(router for domain in DOMAINS for router in domain.routers)

TABLES: tuple[type[Table], ...] = (AnswerRow, *(table for domain in DOMAINS for table in domain.tables))

LATEST: tuple[Latest, ...] = tuple(domain.latest for domain in DOMAINS if domain.latest is not None)
"""Who follows the newest readings, in the transaction that stores them."""

STANDING: tuple[Standing, ...] = tuple(domain.standing for domain in DOMAINS if domain.standing is not None)
"""What screens start from."""

STATES: Mapping[str, StatesOf] = {kind: states for domain in DOMAINS for kind, states in domain.states.items()}
"""Kind of the live stream → how things of it are read anew."""

JOBS: tuple[Job, ...] = tuple(job for domain in DOMAINS for job in domain.jobs)
"""What is done later."""


def projections() -> Registry:
    """Event kind → every domain's projection of it."""
    found: dict[str, list[Projection]] = {}
    for domain in DOMAINS:
        for kind, projection in domain.projections.items():
            found.setdefault(kind, []).append(projection)
    return found


def metadata() -> MetaData:
    """Every table of the hub: what migrations compare the database with."""
    return Table.metadata

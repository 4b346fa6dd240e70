"""Every table of the hub, listed by hand: what migrations compare the database with."""

from __future__ import annotations

import importlib

from sqlalchemy import MetaData

from hub.database.transactions import Table

TABLES = (
    "hub.access.models",
    "hub.accounts.models",
    "hub.alarms.models",
    "hub.changes.models",
    "hub.commands.models",
    "hub.desired.models",
    "hub.events.models",
    "hub.gateways.models",
    "hub.ingest.models",
    "hub.meters.models",
    "hub.database.answer_row",
    "hub.pictures.models",
    "hub.sites.models",
    "hub.telemetry.models",
    "hub.tickets.models",
)


def metadata() -> MetaData:
    """The tables of all domains."""
    for module in TABLES:
        importlib.import_module(module)
    return Table.metadata

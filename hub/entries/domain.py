"""Entries: what the domain brings to the whole."""

from __future__ import annotations

from hub.domain import Domain
from hub.entries.filling import JOB
from hub.entries.models import EntryFill, EntryRow
from hub.entries.projections import PROJECTIONS

DOMAIN = Domain(tables=(EntryRow, EntryFill), projections=PROJECTIONS, jobs=(JOB,))

"""What a domain of the hub brings to the whole: one record each (`domain.py`), one line in `hub.domains`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.database.event import Projection
from hub.database.transactions import Table
from hub.jobs.job import Job

if TYPE_CHECKING:
    from hub.telemetry.ingest import Latest

Standing = Callable[[AsyncConnection, list[str] | None], Awaitable[Mapping[str, Sequence[Mapping[str, object]]]]]
"""What stands at these sites (None: at all), by the kind that the live stream calls it."""

StatesOf = Callable[[AsyncConnection, Sequence[str]], Awaitable[Sequence[Mapping[str, object]]]]
"""Things of one kind by their ids, as they are now: `state` frames of the live stream. Without what is no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """`projections`: what each kind of event makes of its tables, in the transaction that stores the event.

    `latest`: follows the newest readings, in the transaction that stores them. `standing`: what a screen starts from.
    `states`: reads things of a kind anew, where one may be too large to be told to other processes (7 kB). `jobs`: what
    it does later.
    """

    routers: Sequence[APIRouter] = ()
    tables: Sequence[type[Table]] = ()
    projections: Mapping[str, Projection] = field(default_factory=dict)
    latest: Latest | None = None
    standing: Standing | None = None
    states: Mapping[str, StatesOf] = field(default_factory=dict)
    jobs: Sequence[Job] = ()

"""Points and readings: what the domain brings to the whole."""

from __future__ import annotations

from hub.domain import Domain
from hub.telemetry.devices import router as devices_router
from hub.telemetry.endpoints import router
from hub.telemetry.models import DirtyHour, HourRow, Point, ReadingRow
from hub.telemetry.projections import PROJECTIONS
from hub.telemetry.rollup import SUMS

DOMAIN = Domain(
    routers=(router, devices_router),
    tables=(Point, ReadingRow, HourRow, DirtyHour),
    projections=PROJECTIONS,
    jobs=(SUMS,),
)

"""Registers that money hangs on: what the domain brings to the whole."""

from __future__ import annotations

from hub.domain import Domain
from hub.meters.endpoints import router
from hub.meters.models import Meter, MeterDay
from hub.meters.projections import PROJECTIONS

DOMAIN = Domain(
    routers=(router,),
    tables=(Meter, MeterDay),
    projections=PROJECTIONS,
)

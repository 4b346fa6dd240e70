"""Pictures: what the domain brings to the whole."""

from __future__ import annotations

from hub.domain import Domain
from hub.pictures.endpoints import router
from hub.pictures.models import PictureRow

DOMAIN = Domain(
    routers=(router,),
    tables=(PictureRow,),
)

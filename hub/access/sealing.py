"""What a person says of a PIN, as it may be kept."""

from __future__ import annotations

from typing import TypeVar, cast

from contract.rights import HIDDEN
from contract.texts import Text
from hub.access.models import BlockRow, CredentialRow
from hub.access.schemas import Presentable
from hub.database.pins import Pins
from web.asked import Body
from web.errors import Invalid

BodyT = TypeVar("BodyT", bound=Body)

_WHICH = Text("请输入新的密码", "Type the new PIN")


def sealed(pins: Pins, site: str, body: BodyT, before: CredentialRow | BlockRow | None = None) -> BodyT:
    """A body as it may be kept. A PIN that is `HIDDEN`, as answers show it, leaves that of `before` as it is."""
    if not isinstance(body, Presentable) or body.kind != "pin":
        return body
    if body.value != HIDDEN:
        return cast(BodyT, body.model_copy(update={"value": pins.seal(site, body.value)}))
    if before is None or before.kind != "pin":
        raise Invalid({"value": _WHICH})
    return cast(BodyT, body.model_copy(update={"value": before.value}))

"""Results of commands, as their gateways record them."""

from __future__ import annotations

from typing import Literal

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.facts.gateway import CommandResult
from contract.presence import Answered
from hub.commands import service
from hub.database.event import Projection, StoredEvent, to_instant


async def on_result(conn: AsyncConnection, event: StoredEvent) -> None:
    """Done, failed or expired. Commands that were asked at the gateway itself are only history."""
    result = event.typed()
    assert isinstance(result, CommandResult)
    assert event.gateway is not None
    state = msgspec.convert(event.kind.removeprefix("command."), Literal["done", "failed", "expired"])
    answer = Answered(command=result.command, state=state, at=to_instant(event.when), why=result.why)
    await service.answered(conn, event.gateway, answer)


PROJECTIONS: dict[str, Projection] = {
    "command.done": on_result,
    "command.failed": on_result,
    "command.expired": on_result,
}

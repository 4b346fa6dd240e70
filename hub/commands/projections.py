"""Results of commands, as their gateways record them."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from contract.kinds import CommandResult
from hub.commands import service
from hub.events.stored import Projection, StoredEvent


async def on_result(conn: AsyncConnection, event: StoredEvent) -> None:
    """Done, failed or expired. Commands that were asked at the gateway itself are only history."""
    result = event.typed()
    assert isinstance(result, CommandResult)
    assert event.gateway is not None
    await service.answered(conn, event.gateway, result, event.kind.removeprefix("command."), event.at)


PROJECTIONS: dict[str, Projection] = {
    "command.done": on_result,
    "command.failed": on_result,
    "command.expired": on_result,
}

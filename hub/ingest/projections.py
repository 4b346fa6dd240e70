"""What gateways' streams say of themselves."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.kinds import StreamForked
from hub.events.stored import Projection, StoredEvent

_END = text(
    "UPDATE streams SET forked_to = :stream"
    " WHERE id = :old AND gateway = :gateway AND forked_to IS NULL AND id <> :stream"
)


async def on_forked(conn: AsyncConnection, event: StoredEvent) -> None:
    """The old stream has ended: what was under way of it must not come in beside the new one."""
    data = event.typed()
    assert isinstance(data, StreamForked)
    await conn.execute(_END, {"stream": event.stream, "old": data.old_stream, "gateway": event.gateway})


PROJECTIONS: dict[str, Projection] = {"stream.forked": on_forked}

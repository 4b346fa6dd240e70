"""What the events of doors, lanes and commands make of the entries: one statement for all of a transaction."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from hub.database.event import Projection, StoredEvent
from hub.database.transactions import outcome
from hub.entries import keeping
from rules.access.entries import KINDS


async def on_event(conn: AsyncConnection, event: StoredEvent) -> None:
    """An entry, or the passage that followed one."""
    item = keeping.item_of(event)
    if item is not None:
        outcome(conn).put_off(keeping.keep, item)


PROJECTIONS: dict[str, Projection] = dict.fromkeys((*KINDS, "passage.made"), on_event)

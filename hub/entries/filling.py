"""Entries of the history that was there before their table: filled from the newest event down, in bounded steps."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.errors import ContractError
from contract.texts import Text
from hub.database.event import StoredEvent
from hub.entries import keeping
from hub.entries.keeping import DECIDED, KeptEntry, Passed, places_of
from hub.events.service import COLUMNS, EVENTS, stored
from hub.jobs.job import Again, Done, Job, Result, Work
from rules.access.entries import KINDS

STEP = 2_000
"""Events of one transaction."""

PAUSE_S = 0.2
"""Between two: gateways have their turn."""

_UPTO = text("SELECT upto FROM entries_fill FOR UPDATE")
_NEXT = text(
    f"SELECT {COLUMNS} FROM {EVENTS} WHERE id <= :upto AND kind = ANY(:kinds) AND site IS NOT NULL"
    " ORDER BY id DESC LIMIT :most"
)
_NAMED = text(f"SELECT {COLUMNS} FROM {EVENTS} WHERE id IN (SELECT event FROM ({DECIDED}) AS decided) AND id <= :upto")
_STANDS = text("UPDATE entries_fill SET upto = :upto")
_KINDS = [*KINDS, "passage.made"]


async def step(conn: AsyncConnection, most: int = STEP) -> bool:
    """Fill in at most `most` events; whether there are more."""
    upto = (await conn.execute(_UPTO)).scalar_one_or_none() or 0
    if upto <= 0:
        return False
    events = [stored(row) for row in await conn.execute(_NEXT, {"upto": upto, "kinds": _KINDS, "most": most})]
    items = [item for event in events if (item := _item(event)) is not None]
    passages = [item for item in items if isinstance(item, Passed)]
    if passages:
        # A passage comes after its decision, which the steps that follow would find too late.
        named = await conn.execute(_NAMED, {**places_of(passages), "upto": upto})
        found = [item for row in named if isinstance(item := _item(stored(row)), KeptEntry)]
        items = [*found, *items]
    # One row an event: a decision may be in this step and named in it.
    entries = {item.event.id: item for item in items if isinstance(item, KeptEntry)}
    await keeping.keep(conn, [*entries.values(), *passages])
    more = len(events) == most
    await conn.execute(_STANDS, {"upto": events[-1].id - 1 if more else 0})
    return more


def _item(event: StoredEvent) -> keeping.Item | None:
    try:
        return keeping.item_of(event)
    except (ContractError, RecursionError):
        return None  # it is marked in the history, and was no entry then either


async def _fill(work: Work) -> Result:
    async with work.database.transaction() as conn:
        more = await step(conn)
    return Again(PAUSE_S) if more else Done()


JOB = Job(
    name="entries.fill",
    text=Text("整理以前的通行记录", "Make entries of the history of before"),
    work=_fill,
)
"""When a hub starts; there is nothing to do once all of it is filled in."""

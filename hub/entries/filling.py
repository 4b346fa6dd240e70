"""Entries of the history that has none: from before their table, and what a hub of before records beside this one.

Filled from the newest event down, in bounded steps. A passage may be recorded while its decision waits to be filled in:
what came since the walk began is walked once more at its end.
"""

from __future__ import annotations

import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.errors import ContractError
from contract.texts import Text
from hub.database.event import StoredEvent
from hub.database.transactions import Database, lock_history
from hub.entries import keeping
from hub.entries.keeping import DECIDED, KeptEntry, Passed, places_of
from hub.events.service import COLUMNS, EVENTS, stored
from hub.jobs.job import Done, Job, Work
from rules.access.entries import KINDS

STEP = 500
"""Events of one transaction, which keeps writers of the history waiting."""

PAUSE_S = 0.1
"""Between two: gateways have their turn."""

_STANDS = text("SELECT upto, mark FROM entries_fill FOR UPDATE")
_NEXT = text(
    f"SELECT {COLUMNS} FROM {EVENTS} WHERE id <= :upto AND id > :floor AND kind = ANY(:kinds) AND site IS NOT NULL"
    " ORDER BY id DESC LIMIT :most"
)
_NAMED = text(f"SELECT {COLUMNS} FROM {EVENTS} WHERE id IN (SELECT event FROM ({DECIDED}) AS decided)")
_NEWEST = text("SELECT coalesce(max(id), 0) FROM events")
_FILLED = text("UPDATE entries_fill SET upto = :upto")
_MARKED = text("UPDATE entries_fill SET mark = :mark")
_KINDS = [*KINDS, "passage.made"]


async def fill(database: Database, most: int = STEP) -> None:
    """All that is missing, with others' turns between the steps."""
    await _newer(database, most)
    more = True
    while more:
        async with database.transaction() as conn:
            more = await step(conn, most)
        await asyncio.sleep(PAUSE_S)
    await _newer(database, most)


async def step(conn: AsyncConnection, most: int = STEP) -> bool:
    """Fill in at most `most` events of before the table; whether there are more."""
    await lock_history(conn)  # whoever redacts meanwhile would find no entry to redact
    found = (await conn.execute(_STANDS)).one_or_none()
    if found is None or found.upto <= 0:
        return False
    rest = await _filled(conn, found.upto, 0, most)
    await conn.execute(_FILLED, {"upto": rest})
    return rest > 0


async def _newer(database: Database, most: int) -> None:
    """Walk from the newest event down to where the last walk began."""
    async with database.transaction() as conn:
        top = (await conn.execute(_NEWEST)).scalar_one()
    upto = top
    while True:
        async with database.transaction() as conn:
            await lock_history(conn)
            found = (await conn.execute(_STANDS)).one_or_none()
            if found is None:
                return
            upto = await _filled(conn, upto, found.mark, most)
            if upto <= found.mark:
                await conn.execute(_MARKED, {"mark": max(top, found.mark)})
                return
        await asyncio.sleep(PAUSE_S)


async def _filled(conn: AsyncConnection, upto: int, floor: int, most: int) -> int:
    """Fill in at most `most` events of `upto` and below, above `floor`; what is left then, `floor` if nothing is."""
    asked = {"upto": upto, "floor": floor, "kinds": _KINDS, "most": most}
    events = [stored(row) for row in await conn.execute(_NEXT, asked)]
    items = [item for event in events if (item := _item(event)) is not None]
    passages = [item for item in items if isinstance(item, Passed)]
    if passages:
        # A passage comes after its decision, which the steps that follow would find too late.
        named = await conn.execute(_NAMED, places_of(passages))
        found = [item for row in named if isinstance(item := _item(stored(row)), KeptEntry)]
        items = [*found, *items]
    # One row an event: a decision may be in this step and named in it.
    entries = {item.event.id: item for item in items if isinstance(item, KeptEntry)}
    await keeping.keep(conn, [*entries.values(), *passages])
    return events[-1].id - 1 if len(events) == most else floor


def _item(event: StoredEvent) -> keeping.Item | None:
    try:
        return keeping.item_of(event)
    except (ContractError, RecursionError):
        return None  # it is marked in the history, and was no entry then either


async def _fill(work: Work) -> Done:
    await fill(work.database)
    return Done()


JOB = Job(
    name="entries.fill",
    text=Text("整理以前的通行记录", "Make entries of the history of before"),
    work=_fill,
)
"""When a hub starts: another of before may have recorded beside the last one. What was filled in is not read again."""

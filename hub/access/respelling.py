"""How people are found and sorted who were taken in by a hub of before beside this one, which says nothing of it."""

from __future__ import annotations

import asyncio

from sqlalchemy import text

from contract.texts import Text
from hub.access.nouns import spelling_of
from hub.database.transactions import Database
from hub.jobs.job import Done, Job, Work

STEP = 500
"""People of one transaction."""

PAUSE_S = 0.1

_UNSPELT = text("SELECT site, id, name, unit FROM holders WHERE room_order = '' ORDER BY site, id LIMIT :most")
_SPELL = text(
    "UPDATE holders SET spelled = :spelled, room_order = :room_order, found_by = :found_by"
    " WHERE site = :site AND id = :id AND name = :name AND unit = :unit"
)


async def spell(database: Database, most: int = STEP) -> None:
    """Say of everybody of whom it is not said."""
    more = True
    while more:
        async with database.transaction(writes=True) as conn:
            people = (await conn.execute(_UNSPELT, {"most": most})).all()
            if people:
                await conn.execute(_SPELL, [{**row._asdict(), **spelling_of(row._asdict())} for row in people])
        more = len(people) == most
        await asyncio.sleep(PAUSE_S)


async def _spell(work: Work) -> Done:
    await spell(work.database)
    return Done()


JOB = Job(
    name="access.spell",
    text=Text("整理人员的拼音与房号顺序", "Say how people are found and sorted"),
    work=_spell,
)
"""When a hub starts; mostly there is nobody."""

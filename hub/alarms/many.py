"""Commands about several alarms at once: those of gateways go down together, the hub's own are carried out at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from contract.commands import CommandKind
from hub.alarms import own
from hub.alarms.models import AlarmRow
from hub.commands import service as commands
from hub.commands.asked import AskedCommand
from hub.database.transactions import connection
from web import shapes
from web.doing import check_state
from web.errors import NotFound, Refusal
from web.several import AlarmAsked, AlarmsAsked, refused_of
from web.users import User


async def ask_each(
    session: AsyncSession,
    user: User,
    alarms: Sequence[str],
    kind: CommandKind,
    command_of: Callable[[str, str], AskedCommand],
) -> AlarmsAsked:
    """What became of each alarm, in a transaction opened for writing. `command_of`: of a site, and its alarm.

    `NotFound` if the person sees none of them, `Forbidden` if their role may not ask for it at all.
    """
    rows = {row.id: row for row in await _seen(session, user, alarms)}
    if not rows:
        raise NotFound
    refused: dict[str, Refusal] = {}
    theirs: list[AskedCommand] = []
    ours: list[tuple[AskedCommand, str]] = []
    asked: dict[str, shapes.Command] = {}
    conn = await connection(session)
    for alarm in alarms:
        try:
            row = rows.get(alarm)
            if row is None:
                raise NotFound
            check_state(kind, row.state)
        except Refusal as refusal:
            refused[alarm] = refusal
            continue
        command = command_of(row.site, alarm)
        if row.gateway:
            theirs.append(command)
        else:
            ours.append((command, row.source))
    if ours:
        asked |= {item["target"]: item for item in await own.ask_each(conn, user, ours)}
    if theirs:
        asked |= {item["target"]: item for item in await commands.ask_each(conn, user, theirs)}
    return {"items": [_answer(alarm, asked.get(alarm), refused.get(alarm)) for alarm in alarms]}


async def _seen(session: AsyncSession, user: User, alarms: Sequence[str]) -> list[AlarmRow]:
    query = select(AlarmRow).where(col(AlarmRow.id).in_(alarms))
    return [row for row in (await session.exec(query)).all() if user.may_see(row.site)]


def _answer(alarm: str, command: shapes.Command | None, refusal: Refusal | None) -> AlarmAsked:
    return {"id": alarm, "command": command, "refused": None if refusal is None else refused_of(refusal)}

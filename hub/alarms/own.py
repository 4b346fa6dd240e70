"""Alarms that the hub itself raises: about what no gateway can know. The hub is their one writer.

They are events of the hub's own stream and rows beside those of the gateways (`gateway` empty), listed, shown and
treated like them; what people command is carried out at once.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.commands import CommandKind, Person
from contract.facts.alarms import AlarmAcknowledged, AlarmCleared, AlarmRaised, AlarmShelved, AlarmUnshelved, Severity
from contract.facts.gateway import CommandResult
from contract.texts import Text
from hub.alarms.projections import on_alarm
from hub.commands import service as commands
from hub.commands.asked import AskedCommand
from hub.commands.service import HUB
from hub.database.event import to_instant
from hub.database.rows import StatementRow
from hub.events import stream
from hub.jobs import queue
from web import shapes
from web.doing import check_state
from web.users import User

SHELVES = "alarms.shelves"
"""Name of the job that ends shelf times."""

_KNOWN = text(
    "SELECT id, state FROM alarms WHERE site = :site AND gateway = '' AND rule = :rule AND source = :source"
    " AND state <> 'closed' ORDER BY raised_at DESC LIMIT 1"
)
_OWN = text("SELECT source, state FROM alarms WHERE gateway = '' AND site = :site AND id = :id")
_PRESENT = text(
    "SELECT source FROM alarms WHERE gateway = '' AND rule = :rule AND state IN ('active', 'acknowledged', 'shelved')"
)


async def raise_(
    conn: AsyncConnection, site: str, rule: str, source: str, *, severity: Severity, message: Text, response: Text
) -> None:
    """The fault is there; nothing if it was there already. In a transaction opened for writing."""
    known = await _known(conn, site, rule, source)
    if known is not None and known.state != "cleared":
        return
    data = AlarmRaised(
        alarm=str(uuid.uuid4()) if known is None else known.id,
        rule=rule,
        severity=severity,
        message=message,
        asset=source,
        response=response,
    )
    await tell(conn, "alarm.raised", site, source, data)


async def clear(conn: AsyncConnection, site: str, rule: str, source: str) -> None:
    """The fault is gone; nothing if it was not there. In a transaction opened for writing."""
    known = await _known(conn, site, rule, source)
    if known is not None and known.state != "cleared":
        await tell(conn, "alarm.cleared", site, source, AlarmCleared(alarm=known.id, rule=rule))


async def present(conn: AsyncConnection, rule: str) -> set[str]:
    """Sources whose fault of this rule is there."""
    return set((await conn.execute(_PRESENT, {"rule": rule})).scalars())


async def ask(conn: AsyncConnection, user: User, asked: AskedCommand) -> shapes.Command:
    """A person's command about an alarm, sent to its gateway; about an own alarm it is carried out at once.

    Answers the command as REST shows it. `Conflict` if an own alarm is past what is commanded.
    """
    row = (await conn.execute(_OWN, {"site": asked.site, "id": asked.target})).one_or_none()
    if row is None:
        return await commands.ask(conn, user, asked)
    item = await commands.ask(conn, user, asked, gateway=HUB)
    check_state(asked.kind, row.state)
    return item if asked.late else (await _carry_out(conn, user, [(asked, row.source, item)]))[0]


async def ask_each(
    conn: AsyncConnection, user: User, asked: Sequence[tuple[AskedCommand, str]]
) -> list[shapes.Command]:
    """A person's commands about several own alarms, each with its source, carried out at once.

    Of one kind and with one reason. Each alarm's state is the caller's to know.
    """
    items = await commands.ask_each(conn, user, [each for each, _ in asked], gateway=HUB)
    if any(each.late for each, _ in asked):  # asked together, and so all of one age
        return items
    return await _carry_out(
        conn, user, [(each, source, item) for (each, source), item in zip(asked, items, strict=True)]
    )


async def _carry_out(
    conn: AsyncConnection, user: User, asked: Sequence[tuple[AskedCommand, str, shapes.Command]]
) -> list[shapes.Command]:
    """Commands that are kept already, each with the source of its alarm: they hold up whoever writes the history."""
    by, now = user.person(), datetime.now(UTC)
    deeds = [(*_deed(each, by, item["id"], now), each.site, source) for each, source, item in asked]
    facts = [stream.Fact(kind, source, data, site) for kind, data, site, source in deeds]
    for told in await stream.record_all(conn, facts):
        await on_alarm(conn, told)
    until = [data.until for _, data, _, _ in deeds if isinstance(data, AlarmShelved)]
    if until:
        await queue.put(conn, SHELVES, datetime.fromisoformat(min(until)))
    results = [
        stream.Fact(
            "command.done",
            each.target,
            CommandResult(
                command=item["id"], kind=each.kind, target=each.target, by=by, reason=item["reason"],
                reason_code=each.reason_code,
            ),
            each.site,
        )
        for each, _, item in asked
    ]  # fmt: skip
    done = await stream.record_all(conn, results, at=now)
    return await commands.done_here(conn, [item["id"] for _, _, item in asked], done[0].at)


def _deed(asked: AskedCommand, by: Person, command: str, now: datetime) -> tuple[str, msgspec.Struct]:
    """(kind of event, its data) of what is commanded."""
    note = str(asked.args.get("note") or "")
    deeds: dict[CommandKind, Callable[[], tuple[str, msgspec.Struct]]] = {
        "alarm.ack": lambda: (
            "alarm.acknowledged",
            AlarmAcknowledged(alarm=asked.target, by=by, note=note, command=command),
        ),
        "alarm.shelve": lambda: (
            "alarm.shelved",
            AlarmShelved(alarm=asked.target, by=by, until=_until(asked, now), note=note, command=command),
        ),
        "alarm.unshelve": lambda: ("alarm.unshelved", AlarmUnshelved(alarm=asked.target, by=by)),
    }
    return deeds[asked.kind]()


def _until(asked: AskedCommand, now: datetime) -> str:
    return to_instant(now + timedelta(seconds=float(asked.args["for_s"] or 0)))


async def _known(conn: AsyncConnection, site: str, rule: str, source: str) -> StatementRow | None:
    found: Sequence[StatementRow] = (await conn.execute(_KNOWN, {"site": site, "rule": rule, "source": source})).all()
    return found[0] if found else None


async def tell(conn: AsyncConnection, kind: str, site: str, source: str, data: msgspec.Struct) -> None:
    """One event of an own alarm, and what it makes of the alarm, in one transaction."""
    await on_alarm(conn, await stream.record(conn, kind, source, data, site=site))

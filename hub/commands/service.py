"""Asking for a command: its record, its place in the history and its way to the gateway in one transaction."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.commands import Command, Person, Subject
from contract.facts.gateway import CommandResult
from contract.facts.hub import CommandAsked
from contract.instants import Instant
from contract.presence import Answered
from contract.texts import Text
from hub.commands.asked import AskedCommand, check, check_words
from hub.database.event import latest, to_datetime, to_instant
from hub.database.rows import StatementRow
from hub.database.transactions import outcome
from hub.entries.projections import on_event
from hub.events import stream
from hub.gateways.service import gateway_of
from hub.jobs import queue
from web import shapes
from web.arguments import args_shown, command_reason
from web.errors import Conflict
from web.users import User

EXPIRY = "commands.expiry"
"""Name of the job that calls commands expired."""

ANSWER_GRACE = timedelta(seconds=5)
"""How long after its expiry a command may still be answered, before the hub itself calls it expired."""

COMMAND_COLUMNS = (
    "id, site, gateway, target, kind, args, reason, reason_code, subject, by, account, state, issued_at, expires_at,"
    " sent_at, result"
)

_NO_GATEWAY = Text("该项目没有已登记的网关", "no gateway is enrolled for this site")
_NO_ANSWER = Text(
    "网关未在有效期内答复，是否已执行未知。请先看现场，再决定是否重发",
    "no answer from the gateway in time: whether it was carried out is not known. Look before asking again",
)
_NOT_SENT = Text(
    "有效期内未能下发到网关，未执行",
    "it could not be sent to the gateway in time and was not carried out",
)
_AWAY = Text("未执行：网关离线", "Not carried out: gateway offline")
_LATE = Text(
    "途中耽搁，到达服务器时已过有效期，未执行",
    "held up on its way: it had expired when it reached the server, and was not carried out",
)

_INSERT = text(
    "INSERT INTO commands (id, site, gateway, target, kind, args, reason, reason_code, subject, account, by, state,"
    " issued_at, expires_at, result) SELECT id, site, gateway, target, kind, args, reason, reason_code, subject,"
    " :account, CAST(:by AS json), state, :issued_at, expires_at, result FROM json_to_recordset(CAST(:asked AS json))"
    " AS new (id text, site text, gateway text, target text, kind text, args json, reason text, reason_code text,"
    f" subject json, state text, expires_at timestamptz, result json) RETURNING {COMMAND_COLUMNS}"
)
_BY_ID = text(f"SELECT {COMMAND_COLUMNS} FROM commands WHERE id = :id")
_ANSWERED = text(
    "UPDATE commands SET state = :state, result = CAST(:result AS json)"
    " WHERE id = :id AND gateway = :gateway AND state IN ('asked', 'sent', 'expired')"
    f" RETURNING {COMMAND_COLUMNS}"
)
_DONE_HERE = text(
    "UPDATE commands SET state = 'done', result = CAST(:result AS json)"
    f" WHERE id = ANY(:ids) AND gateway = :gateway AND state = 'asked' RETURNING {COMMAND_COLUMNS}"
)
_LOST = "EXISTS (SELECT FROM gateways WHERE gateways.id = commands.gateway AND NOT online AND seen_at IS NOT NULL)"
"""Whether a command's gateway was there once, and is not now."""

_OPEN = text(
    f"SELECT {COMMAND_COLUMNS} FROM commands WHERE gateway = ANY(:gateways) AND expires_at > :now AND NOT {_LOST}"
    " AND (state = 'asked' OR (state = 'sent' AND gateway = ANY(:born))) ORDER BY issued_at, id"
)
_SENT = text(
    "UPDATE commands SET state = 'sent', sent_at = :now WHERE id = ANY(:ids) AND state = 'asked'"
    f" RETURNING {COMMAND_COLUMNS}"
)
_NEXT_EXPIRY = text("SELECT min(expires_at) FROM commands WHERE state IN ('asked', 'sent')")
_EXPIRE = text(
    f"WITH over AS (SELECT id AS over_id, state = 'asked' AND issued_at >= :since AS unsent, {_LOST} AS lost"
    " FROM commands WHERE state IN ('asked', 'sent') AND expires_at <= :before FOR UPDATE)"
    " UPDATE commands SET state = 'expired', result = CAST(CASE WHEN unsent AND lost THEN :away"
    " WHEN unsent THEN :not_sent ELSE :no_answer END AS json)"
    f" FROM over WHERE id = over_id RETURNING {COMMAND_COLUMNS}"
)
_UNANSWERED = text(
    "SELECT id FROM commands WHERE id = ANY(:ids) AND gateway = :gateway AND state IN ('asked', 'sent', 'expired')"
)
_WAITING = text("SELECT DISTINCT gateway FROM commands WHERE state IN ('asked', 'sent')")


HUB = ""
"""In place of a gateway: the hub itself carries it out, in the same transaction."""


async def ask(
    conn: AsyncConnection, user: User, asked: AskedCommand, *, now: datetime | None = None, gateway: str | None = None
) -> shapes.Command:
    """Ask for a command, in a transaction opened for writing; it is sent after the commit, but one that comes too late
    is only kept, as expired.

    `gateway`: whose it is, if that is not the site's; `HUB`: nothing is sent, the caller carries it out.

    Answers the command as REST shows it. `Forbidden`, `NotFound` or `Invalid` say what is wrong with it.
    """
    await check(conn, user, asked)
    if gateway is None:
        gateway = await gateway_of(conn, asked.site)
    if gateway is None:
        raise Conflict(_NO_GATEWAY, "no_gateway")
    return (await _keep(conn, user, [(asked, gateway)], now or datetime.now(UTC)))[0]


async def ask_each(
    conn: AsyncConnection, user: User, asked: Sequence[AskedCommand], *, gateway: str | None = None
) -> list[shapes.Command]:
    """Ask for several commands, of one kind and with one reason, in as many statements as for one.

    `gateway`: whose they are, as of one.
    Their targets are the caller's to know: `Forbidden`, `Invalid` or `Conflict` say what is wrong with all of them.
    """
    gateways: dict[str, str] = {}
    for each in asked:
        if each.site not in gateways:
            check_words(user, each)
            theirs = await gateway_of(conn, each.site) if gateway is None else gateway
            if theirs is None:
                raise Conflict(_NO_GATEWAY, "no_gateway")
            gateways[each.site] = theirs
    return await _keep(conn, user, [(each, gateways[each.site]) for each in asked], datetime.now(UTC))


async def _keep(
    conn: AsyncConnection, user: User, asked: Sequence[tuple[AskedCommand, str]], now: datetime
) -> list[shapes.Command]:
    """The commands, each with its gateway, as rows, as events, and told to screens and gateways."""
    # Whole milliseconds, as the gateway and the screens get them.
    issued = to_datetime(to_instant(now))
    person = user.person()
    rows = [
        {
            "id": str(uuid.uuid4()),
            "site": each.site,
            "gateway": gateway,
            "target": each.target,
            "kind": each.kind,
            "args": dict(each.args),
            "reason": command_reason(each.kind, each.reason, each.reason_code),
            "reason_code": each.reason_code,
            "subject": each.subject,
            "state": "expired" if each.late else "asked",
            "expires_at": issued + timedelta(seconds=each.ttl_s) - each.age,
            "result": _told(to_instant(issued), _LATE) if each.late else None,
        }
        for each, gateway in asked
    ]
    values = {
        "asked": msgspec.json.encode(rows).decode(),
        "account": user.id,
        "by": msgspec.json.encode(person).decode(),
        "issued_at": issued,
    }
    kept = {row.id: row for row in (await conn.execute(_INSERT, values)).all()}
    items = [command_item(kept[str(row["id"])]) for row in rows]
    facts = [
        stream.Fact(
            "command.asked",
            item["target"],
            CommandAsked(
                command=item["id"],
                kind=item["kind"],
                target=item["target"],
                by=person,
                reason=item["reason"],
                reason_code=item["reason_code"],
            ),
            item["site"],
        )
        for item in items
    ]
    await stream.record_all(conn, facts, at=issued)
    told = outcome(conn)
    for item in items:
        told.state({**item, "kind": "command", "command": item["kind"]})
    for item in items:
        if item["state"] == "expired":
            await _record_expired(conn, kept[item["id"]], _LATE, issued)
    sent = [(each, gateway) for each, gateway in asked if gateway != HUB and not each.late]
    told.commands.update(gateway for _, gateway in sent)
    if sent:
        first = min(timedelta(seconds=each.ttl_s) - each.age for each, _ in sent)
        await queue.put(conn, EXPIRY, issued + first + ANSWER_GRACE)
    return items


async def find(conn: AsyncConnection, command: str) -> shapes.Command | None:
    """A command as REST shows it, None if there is none of that id."""
    row = (await conn.execute(_BY_ID, {"id": command})).one_or_none()
    return None if row is None else command_item(row)


async def answered(conn: AsyncConnection, gateway: str, answer: Answered) -> None:
    """Keep a gateway's answer. One that comes late is still the truth: the hub only supposed that it had expired.

    Answers come with signs of life and again as events; whichever is first is kept, and the other says the same.
    """
    values = {
        "id": answer.command,
        "gateway": gateway,
        "state": answer.state,
        "result": _result(answer.at, answer.why),
    }
    row = (await conn.execute(_ANSWERED, values)).one_or_none()
    if row is not None:
        _tell(conn, row)


async def done_here(conn: AsyncConnection, ids: Sequence[str], at: Instant) -> list[shapes.Command]:
    """The hub has carried out commands of its own; how each stands, in the order of `ids`."""
    values = {"ids": list(ids), "gateway": HUB, "result": _result(at, None)}
    rows = {row.id: row for row in await conn.execute(_DONE_HERE, values)}
    for row in rows.values():
        _tell(conn, row)
    return [command_item(rows[id]) for id in ids]


async def told(conn: AsyncConnection, gateway: str, answers: Sequence[Answered], received: datetime) -> None:
    """Keep the answers that a sign of life brought, as far as they are news; none is of later than its receipt."""
    if not answers:
        return
    wanted = {"ids": [answer.command for answer in answers], "gateway": gateway}
    news = set((await conn.execute(_UNANSWERED, wanted)).scalars())
    for answer in answers:
        if answer.command in news:
            at = to_instant(min(to_datetime(answer.at), latest(received)))
            await answered(conn, gateway, msgspec.structs.replace(answer, at=at))


async def to_send(conn: AsyncConnection, gateways: set[str], born: set[str], now: datetime) -> list[StatementRow]:
    """Commands that are worth sending: never sent, or, to gateways that were born again, not answered.

    What is for a gateway that is away waits until it is found: so it is known that it was not carried out.
    """
    values = {"gateways": list(gateways | born), "born": list(born), "now": now}
    return list(await conn.execute(_OPEN, values))


async def sent(conn: AsyncConnection, commands: list[str], now: datetime) -> None:
    """They are with the broker."""
    for row in await conn.execute(_SENT, {"ids": commands, "now": now}):
        _tell(conn, row)


async def next_expiry(conn: AsyncConnection) -> datetime | None:
    """When the next open command expires."""
    return cast("datetime | None", (await conn.execute(_NEXT_EXPIRY)).scalar_one())


async def expire(conn: AsyncConnection, now: datetime, *, since: datetime) -> int:
    """Call expired what was not answered in time; recorded in the hub's own stream.

    That a command was not carried out is said only of one that was asked after `since`, when nobody but this process
    could send it, and is not marked as sent. Of all others nothing is known: a process that died may have sent them.
    """
    at = to_instant(now)
    values = {
        "before": now - ANSWER_GRACE,
        "since": since,
        "away": _result(at, _AWAY),
        "not_sent": _result(at, _NOT_SENT),
        "no_answer": _result(at, _NO_ANSWER),
    }
    rows = (await conn.execute(_EXPIRE, values)).all()
    for row in rows:
        await _record_expired(conn, row, Text(**row.result["why"]), now)
        _tell(conn, row)
    return len(rows)


async def waiting(conn: AsyncConnection) -> set[str]:
    """Gateways that commands wait for."""
    return set((await conn.execute(_WAITING)).scalars())


def message(row: StatementRow) -> Command:
    """A command as the gateway gets it."""
    return Command(
        id=row.id,
        kind=row.kind,
        target=row.target,
        by=msgspec.convert(row.by, Person),
        reason=row.reason,
        issued_at=to_instant(row.issued_at),
        expires_at=to_instant(row.expires_at),
        args=row.args,
        reason_code=row.reason_code,
        subject=_subject(row),
    )


def command_item(row: StatementRow) -> shapes.Command:
    """A command as REST shows it."""
    return {
        "id": row.id,
        "site": row.site,
        "target": row.target,
        "kind": row.kind,
        "args": args_shown(row.args),
        "reason": row.reason,
        "reason_code": row.reason_code,
        "subject": row.subject,
        "state": row.state,
        "by": row.by,
        "issued_at": to_instant(row.issued_at),
        "expires_at": to_instant(row.expires_at),
        "result": row.result,
    }


def _subject(row: StatementRow) -> Subject | None:
    return None if row.subject is None else msgspec.convert(row.subject, Subject)


async def _record_expired(conn: AsyncConnection, row: StatementRow, why: Text, at: datetime) -> None:
    data = CommandResult(
        command=row.id,
        kind=row.kind,
        target=row.target,
        by=msgspec.convert(row.by, Person),
        reason=row.reason,
        why=why,
        reason_code=row.reason_code,
        subject=_subject(row),
    )
    await on_event(conn, await stream.record(conn, "command.expired", row.target, data, site=row.site, at=at))


def _told(at: str, why: Text | None) -> shapes.Result:
    return {"at": at, "why": None if why is None else shapes.text_of(why)}


def _result(at: str, why: Text | None) -> str:
    return msgspec.json.encode(_told(at, why)).decode()


def _tell(conn: AsyncConnection, row: StatementRow) -> None:
    item = command_item(row)
    outcome(conn).state({**item, "kind": "command", "command": item["kind"]})

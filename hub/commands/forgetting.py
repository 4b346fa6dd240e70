"""Plates leave the rows of commands when they leave the history: what was typed, and answers that name one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Text

from contract.readings import Value

_TYPED = "despite"
"""Argument of an opening: the plate of a blocked car, as somebody typed it."""

# As text: the database takes no key out of a document in which a broken client says U+0000.
_WITH = text(
    "SELECT id, args FROM commands WHERE kind = 'barrier.open' AND issued_at < :before"
    f" AND CAST(args AS text) LIKE '%\"{_TYPED}\"%'"
)
_ARGS = text(
    "UPDATE commands SET args = CAST(new.args AS json) FROM unnest(:ids, :args) AS new (id, args)"
    " WHERE commands.id = new.id"
).bindparams(*(bindparam(name, type_=ARRAY(Text)) for name in ("ids", "args")))
_TOLD = text(
    "SELECT gateway, CAST(data AS text) AS data FROM events"
    " WHERE id = ANY(:ids) AND kind LIKE 'command.%' AND gateway IS NOT NULL"
)
_WHY = text(
    "UPDATE commands SET result = json_build_object('at', result->'at', 'why', CAST(new.why AS json))"
    " FROM unnest(:ids, :gateways, :whys) AS new (id, gateway, why)"
    " WHERE commands.id = new.id AND commands.gateway = new.gateway AND commands.result IS NOT NULL"
).bindparams(*(bindparam(name, type_=ARRAY(Text)) for name in ("ids", "gateways", "whys")))


async def forget_typed(conn: AsyncConnection, before: datetime) -> None:
    """Take the plates that were typed out of the commands that were asked for before then, answered or not."""
    rows = (await conn.execute(_WITH, {"before": before})).all()
    if rows:
        args: dict[str, dict[str, Value]] = {
            row.id: {name: value for name, value in row.args.items() if name != _TYPED} for row in rows
        }
        values = {"ids": list(args), "args": [msgspec.json.encode(each).decode() for each in args.values()]}
        await conn.execute(_ARGS, values)


async def forget_answers(conn: AsyncConnection, redacted: Sequence[int]) -> None:
    """Have the answers to commands say what is left of the events that told them; by the ids of redacted events."""
    said: dict[str, tuple[str, str]] = {}
    for row in await conn.execute(_TOLD, {"ids": list(redacted)}):
        data = msgspec.json.decode(row.data)
        why, command = (data.get("why"), data.get("command")) if isinstance(data, dict) else (None, None)
        if isinstance(why, dict) and isinstance(command, str) and "\x00" not in command:
            said[command] = (row.gateway, msgspec.json.encode(why).decode())
    if said:
        whys = {"gateways": [gateway for gateway, _ in said.values()], "whys": [why for _, why in said.values()]}
        await conn.execute(_WHY, {"ids": list(said), **whys})

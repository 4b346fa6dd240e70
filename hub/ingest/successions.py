"""How a gateway's streams follow each other: a fork ends the old one, and a stream that follows from none is told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from contract.errors import Malformed
from contract.events import GENESIS, Event
from contract.facts.gateway import JournalLost, StreamForked
from contract.kinds import decode_data
from contract.texts import Text
from hub.alarms import own
from hub.database.driver import Driver
from hub.events import stream

FORKED = "stream.forked"
LOST = "journal.lost"
"""The event, and the rule of its alarm."""

_RESPONSE = Text(
    "1. 查明原因：换过存储卡、恢复过旧镜像，还是磁盘损坏；2. 核对这段时间的通行、告警和抄表；"
    "3. 网关上若有另存的旧文件，可用 python -m gateway aside 读取。",
    "1. Find out why: was the disk replaced, an image restored, or is it failing? 2. Check entries, alarms and meter"
    " readings of that time. 3. If files were set aside at the gateway, python -m gateway aside reads them.",
)

_STREAM = re.compile(r"[0-9a-f]{32}")


class Fork(NamedTuple):
    """`old` ended where `new` begins."""

    gateway: str
    old: str
    new: str


class Begun(NamedTuple):
    """A stream that the hub had not heard of. `named`: the streams that the forks in its first batch name."""

    gateway: str
    stream: str
    named: tuple[str, ...]


def old_stream(event: Event) -> str | None:
    """Which stream a `stream.forked` ends; None if it names none."""
    try:
        data = decode_data(event.kind, event.data)
    except Malformed:
        return None
    return data.old_stream if isinstance(data, StreamForked) and _STREAM.fullmatch(data.old_stream) else None


async def end(pg: Driver, forks: Sequence[Fork], sites: dict[str, str], now: datetime) -> None:
    """The old streams take nothing more: what was under way of them must not come in beside the new ones.

    Also one that the hub never had anything of: a copy of its journal may still come back.
    """
    for fork in forks:
        await pg.execute(
            "INSERT INTO streams (id, gateway, site, head_seq, head_hash, started_at, forked_to)"
            " VALUES ($1, $2, $3, 0, $4, $5, $6)"
            " ON CONFLICT (id) DO UPDATE SET forked_to = excluded.forked_to"
            " WHERE streams.gateway = excluded.gateway AND streams.forked_to IS NULL",
            fork.old,
            fork.gateway,
            sites[fork.gateway],
            bytes.fromhex(GENESIS),
            now,
            fork.new,
        )


async def lost(pg: Driver, begun: Sequence[Begun]) -> list[JournalLost]:
    """Which of the streams that begin follow from none although their gateway had one. Asked before they are stored."""
    rows = await pg.fetch(
        "SELECT id, gateway, head_seq FROM streams WHERE gateway = ANY($1::text[])"
        " ORDER BY forked_to IS NOT NULL, started_at DESC",
        [one.gateway for one in begun],
    )
    before: dict[str, dict[str, int]] = {}
    for row in rows:
        before.setdefault(row["gateway"], {})[row["id"]] = row["head_seq"]
    found = []
    for one in begun:
        known = before.get(one.gateway, {})
        if known and known.keys().isdisjoint(one.named):
            last, held = next(iter(known.items()))
            found.append(JournalLost(gateway=one.gateway, stream=one.stream, before=last, held=held))
        before[one.gateway] = {one.stream: 0, **known}
    return found


async def tell(conn: AsyncConnection, losses: Sequence[JournalLost], sites: dict[str, str]) -> None:
    """Records `journal.lost` of each, and raises an alarm. That is over at once, and stays until somebody saw it."""
    for loss in losses:
        site, gateway = sites[loss.gateway], loss.gateway
        await stream.record(conn, LOST, gateway, loss, site=site)
        message = Text(
            f"网关 {gateway} 的记录文件丢失，未上传的记录无法找回",
            f"Gateway {gateway} lost its journal: what it had not sent is gone",
        )
        await own.raise_(conn, site, LOST, gateway, severity="major", message=message, response=_RESPONSE)
        await own.clear(conn, site, LOST, gateway)

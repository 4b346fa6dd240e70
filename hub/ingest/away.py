"""An alarm where a gateway has been away for a while: its site goes on alone, and what stands here of it gets old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.texts import Text
from hub.alarms import own
from hub.jobs import queue
from hub.jobs.job import Again, Done, Job, Result, Retry, Work

AWAY_S = 20.0
"""A gateway that restarts, or a line that hiccups, is back by then; screens say at once that it is away."""

RULE = "gateway.lost"
NAME = "gateways.away"

_RESPONSE = Text(
    "1. 现场照常运行（门禁、道闸、告警由网关自行处理），但此处看不到新情况，指令也到不了：请电话联系现场门岗，"
    "让其打开现场控制台值守；2. 检查网关的电源和到总控台的网络；3. 网络正常仍不恢复，通知技术支持。"
    "网关恢复连接后告警自动结束。",
    "1. The site goes on by itself (doors, barriers and alarms are its gateway's), but nothing new is seen here and no"
    " command arrives: call the guard on site and have the site's own console watched. 2. Check the gateway's power and"
    " its line to the hub. 3. If both are good, call technical support. The alarm ends when the gateway is back.",
)

# Whoever is heard just now has the row; then it is looked at once more, and is not away any longer.
_AWAY = text(
    "SELECT id, site, extract(epoch FROM seen_at + :away_s * interval '1 s' - now()) AS left_s FROM gateways"
    " WHERE online IS FALSE AND id <> ALL(:told) ORDER BY id FOR SHARE"
)


async def lost(conn: AsyncConnection) -> None:
    """A gateway is gone: look whether it stays away. In the transaction that notes it."""
    await queue.put(conn, NAME, datetime.now(UTC) + timedelta(seconds=AWAY_S))


async def found(conn: AsyncConnection, gateway: str, site: str) -> None:
    """It is back. In the transaction that notes it."""
    await own.clear(conn, site, RULE, gateway)


async def _tell(work: Work) -> Result:
    async with work.database.transaction(writes=True) as conn:
        told = await own.present(conn, RULE)
        rows = (await conn.execute(_AWAY, {"told": sorted(told), "away_s": AWAY_S})).all()
        for row in rows:
            if row.left_s is not None and row.left_s > 0:
                continue
            message = Text(
                f"网关 {row.id} 离线，总控台看不到现场的新情况",
                f"Gateway {row.id} is offline: nothing new is seen of its site",
            )
            await own.raise_(conn, row.site, RULE, row.id, severity="major", message=message, response=_RESPONSE)
    left = [float(row.left_s) for row in rows if row.left_s is not None and row.left_s > 0]
    return Again(min(left) + 0.1) if left else Done()


AWAY = Job(
    name=NAME,
    text=Text("网关久未恢复时告警", "Raise an alarm for a gateway that stays away"),
    work=_tell,
    retry=Retry(first_s=2, most_s=10, times=None),
)
"""Never given up: a site that is cut off must ring."""

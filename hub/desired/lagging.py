"""An alarm where a gateway that is there holds older rights than are wanted, for a minute and longer."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text

from contract.texts import Text
from hub.alarms import own
from hub.database.transactions import Database

LAG_S = 60.0
RULE = "rights.behind"

MESSAGE = Text(
    "网关 {gateway} 的权限不是最新的：已注销的卡可能仍能开门",
    "Gateway {gateway} holds old rights: a revoked card may still open",
)
RESPONSE = Text(
    "1. 急需停用的卡或人，请现场处理；2. 检查网关到总控台的网络；3. 网络正常仍不恢复，查看网关日志并通知技术支持。"
    "权限更新后告警自动结束。",
    "1. Deal on site with cards or persons that must not pass. 2. Check the gateway's line. 3. If it is good, look into"
    " the gateway's log and call technical support. The alarm ends when it holds what is wanted.",
)

_STANDING = text("SELECT id, site, online FROM gateways WHERE id = ANY(:ids)")


@dataclass
class _Lag:
    """`wanted`: the revision that it has to reach, since when (monotonic) it was wanted."""

    site: str
    wanted: int
    since: float


class Lagging:
    """Who lags, since when. One due moment for all: the earliest; nothing is asked before it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lags: dict[str, _Lag] = {}
        self._raised: dict[str, str] = {}

    async def remember(self) -> None:
        """Which alarms are there from before."""
        async with self._database.transaction() as conn:
            there = list(await own.present(conn, RULE))
            for row in await conn.execute(_STANDING, {"ids": there}):
                self._raised[row.id] = row.site

    def saw(self, gateway: str, site: str, held: int, current: int, now: float) -> None:
        """What it holds beside what is wanted."""
        lag = self._lags.get(gateway)
        if held == current:
            self._lags.pop(gateway, None)
        elif lag is None or held >= lag.wanted:
            # It follows; what it lacks now is younger.
            self._lags[gateway] = _Lag(site, current, now)

    def next_due(self) -> float | None:
        """When (monotonic) something is to be looked at next."""
        moments = [lag.since + LAG_S for gateway, lag in self._lags.items() if gateway not in self._raised]
        return min(moments, default=None)

    async def turn(self, now: float) -> None:
        """Raises what is due and clears what is over: all in one transaction, so that sending does not wait for it."""
        due = [each for each, lag in self._lags.items() if each not in self._raised and now >= lag.since + LAG_S]
        over = {gateway: site for gateway, site in self._raised.items() if gateway not in self._lags}
        behind = await self._there(due) if due else {}
        if not behind and not over:
            return
        async with self._database.transaction(writes=True) as conn:
            for gateway, site in behind.items():
                words = {"gateway": gateway}
                message = Text(MESSAGE.zh.format(**words), MESSAGE.en.format(**words))
                await own.raise_(conn, site, RULE, gateway, severity="critical", message=message, response=RESPONSE)
            for gateway, site in over.items():
                await own.clear(conn, site, RULE, gateway)
        self._raised |= behind
        for gateway in over:
            del self._raised[gateway]

    async def _there(self, due: list[str]) -> dict[str, str]:
        """Those of `due` that are there, and their sites.

        Who is away cannot hold it, and that it is away is told already. Its next word starts the minute.
        """
        async with self._database.transaction() as conn:
            rows = (await conn.execute(_STANDING, {"ids": due})).all()
        there = {row.id: row.site for row in rows if row.online}
        for gateway in due:
            if gateway not in there:
                del self._lags[gateway]
        return there

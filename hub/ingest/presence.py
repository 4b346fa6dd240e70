"""Signs of life: who is there, who is gone (last will or silence), and what a birth says of the streams."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

import structlog
from prometheus_client import Gauge
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.acks import Ack
from contract.facts.hub import GatewaySeen
from contract.instants import instant, milliseconds
from contract.presence import Presence
from contract.texts import Text
from hub.commands import service as commands
from hub.database.driver import driver
from hub.database.failures import FAULTS, passes
from hub.database.rows import StatementRow
from hub.database.transactions import Database, outcome
from hub.downlink import Send
from hub.events import stream
from hub.gateways.service import GATEWAY_COLUMNS, gateway_frame
from hub.ingest import away, records
from hub.ingest.arrivals import PresenceArrived
from hub.ingest.rule import judge_birth
from hub.jobs.job import Again, Job, Retry, Work

log = structlog.get_logger(__name__)

ONLINE = Gauge("gatehouse_gateways_online", "Gateways that are there")
BACKLOG = Gauge("gatehouse_gateway_backlog", "Events that a gateway has not got acknowledged", ["gateway"])

LARGEST = 2**53
"""Numbers of a gateway are kept up to here; beyond it they mean nothing."""

LOOKS = 4
"""In the time that a gateway may be silent: so much later, by its part, it is noticed where only others hear."""

_RETRY_S = 2.0

_HEARD = text(
    "UPDATE gateways SET online = TRUE, seen_at = :now, stream = :stream, head_seq = :head_seq, backlog = :backlog,"
    " readings_backlog = :readings_backlog, clock = :clock, clock_error_ms = :clock_error_ms, software = :software,"
    " desired = :desired, site_file = :site_file, reads = :reads,"
    " born_at = CASE WHEN :birth THEN :at ELSE born_at END"
    f" WHERE id = :id RETURNING {GATEWAY_COLUMNS}"
)
_KNOWN = text("SELECT site, online, born_at, stream FROM gateways WHERE id = :id")
_GONE = text(f"UPDATE gateways SET online = FALSE WHERE id = :id AND online RETURNING {GATEWAY_COLUMNS}")
_SILENT = text(
    "UPDATE gateways SET online = FALSE"
    " WHERE id = :id AND online AND seen_at IS NOT DISTINCT FROM CAST(:seen_at AS timestamptz)"
    f" RETURNING {GATEWAY_COLUMNS}"
)
_THERE = text("SELECT id, seen_at FROM gateways WHERE online")
_COMMITTED = text(
    "SELECT g.id, s.id AS stream, s.head_seq, s.head_hash FROM gateways g"
    " JOIN streams s ON s.id = g.stream AND s.gateway = g.id"
)

Heard = Callable[[str, str, Presence], None]
"""Called with gateway, site and presence, after each sign of life is committed."""


class _Sign(NamedTuple):
    """The last sign of life: when it came to this process, by its steady clock, and as the database tells it."""

    at: float
    seen_at: datetime | None


class GatewayPresence:
    """Takes note of presence, and of its absence."""

    def __init__(self, database: Database, send: Send, *, silence_s: float, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._send = send
        self._silence_s = silence_s
        self._now_ms = now_ms
        self._heard: list[Heard] = []
        self._last: dict[str, _Sign] = {}
        self._births: dict[str, tuple[str, str]] = {}
        self._to_greet = asyncio.Event()

    def subscribe(self, heard: Heard) -> None:
        """`heard` is called after each sign of life."""
        self._heard.append(heard)

    def connected(self) -> None:
        """The broker is there (again): signs of life may have gone by unheard."""
        self._to_greet.set()

    async def greet(self) -> None:
        """Tell every gateway what is committed each time the broker is there; it answers with a sign of life."""
        while True:
            await self._to_greet.wait()
            self._to_greet.clear()
            try:
                async with self._database.transaction() as conn:
                    rows = (await conn.execute(_COMMITTED)).all()
            except FAULTS as error:
                if not passes(error):
                    raise
                self._to_greet.set()
                await asyncio.sleep(_RETRY_S)
                continue
            at = instant(self._now_ms())
            for row in rows:
                head = row.head_hash.hex() if row.head_seq else None
                self._send(row.id, "ack", Ack(stream=row.stream, state="committed", seq=row.head_seq, at=at, head=head))

    async def seen(self, arrived: PresenceArrived) -> None:
        """Take note of a birth, a heartbeat or a last will."""
        presence = arrived.presence
        if presence.state == "gone":
            if not self._stale_will(arrived):
                await self.lost(arrived.gateway, "last will")
            return
        alive = await self._alive(arrived)
        if alive is None:
            return
        site, ack = alive
        self._last[arrived.gateway] = _Sign(asyncio.get_running_loop().time(), _received(arrived))
        BACKLOG.labels(arrived.gateway).set(min(presence.backlog, LARGEST))
        ONLINE.set(len(self._last))
        for heard in self._heard:
            heard(arrived.gateway, site, presence)
        # Last: by now it is known which version this gateway reads.
        if ack is not None:
            self._send(arrived.gateway, "ack", ack)

    async def lost(self, gateway: str, why: str) -> None:
        """Note that a gateway is gone: `gateway.lost`, once."""
        async with self._database.transaction(writes=True) as conn:
            row = (await conn.execute(_GONE, {"id": gateway})).one_or_none()
            await _tell_lost(conn, row)
        self._forget(gateway, row, why)

    async def silent(self) -> float:
        """Note who has been silent for too long; seconds until it is worth looking again.

        What others on the same database hear counts as much, also where this process hears nothing: each look finds
        it. A sign of life that is new here came now at the latest, so that no two clocks are compared; whoever was
        there before this process gets the whole time from its first look on.
        """
        loop = asyncio.get_running_loop()
        await self._look()
        for gateway, last in sorted(self._last.items(), key=lambda one: one[1].at):
            if loop.time() - last.at >= self._silence_s:
                await self._lost_by_silence(gateway, last)
        earliest = min((last.at for last in self._last.values()), default=loop.time())
        return max(min(earliest + self._silence_s - loop.time(), self._silence_s / LOOKS), 0.05)

    async def _lost_by_silence(self, gateway: str, last: _Sign) -> None:
        async with self._database.transaction(writes=True) as conn:
            row = (await conn.execute(_SILENT, {"id": gateway, "seen_at": last.seen_at})).one_or_none()
            await _tell_lost(conn, row)
        # Otherwise another process heard it just now, or lost it: the next look finds which.
        if row is not None:
            self._forget(gateway, row, f"silent for {self._silence_s:g} s")

    def _forget(self, gateway: str, row: StatementRow | None, why: str) -> None:
        self._last.pop(gateway, None)
        ONLINE.set(len(self._last))
        if row is not None:
            log.warning("gateway.lost", gateway=gateway, why=why)

    async def _look(self) -> None:
        """Learn from the database whom others found, heard or lost."""
        loop = asyncio.get_running_loop()
        asked = loop.time()
        async with self._database.transaction() as conn:
            there = {row.id: row.seen_at for row in await conn.execute(_THERE)}
        # What this process heard since it asked is newer.
        before = {gateway: last for gateway, last in self._last.items() if last.at < asked}
        for gateway in before.keys() - there.keys():
            del self._last[gateway]
        now = loop.time()
        for gateway, seen_at in there.items():
            if gateway not in self._last or (gateway in before and before[gateway].seen_at != seen_at):
                self._last[gateway] = _Sign(now, seen_at)
        ONLINE.set(len(self._last))

    def _stale_will(self, arrived: PresenceArrived) -> bool:
        # A will carries the time of its connection, which lies between the birth before it and its own. The broker may
        # publish the last connection's will after the new one's birth: that one is not newer than the birth before.
        before, _ = self._births.get(arrived.gateway, ("", ""))
        return arrived.presence.at <= before

    async def _alive(self, arrived: PresenceArrived) -> tuple[str, Ack | None] | None:
        """The gateway's site, and what to answer to a birth; None if nobody knows this gateway."""
        presence, gateway = arrived.presence, arrived.gateway
        async with self._database.transaction(writes=True) as conn:
            known = (await conn.execute(_KNOWN, {"id": gateway})).one_or_none()
            if known is None:
                log.warning("gateway.unknown", gateway=gateway)
                return None
            row = (await conn.execute(_HEARD, _heard(arrived))).one()
            if not known.online:
                data = GatewaySeen(gateway=gateway, backlog=row.backlog)
                await stream.record(conn, "gateway.found", gateway, data, site=row.site)
                await away.found(conn, gateway, row.site)
                # What was asked while it was away, and is worth it still.
                outcome(conn).commands.add(gateway)
                log.info("gateway.found", gateway=gateway)
            outcome(conn).state(gateway_frame(row))
            await commands.told(conn, gateway, presence.answered, _received(arrived))
            ack = None
            repeated = known.stream == presence.stream and known.born_at == datetime.fromisoformat(presence.at)
            if (presence.state == "birth" and not repeated) or (presence.state == "alive" and presence.asks):
                ack = await self._judged(conn, gateway, presence)
        if presence.state == "birth":
            _, last = self._births.get(gateway, ("", ""))
            if presence.at != last:
                # A gateway whose time was taken back tells nothing by a birth that claims to be later than this one.
                self._births[gateway] = (last if last < presence.at else "", presence.at)
        return str(row.site), ack

    async def _judged(self, conn: AsyncConnection, gateway: str, presence: Presence) -> Ack:
        pg = await driver(conn)
        head = (await records.lock_streams(pg, [presence.stream])).get(presence.stream)
        seq = min(presence.head_seq, LARGEST)
        held = (await records.held_hashes(pg, [(presence.stream, seq, seq)])).get(presence.stream, {}).get(seq)
        verdict = judge_birth(head, gateway, presence, held)
        assert verdict.state != "accept"
        if verdict.why:
            log.warning("gateway.birth", gateway=gateway, state=verdict.state, seq=verdict.seq, why=verdict.why)
        at = instant(self._now_ms())
        last = head.hash if head is not None and head.gateway == gateway and 0 < verdict.seq == head.seq else None
        return Ack(stream=presence.stream, state=verdict.state, seq=verdict.seq, at=at, why=verdict.why, head=last)


def _heard(arrived: PresenceArrived) -> dict[str, object]:
    presence = arrived.presence
    measured = presence.clock_error_ms
    error_ms = milliseconds(presence.at) - arrived.at_ms if measured is None else measured
    return {
        "id": arrived.gateway,
        "now": _received(arrived),
        "at": datetime.fromisoformat(presence.at),
        "birth": presence.state == "birth",
        "stream": presence.stream,
        "head_seq": min(presence.head_seq, LARGEST),
        "backlog": min(presence.backlog, LARGEST),
        "readings_backlog": min(presence.readings_backlog, LARGEST),
        "clock": presence.clock,
        "clock_error_ms": max(-LARGEST, min(error_ms, LARGEST)),
        "software": presence.versions.software.replace("\x00", "")[:64],
        "desired": max(0, min(presence.versions.desired, LARGEST)),
        "site_file": presence.versions.site_file.replace("\x00", "")[:128],
        "reads": presence.reads,
    }


def _received(arrived: PresenceArrived) -> datetime:
    return datetime.fromtimestamp(arrived.at_ms / 1000, UTC)


async def _tell_lost(conn: AsyncConnection, row: StatementRow | None) -> None:
    if row is not None:
        data = GatewaySeen(gateway=row.id, backlog=row.backlog)
        await stream.record(conn, "gateway.lost", row.id, data, site=row.site)
        await away.lost(conn)
        outcome(conn).state(gateway_frame(row))


async def _find_silent(work: Work) -> Again:
    return Again(await work.part(GatewayPresence).silent())


SILENCE = Job(
    name="gateways.silence",
    text=Text("发现离线的网关", "Notice gateways that go offline"),
    work=_find_silent,
    lease_s=10,
    retry=Retry(first_s=2, most_s=10, times=None),
)
"""Never given up: a site that is cut off must be seen."""

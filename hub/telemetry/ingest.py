"""Readings into the database: one transaction for many blobs, idempotent by (point, time)."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec
import structlog
from prometheus_client import Counter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.acks import Ack
from contract.instants import instant
from contract.readings import Quality, ReadingsBatch, Value
from hub.database.driver import Driver, driver
from hub.database.event import latest, present, to_instant
from hub.database.transactions import Database, outcome
from hub.ingest import refusals
from hub.ingest.accept import NOT_ENROLLED, Answer
from hub.ingest.arrivals import MessageRefused, PictureArrived, ReadingsArrived
from hub.ingest.records import sites_of
from hub.pictures.service import keep
from hub.telemetry.months import LATEST_MS, Month, month_of
from hub.telemetry.readings import QUALITIES, Arrays, type_of

log = structlog.get_logger(__name__)

READINGS = Counter("gatehouse_ingest_readings", "Readings stored")
SKIPPED = Counter("gatehouse_ingest_readings_skipped", "Blobs of readings that gateways dropped before they were sent")
LEFT_OUT = Counter("gatehouse_ingest_readings_refused", "Readings that were left out, and why", ["why"])

READINGS_LOCK = 0x7265_6164
"""Key of the advisory lock between storing readings (shared) and summing hours."""

MOST_POINTS = 50_000
"""Points of one site at the most: a gateway gone wild must not fill the table."""


AHEAD = timedelta(days=1)
"""Readings further ahead of their receipt are refused: of a clock that ran wild. Stored at another time than their own
they would be doubled when they come again. Those that are nearer are kept where they stand in the gateway's time."""

_NEWEST = text(
    "SELECT id, unit, value, quality, at FROM points WHERE site = :site AND at IS NOT NULL"
    " AND split_part(id, '.', 2) = ANY(:names) ORDER BY id"
)

_SEEN = "SELECT max(received_at) FROM (SELECT received_at FROM events ORDER BY id DESC LIMIT 1000) AS newest"
"""The receipt of the latest events: a few of them, so that a time when the clock was ahead is soon forgotten."""


class NewerReading(NamedTuple):
    """The latest reading of a point, newer than what was held. `id`: `device.point`."""

    id: str
    unit: str
    value: Value
    quality: Quality
    at: datetime


Latest = Callable[[AsyncConnection, str, Sequence[NewerReading], datetime], Awaitable[None]]
"""Called with a site, its points that have newer readings, and their receipt, in the transaction that stores them."""


class Readings:
    """Stores what the bulk lane brings. `latest`: who wants to know newest values, in the same transaction."""

    def __init__(
        self,
        database: Database,
        latest: Sequence[Latest] = (),
        *,
        now_ms: Callable[[], int],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._latest = latest
        self._now_ms = now_ms
        self._partitions: set[Month] = set()
        self._refusals = refusals.Refusals()
        self._monotonic = monotonic
        self._present: tuple[datetime, float] | None = None

    async def store(self, arrived: Sequence[ReadingsArrived | PictureArrived]) -> list[Answer]:
        """Commit `arrived` in one transaction; what to answer then."""
        now = datetime.fromtimestamp(self._now_ms() / 1000, UTC)
        made: set[Month] = set()
        async with self._database.transaction() as conn:
            # Shared: sums of hours are made while no readings are on their way.
            await conn.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": READINGS_LOCK})
            pg = await driver(conn)
            until_ms = _until_ms(await self._at_least(pg, now))
            sites = await sites_of(pg, {one.gateway for one in arrived})
            answers = await self._answers(pg, arrived, sites, now)
            accepted = [one for one, answer in zip(arrived, answers, strict=True) if answer.ack.state == "committed"]
            blobs = [one for one in accepted if isinstance(one, ReadingsArrived)]
            found: dict[str, Arrays] = {}
            for site in sorted({sites[one.gateway] for one in blobs}):
                batches = [one.batch for one in blobs if sites[one.gateway] == site]
                arrays = await _arrays(pg, site, batches, until_ms)
                if arrays.points:
                    found[site] = arrays
            # Before any reading is stored: a process that had stored some would wait for one that waits for it.
            await self._partition(pg, {at for arrays in found.values() for at in arrays.at}, now, made)
            for site, arrays in found.items():
                await self._store_site(conn, pg, site, arrays, now)
            for one in accepted:
                if isinstance(one, PictureArrived):
                    await keep(pg, sites[one.gateway], one.gateway, one.picture, now)
        self._partitions |= made
        await self._tell([refused for one in blobs if (refused := _too_late(one, until_ms)) is not None])
        return answers

    async def _at_least(self, pg: Driver, now: datetime) -> datetime:
        """The present, which is never before what the hub has received: good readings are not lost for its own clock.

        A clock that fell behind is overruled by what this process and the history have seen, and by the time since.
        """
        elapsed = self._monotonic()
        if self._present is None:
            seen = await pg.fetchval(_SEEN) or now
        else:
            seen = self._present[0] + timedelta(seconds=elapsed - self._present[1])
        present = max(now, seen)
        self._present = present, elapsed
        return present

    async def _tell(self, refused: Sequence[MessageRefused]) -> None:
        """Count and record what was left out; apart from the readings, which must not wait for the history."""
        worth = self._refusals.worth_recording(refused, self._now_ms())
        if worth:
            async with self._database.transaction(writes=True) as conn:
                await refusals.record(conn, worth)
            self._refusals.recorded(worth, self._now_ms())

    async def _answers(
        self,
        pg: Driver,
        arrived: Sequence[ReadingsArrived | PictureArrived],
        sites: dict[str, str],
        now: datetime,
    ) -> list[Answer]:
        at = to_instant(now)
        blobs = [one for one in arrived if isinstance(one, ReadingsArrived) and one.gateway in sites]
        stores = await _Stores.locked(pg, blobs, now)
        answers = []
        for one in arrived:
            if one.gateway not in sites:
                name = one.batch.store if isinstance(one, ReadingsArrived) else one.picture.id
                ack = Ack(stream=name, state="refused", seq=0, at=at, why=NOT_ENROLLED)
            elif isinstance(one, PictureArrived):
                ack = Ack(stream=one.picture.id, state="committed", seq=0, at=at)
            else:
                ack = stores.judge(one, at)
            answers.append(Answer(one.gateway, ack))
        await stores.write(pg)
        return answers

    async def _store_site(self, conn: AsyncConnection, pg: Driver, site: str, arrays: Arrays, now: datetime) -> None:
        READINGS.inc(await _insert(pg, arrays))
        newer = await _newest(pg, arrays, now)
        if newer:
            for reading in newer:
                outcome(conn).state(_frame(site, reading))
            for told in self._latest:
                await told(conn, site, newer, now)

    async def _partition(self, pg: Driver, moments: Collection[datetime], now: datetime, made: set[Month]) -> None:
        wanted = {month for at in moments if (month := month_of(at, now)) is not None}
        for month in sorted(wanted - self._partitions - made):
            await make_partition(pg, month)
            made.add(month)


async def hold_readings(conn: AsyncConnection) -> None:
    """Wait until no readings are being stored; until this transaction ends, none will be."""
    await conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": READINGS_LOCK})


async def newest_of(conn: AsyncConnection, site: str, names: Collection[str]) -> list[NewerReading]:
    """The latest readings of a site's points called `<device>.<name>`."""
    rows = await conn.execute(_NEWEST, {"site": site, "names": sorted(names)})
    return [NewerReading(row.id, row.unit, row.value, QUALITIES[row.quality], row.at) for row in rows]


class _Stores:
    """The gateways' stores of readings, locked: how far each is held."""

    def __init__(self, held: dict[str, tuple[str, int, int]], now: datetime) -> None:
        self._held = held
        self._now = now
        self._moved: set[str] = set()

    @classmethod
    async def locked(cls, pg: Driver, blobs: Sequence[ReadingsArrived], now: datetime) -> _Stores:
        rows = await pg.fetch(
            "SELECT id, gateway, seq, skipped FROM reading_stores WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE",
            [one.batch.store for one in blobs],
        )
        return cls({row["id"]: (row["gateway"], row["seq"], row["skipped"]) for row in rows}, now)

    def judge(self, one: ReadingsArrived, at: str) -> Ack:
        """Next in sequence, or the oldest that the gateway still has: committed. What is held already is stored again:
        rows are idempotent, and a restored store may have other readings under an old number."""
        batch = one.batch
        gateway, seq, skipped = self._held.get(batch.store, (one.gateway, 0, 0))
        if gateway != one.gateway:
            why = f"store {batch.store} belongs to another gateway"
            return Ack(stream=batch.store, state="refused", seq=0, at=at, why=why)
        next_seq = max(seq + 1, batch.oldest)
        if batch.seq > next_seq:
            return Ack(stream=batch.store, state="expected", seq=next_seq - 1, at=at)
        if batch.seq > seq:
            gone = batch.seq - seq - 1
            SKIPPED.inc(gone)
            self._held[batch.store] = gateway, batch.seq, skipped + gone
            self._moved.add(batch.store)
        return Ack(stream=batch.store, state="committed", seq=batch.seq, at=at)

    async def write(self, pg: Driver) -> None:
        """Store how far each is held now."""
        moved = [(store, *self._held[store]) for store in sorted(self._moved)]
        await pg.executemany(
            "INSERT INTO reading_stores (id, gateway, seq, skipped, started_at) VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, skipped = excluded.skipped",
            [(*one, self._now) for one in moved],
        )


async def make_partition(pg: Driver, month: Month) -> None:
    """The partition of a month; what of it lies in the partition of the rest moves over."""
    if await pg.fetchval("SELECT to_regclass($1) IS NOT NULL", month.partition):
        return
    start, end = to_instant(month.start), to_instant(month.end)
    name = month.partition
    # One at a time, and against a second process that wants the same month.
    await pg.execute("LOCK TABLE readings IN SHARE UPDATE EXCLUSIVE MODE")
    if await pg.fetchval("SELECT to_regclass($1) IS NOT NULL", name):
        return
    await pg.execute(f"CREATE TABLE {name} (LIKE readings INCLUDING ALL)")
    await pg.execute(
        f"WITH moved AS (DELETE FROM readings_other WHERE at >= '{start}' AND at < '{end}' RETURNING *)"
        f" INSERT INTO {name} SELECT * FROM moved"
    )
    await pg.execute(f"ALTER TABLE readings ATTACH PARTITION {name} FOR VALUES FROM ('{start}') TO ('{end}')")
    log.info("readings.partition", name=name)


async def _point_keys(pg: Driver, site: str, batches: Sequence[ReadingsBatch]) -> dict[str, int]:
    wanted = {column.point: column for batch in batches for column in batch.columns}
    rows = await pg.fetch("SELECT id, key FROM points WHERE site = $1 AND id = ANY($2::text[])", site, list(wanted))
    keys: dict[str, int] = {row["id"]: row["key"] for row in rows}
    missing = sorted(wanted.keys() - keys.keys())
    if missing:
        room = MOST_POINTS - await pg.fetchval("SELECT count(*) FROM points WHERE site = $1", site)
        made = await pg.fetch(
            "INSERT INTO points (site, id, type, unit) SELECT $1, id, type, ''"
            " FROM unnest($2::text[], $3::text[]) AS new (id, type)"
            " ON CONFLICT (site, id) DO UPDATE SET id = excluded.id RETURNING id, key",
            site,
            missing[: max(0, room)],
            [type_of(wanted[point].values) for point in missing[: max(0, room)]],
        )
        keys |= {row["id"]: row["key"] for row in made}
    return keys


async def _arrays(pg: Driver, site: str, batches: Sequence[ReadingsBatch], until_ms: int) -> Arrays:
    keys = await _point_keys(pg, site, batches)
    arrays = Arrays(until_ms=until_ms)
    for batch in batches:
        for column in batch.columns:
            if (key := keys.get(column.point)) is not None:
                arrays.add(key, column)
            else:
                LEFT_OUT.labels("points").inc(len(column.at))
    LEFT_OUT.labels("time").inc(arrays.refused)
    return arrays


async def _insert(pg: Driver, arrays: Arrays) -> int:
    done = await pg.execute(
        "INSERT INTO readings (point, at, value, label, quality)"
        " SELECT * FROM unnest($1::int[], $2::timestamptz[], $3::float8[], $4::text[], $5::smallint[])"
        " ON CONFLICT (point, at) DO NOTHING",
        arrays.points,
        arrays.at,
        arrays.values,
        arrays.labels,
        arrays.qualities,
    )
    hours = {
        (point, at.replace(minute=0, second=0, microsecond=0))
        for point, at in zip(arrays.points, arrays.at, strict=True)
    }
    dirty = sorted(hours)
    await pg.execute(
        "INSERT INTO readings_dirty (point, hour) SELECT * FROM unnest($1::int[], $2::timestamptz[])"
        " ON CONFLICT DO NOTHING",
        [point for point, _ in dirty],
        [hour for _, hour in dirty],
    )
    return int(done.rsplit(" ", 1)[1])


def _until_ms(now: datetime) -> int:
    return min(round((now + AHEAD).timestamp() * 1000), LATEST_MS)


def _too_late(one: ReadingsArrived, until_ms: int) -> MessageRefused | None:
    """What is left out of these readings because it claims to be of a time to come; None if nothing is."""
    newest = max((at for column in one.batch.columns for at in column.at), default=0)
    if newest < until_ms:
        return None
    count = sum(at >= until_ms for column in one.batch.columns for at in column.at)
    at = instant(newest) if newest < LATEST_MS else f"{newest} ms"
    return MessageRefused(
        one.gateway, "telemetry", f"{count} readings are of a time to come, up to {at}", fault="future"
    )


async def _newest(pg: Driver, arrays: Arrays, now: datetime) -> list[NewerReading]:
    """Update the latest readings; those points that have a newer one now. One held from the future gives way."""
    order = sorted(arrays.latest)
    until = latest(now)
    rows = await pg.fetch(
        "UPDATE points SET value = new.value::json, quality = new.quality, at = new.at"
        " FROM unnest($1::int[], $2::text[], $3::smallint[], $4::timestamptz[]) AS new (key, value, quality, at)"
        " WHERE points.key = new.key AND (points.at IS NULL OR points.at <= new.at OR points.at > $5)"
        " RETURNING points.id, points.unit, new.value AS text, points.quality, points.at",
        order,
        [arrays.latest[key].value for key in order],
        [arrays.latest[key].quality for key in order],
        [min(arrays.latest[key].at, until) for key in order],
        present(now),
    )
    return [
        NewerReading(
            row["id"],
            row["unit"],
            None if row["text"] is None else msgspec.json.decode(row["text"]),
            QUALITIES[row["quality"]],
            row["at"],
        )
        for row in rows
    ]


def _frame(site: str, reading: NewerReading) -> dict[str, object]:
    return {
        "kind": "point",
        "id": reading.id,
        "site": site,
        "unit": reading.unit,
        "value": reading.value,
        "quality": reading.quality,
        "at": to_instant(reading.at),
    }

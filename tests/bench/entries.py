"""`entries`: finding who came among a million entries, by whatever somebody types; the box for everything beside it."""

from __future__ import annotations

import asyncio
import shutil
import signal
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]

from hub import migrations
from hub.access.spelling import found_by
from hub.database.transactions import Database
from hub.entries import service
from hub.entries.service import WantedEntries
from hub.search import box, words
from rules.access.values import plate_key
from tests.bench.hub import database_at
from tests.bench.rows import Row, percentile
from tests.leftovers import postgres_folder

AIM_MS = 50.0
SITES = ("east", "west")
SURNAMES, GIVEN = "周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张", "建国明华丽军平志强文秀兰芳伟敏静涛超"

NOBODY = "what nobody has"
WORDS = {
    "a whole plate, written otherwise": "沪r·7 6732",
    "a part of a plate": "8K9",
    "the beginning of a plate": "沪A",
    "a name": "周建国",
    "pinyin initials": "zjg",
    "a surname": "周",
    "a room": "12栋304",
    "a place": "东门",
    NOBODY: "QQQ777",
}

FEW = tuple(WORDS[what] for what in ("a whole plate, written otherwise", "a part of a plate", "a room", "a name"))
"""Of these there may be less than a page."""

PAGE = 60


def run(short: bool) -> Iterable[Row]:
    """p95 in milliseconds of one page of 60, and of one answer of the box."""
    count, times = (100_000, 10) if short else (1_000_000, 30)
    yield from asyncio.run(_run(count, times))


async def _run(count: int, times: int) -> list[Row]:
    home = postgres_folder()
    postgres, server = database_at(home)
    rows: list[Row] = []
    try:
        while not await asyncio.to_thread(postgres.ready):  # noqa: ASYNC110 - a foreign process
            await asyncio.sleep(0.05)
        base = Database(postgres.url, pool_size=2, command_timeout=None)
        await migrations.upgrade(base)
        await _fill(postgres.url, count)
        for what, typed in WORDS.items():
            took = await _timed(base, typed, times, _entries)
            rows.append(Row("entries", f"{count} entries, {what}, p95", "ms", took, aim=AIM_MS, runs=times))
            took = await _timed(base, typed, times, _people)
            rows.append(Row("entries", f"50000 people, {what}, p95", "ms", took, aim=AIM_MS, runs=times))
        await base.close()
    finally:
        server.send_signal(signal.SIGINT)
        await asyncio.to_thread(server.wait, 30)
        shutil.rmtree(Path(home), ignore_errors=True)
    return rows


async def _timed(base: Database, typed: str, times: int, work: Callable[[Database, str], Awaitable[None]]) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        await work(base, typed)
        took.append((time.perf_counter() - began) * 1000)
    return percentile(took, 0.95)


async def _entries(base: Database, typed: str) -> None:
    async with base.session() as session:
        await service.planned_anew(await session.connection())
        meant = await words.meaning(session, SITES, typed, people=True)
        found = await service.search(await session.connection(), WantedEntries(sites=SITES, meant=meant), PAGE + 1)
    # A page that is empty by mistake is fast.
    assert bool(found) is (typed != WORDS[NOBODY]), typed
    assert len(found) == PAGE + 1 or typed in (WORDS[NOBODY], *FEW), (typed, len(found))


async def _people(base: Database, typed: str) -> None:
    async with base.session() as session:
        await service.planned_anew(await session.connection())
        await box._people(session, SITES, typed)
        await box._vehicles(session, SITES, typed)


async def _fill(url: str, count: int) -> None:
    conn = await asyncpg.connect(url)
    await conn.execute("SET synchronous_commit = off")
    await conn.execute('INSERT INTO companies (id, name, version) VALUES (\'company\', \'{"zh": "x", "en": "x"}\', 1)')
    layout = '{"doors": [{"id": "lobby", "name": {"zh": "大堂", "en": "Lobby"}}],' \
        ' "lanes": [{"id": "gate", "name": {"zh": "东门入口", "en": "East gate"}}]}'  # fmt: skip
    for site in SITES:
        await conn.execute(
            "INSERT INTO sites (id, company, name, timezone, layout, created_at)"
            " VALUES ($1, 'company', '{\"zh\": \"x\", \"en\": \"x\"}', 'Asia/Shanghai', $2, now())", site, layout,
        )  # fmt: skip
    people = []
    for number in range(50_000):
        name = SURNAMES[number % 20] + GIVEN[number // 20 % 18] + GIVEN[number // 360 % 18]
        unit = f"{number % 30 + 1}-{number // 30 % 30 + 1}{number % 4 + 1:02}"
        people.append((SITES[number % 2], f"h-{number}", name, "resident", unit, "", found_by(name, unit)))
    columns = ["site", "id", "name", "kind", "unit", "spelled", "found_by"]
    await conn.execute("ALTER TABLE holders ALTER room_order SET DEFAULT '', ALTER changed_at SET DEFAULT now()")
    await conn.execute("ALTER TABLE holders ALTER version SET DEFAULT 1")
    await conn.copy_records_to_table("holders", records=people, columns=columns)
    plates = [
        f"{'沪京苏浙'[number % 4]}{chr(65 + number // 4 % 20)}{number * 7919 % 100000:05}" for number in range(50_000)
    ]
    for place in range(0, len(plates), 97):
        plates[place] = plates[place][:2] + "8K9" + plates[place][5:]
    await conn.execute("ALTER TABLE credentials ALTER changed_at SET DEFAULT now(), ALTER version SET DEFAULT 1")
    await conn.copy_records_to_table(
        "credentials",
        records=[(SITES[n % 2], f"c-{n}", "plate", f"{plate}", f"h-{n}", "lost") for n, plate in enumerate(plates)],
        columns=["site", "id", "kind", "value", "holder", "state"],
    )
    await conn.execute("CREATE TEMP TABLE made (n int, plate text, key text, holder text, site text)")
    made = [(n, plate, plate_key(plate), f"h-{n}", SITES[n % 2]) for n, plate in enumerate(plates)]
    await conn.copy_records_to_table("made", records=made)
    await conn.execute(
        "INSERT INTO entries (event, site, at, source, outcome, traveller, direction, credential, plate, plate_key,"
        " holder, code) SELECT id, site, now() - (id * interval '31 seconds'), source, 'granted', traveller, 'in',"
        " credential, plate, key, holder, 'granted' FROM"
        " (SELECT id, site, 'gate' AS source, 'car' AS traveller, 'plate' AS credential, plate, key, holder"
        f" FROM generate_series(3, {count}, 3) AS id JOIN made ON made.n = (id::bigint * 7919) % 50000"
        " UNION ALL SELECT id, site, 'lobby', 'person', 'card', NULL, NULL, holder"
        f" FROM generate_series(1, {count}) AS id JOIN made ON made.n = (id::bigint * 7919) % 50000 WHERE id % 3 > 0)"
    )
    # A page is read with its events, as long as an honest one is.
    await conn.execute(
        "INSERT INTO events (id, site, gateway, stream, seq, at, received_at, kind, source, clock, data, hash)"
        " SELECT event, site, 'gw', repeat('0', 32), event, at, at, 'access.granted', source, 'ok', json_build_object("
        " 'credential', json_build_object('kind', credential, 'value', coalesce(plate, '04A1B2C3D4E5F6')),"
        " 'holder', holder, 'rule', 'g-1', 'revision', 1, 'direction', 'in', 'reader', 'reader-1', 'picture', NULL,"
        " 'reason', json_build_object('code', 'granted', 'zh', '有通行权限', 'en', 'Has a grant')),"
        " decode(repeat('00', 32), 'hex') FROM entries"
    )
    await conn.execute("VACUUM ANALYZE")
    await conn.close()

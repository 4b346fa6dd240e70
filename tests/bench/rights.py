"""`rights`: very many rights at one gateway. The whole arrives, cards are revoked, and doors decide meanwhile.

A real hub over PostgreSQL, a broker, a gateway; sixteen doors at 100 cards a second in all. The whole comes as it does
after a hub was restored: the gateway holds an older one and goes on deciding by it until the last part is there. The
limit of a door is the same door before anything arrives.
"""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import uvloop
import yaml

from tests.bench.door import CHANNELS, DOORS, Bench, card_of
from tests.bench.gateway import GATEWAY, Gateway, site_of_doors
from tests.bench.hub import Hub, hub
from tests.bench.rows import Row, percentile

CREDENTIALS = 200_000
GRANTS_EACH = 5
REVISION_ITEMS = 500
RESTORED = 1_000_000
"""A revision that the hub had before it was restored: more than all that follow."""

_FILL = (
    # One holder and one card each, then their grants, as an import would leave them.
    "INSERT INTO desired_items (site, kind, id, value, revision, changed_at) SELECT 'bench', 'holder',"
    " md5('h' || n)::uuid::text, json_build_object('id', md5('h' || n)::uuid::text, 'name', '住户 ' || n,"
    " 'kind', 'resident', 'unit', '1-' || n % 900, 'valid_from', null, 'valid_to', null), 2 + n / {step}, now()"
    " FROM generate_series(1, {credentials}) AS n",
    "INSERT INTO desired_items (site, kind, id, value, revision, changed_at) SELECT 'bench', 'credential',"
    " md5('c' || n)::uuid::text, json_build_object('id', md5('c' || n)::uuid::text, 'kind', 'card', 'value',"
    " '08' || lpad(upper(to_hex(n)), 12, '0'), 'holder', md5('h' || n)::uuid::text, 'state', 'active',"
    " 'valid_from', null, 'valid_to', null), 2 + n / {step}, now() FROM generate_series(1, {credentials}) AS n",
    "INSERT INTO desired_items (site, kind, id, value, revision, changed_at) SELECT 'bench', 'grant',"
    " md5('g' || n)::uuid::text, json_build_object('id', md5('g' || n)::uuid::text, 'holder',"
    " md5('h' || (1 + n / {each}))::uuid::text, 'places', json_build_array('door-' || n % 16), 'schedule', 'always',"
    " 'valid_from', null, 'valid_to', null), 2 + n / {step}, now()"
    " FROM generate_series(0, {credentials} * {each} - 1) AS n",
)


@dataclass
class Measured:
    """What was seen. Times in seconds, memory in MB. `unanswered`: cards that the next one at their door overtook."""

    load_s: float = 0.0
    items: int = 0
    quiet: list[float] = field(default_factory=list)
    while_loading: list[float] = field(default_factory=list)
    revoked_s: list[float] = field(default_factory=list)
    while_revoking: list[float] = field(default_factory=list)
    memory: float = 0.0
    peak: float = 0.0
    unanswered: int = 0


def run(short: bool) -> Iterable[Row]:
    """The whole, the revocations, the doors meanwhile, the memory."""
    seconds = float(os.environ.get("GATEHOUSE_BENCH_S", "10" if short else "30"))
    credentials = 2_000 if short else CREDENTIALS
    seen = uvloop.run(_measured(credentials, seconds))
    size = f"{credentials:,} credentials, {credentials * GRANTS_EACH:,} grants"
    notes: dict[str, float | str] = {"items": seen.items, "cards_overtaken": seen.unanswered}
    yield Row("rights", f"the whole arrives, {size}", "s", ours=seen.load_s, aim=300.0, notes=notes)
    for when, delays in (("the whole arrives", seen.while_loading), ("cards are revoked", seen.while_revoking)):
        ours, quiet = (percentile(each, 0.99) * 1000 for each in (delays, seen.quiet))
        yield Row("rights", f"card → lock while {when}, p99", "ms", ours=ours, limit=quiet, aim=5.0,
                  notes={"cards": len(delays), "limit": "quiet, before"})  # fmt: skip
    slowest = max(seen.revoked_s)
    yield Row("rights", "a revocation: answered by the hub → told to be in force, slowest", "s", ours=slowest, aim=2.0,
              notes={"revocations": len(seen.revoked_s)})  # fmt: skip
    yield Row("rights", f"gateway's resident memory, {size}", "MB", ours=seen.memory, aim=250.0,
              notes={"peak": seen.peak})  # fmt: skip


async def _measured(credentials: int, seconds: float) -> Measured:
    bench = Bench()
    await bench.open()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        site = site_of_doors([reader.port for reader in bench.readers], bench.boards, CHANNELS)
        revoked = [f"v-{number}" for number in range(max(2, round(seconds / 2)))]
        people = folder / "people.yaml"
        people.write_text(yaml.safe_dump(_people(revoked)))
        gateway = Gateway(folder, site, None)
        async with (
            gateway,
            hub(folder, site_file=gateway.site_file, people=people, broker_port=gateway.broker_port) as office,
        ):
            seen = await _seen(bench, office, revoked, credentials=credentials, seconds=seconds)
            assert gateway.process is not None
            seen.memory, seen.peak = gateway.memory(), _peak(gateway.process.pid)
            return seen


async def _seen(bench: Bench, office: Hub, revoked: list[str], *, credentials: int, seconds: float) -> Measured:
    seen = Measured()
    # As if the hub had been further before: the gateway will hold more than it has after that.
    await office.database.execute("UPDATE desired_revisions SET revision = $1", RESTORED)
    await _until(office, "desired = $1", RESTORED, 60)
    await bench.drive(2.0)
    seen.quiet = await bench.drive(seconds / 2)
    for query in _FILL:
        await office.database.execute(query.format(credentials=credentials, step=REVISION_ITEMS, each=GRANTS_EACH))
    await office.database.execute("ANALYZE desired_items")
    newest = "UPDATE desired_revisions SET revision = (SELECT max(revision) FROM desired_items)"
    begin = time.monotonic()
    await office.database.execute(newest)
    loading = asyncio.create_task(_until(office, "desired = $1", RESTORED + 1, 1800))
    while not loading.done():
        seen.while_loading += await bench.drive(3.0)
    seen.load_s = await loading - begin
    seen.items = await office.database.fetchval("SELECT count(*) FROM desired_items")
    await asyncio.sleep(5.0)
    revoking = asyncio.create_task(_revoke(office, revoked))
    seen.while_revoking = await bench.drive(seconds)
    seen.revoked_s = await revoking
    seen.unanswered = bench.unanswered
    return seen


def _peak(pid: int) -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1000 if found else 0.0


async def _revoke(office: Hub, revoked: list[str]) -> list[float]:
    """Revokes one card after the other; how long each took from the hub's answer on."""
    took = []
    for name in revoked:
        body = {"kind": "card", "value": _card(name), "form": "hex", "holder": name, "state": "revoked"}
        answer = await office.client.put(f"/api/credentials/c-{name}", json=body, headers={"If-Match": "*"})
        assert answer.status_code == 200, answer.text
        answered = time.monotonic()
        revision = await office.database.fetchval("SELECT revision FROM desired_revisions")
        took.append(await _until(office, "desired >= $1", revision, 60) - answered)
        await asyncio.sleep(1.0)
    return took


async def _until(office: Hub, what: str, revision: int, within_s: float) -> float:
    """The moment (monotonic) from which on the hub knows that the gateway is as far as that."""
    query = f"SELECT EXISTS (SELECT 1 FROM gateways WHERE id = '{GATEWAY}' AND {what})"
    async with asyncio.timeout(within_s):
        while not await office.database.fetchval(query, revision):  # noqa: ASYNC110 - a table, it can only be asked
            await asyncio.sleep(0.02)
    return time.monotonic()


def _card(name: str) -> str:
    return f"0A{int(name.removeprefix('v-')):012X}"


def _people(revoked: list[str]) -> dict[str, list[dict[str, object]]]:
    """A resident a door, whose card always opens it, and those whose card will be revoked."""
    doors = {f"d-{door}": (card_of(door), f"door-{door}") for door in range(DOORS)}
    all_ = doors | {name: (_card(name), "door-0") for name in revoked}
    return {
        "holders": [{"id": name, "name": name} for name in all_],
        "credentials": [
            {"id": f"c-{name}", "kind": "card", "value": card, "holder": name} for name, (card, _) in all_.items()
        ],
        "grants": [{"id": f"g-{name}", "holder": name, "places": [door]} for name, (_, door) in all_.items()],
    }

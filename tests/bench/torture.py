"""`torture`: a whole site on its worst day, and what is equal on both sides when it is over.

Faults are drawn by a seed, one after the other, while cards, cars, alarms, commands and changes of rights go on. At the
end everything must be at the hub exactly once and in order, and both sides must say the same of what stands.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from random import Random
from typing import Any

from tests.bench.hostile.faults import FAULTS
from tests.bench.hostile.ledger import Ledger
from tests.bench.hostile.site import HostileSite
from tests.bench.hostile.traffic import Traffic
from tests.bench.rows import Row
from tests.journeys.running import ROOT, eventually

LONG_FAULTS, LONG_EVENTS = 110, 50_000
SHORT_FAULTS = 12
SEED = int(os.environ.get("GATEHOUSE_TORTURE_SEED", "1"))


def run(short: bool) -> Iterable[Row]:
    """What was lost, doubled, out of order or unequal: all of it must be nothing."""
    random, ledger = Random(SEED), Ledger()
    happened: Counter[str] = Counter()
    with HostileSite(ROOT / "var" / "bench" / f"torture-{os.getpid()}") as site:
        with Traffic(site, SEED, each_s=0.2 if short else 0.03) as traffic:
            for name in _drawn(random, short):
                FAULTS[name](site, ledger, random)
                happened[name] += 1
                print(f"torture: {name}", file=sys.stderr, flush=True)
            until = time.monotonic() + 1200
            while not short and len(ledger.take(site.journal)) and len(ledger.recorded) < LONG_EVENTS:
                if time.monotonic() > until:
                    break
                time.sleep(10)
        settled = site.settled()
        unequal = _unequal(site)
        site.end()
        ledger.take(site.journal)
        at_hub = site.at_hub()
        yield from _rows(site, ledger, traffic, at_hub, happened, settled=settled, unequal=unequal)


def _drawn(random: Random, short: bool) -> Iterator[str]:
    """The short form: the first ones, each once. The long form: all, and then whatever comes."""
    names = list(FAULTS)
    if short:
        yield from names[:SHORT_FAULTS]
        return
    random.shuffle(names)
    yield from names
    for _ in range(LONG_FAULTS - len(names)):
        yield random.choice(names)


def _rows(
    site: HostileSite,
    ledger: Ledger,
    traffic: Traffic,
    at_hub: Counter[Any],
    happened: Counter[str],
    *,
    settled: bool,
    unequal: dict[str, str],
) -> Iterator[Row]:
    lost, doubled = ledger.lost(at_hub), ledger.doubled(at_hub)
    notes: dict[str, float | str] = {
        "seed": SEED,
        "faults": happened.total(),
        "kinds of fault": len(happened),
        "events recorded": len(ledger.recorded),
        "destroyed with the only copy": len(ledger.gone),
        "starts": site.starts,
        "commands": len(traffic.commands),
        "cards": traffic.presented,
    }
    yield _nothing("events lost", lost.total(), notes | _samples(lost) | {"hub has all": str(settled)})
    yield _nothing("events doubled", doubled.total(), _samples(doubled))
    yield _nothing("streams whose chain or order is broken", _broken(site), {})
    yield _nothing("starts of the gateway at which no door opened", len(site.dead_starts), _listed(site.dead_starts))
    yield _nothing("commands carried out twice", len(twice := _twice(site)), _listed(twice))
    yield _nothing("things that stand otherwise on the two sides", len(unequal), dict(unequal))


def _nothing(what: str, ours: int, notes: dict[str, Any]) -> Row:
    return Row("torture", what, "", float(ours), aim=0, notes=notes)


def _samples(found: Counter[Any]) -> dict[str, float | str]:
    return {f"sample {number}": str(tuple(each))[:300] for number, each in enumerate(list(found)[:5], 1)}


def _listed(found: list[str]) -> dict[str, float | str]:
    return {f"sample {number}": each for number, each in enumerate(found[:5], 1)}


# --- When it is over


def _broken(site: HostileSite) -> int:
    """Streams that do not verify, and those whose events do not stand in the order of their sequence."""
    verified = subprocess.run(
        [sys.executable, "-m", "hub", "verify"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": site.demo.info["database_url"]},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    crossed = site.asked(
        "SELECT DISTINCT stream FROM (SELECT stream, seq, lag(seq) OVER (PARTITION BY stream ORDER BY id) AS before"
        " FROM events) AS placed WHERE before >= seq"
    )
    if verified.returncode != 0:
        print(verified.stdout[-2000:], verified.stderr[-2000:], file=sys.stderr)
    return len(crossed) + (verified.returncode != 0)


def _twice(site: HostileSite) -> list[str]:
    rows = site.asked(
        "SELECT data->>'command' AS command, kind FROM events WHERE kind IN ('door.released', 'command.done')"
        " AND data->>'command' IS NOT NULL GROUP BY data->>'command', kind HAVING count(*) > 1"
    )
    return [f"{row['kind']} of {row['command']}" for row in rows]


def _unequal(site: HostileSite) -> dict[str, str]:
    """What the two sides do not agree on, after a moment's patience; empty if they do."""
    found: dict[str, str] = {}
    for name, look in (("alarms", _alarms), ("tickets", _tickets), ("desired state", _desired), ("meters", _meters)):
        seen: list[tuple[Any, Any]] = []

        def agree(look: Any = look, seen: list[tuple[Any, Any]] = seen) -> bool:
            seen.append(look(site))
            return bool(seen[-1][0] == seen[-1][1])

        try:
            eventually(agree, within_s=90, every_s=2)
        except AssertionError as error:
            found[name] = f"hub {seen[-1][0]}, gateway {seen[-1][1]}"[:1500] if seen else str(error)[:500]
    return found


def _all(api: Any, path: str, **query: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = api.get(path, limit=100, cursor=cursor or None, **query)
        items += page["items"]
        if page["next"] is None:
            return items
        cursor = page["next"]


_OPEN = "active,acknowledged,shelved,cleared"


def _alarms(site: HostileSite) -> tuple[Any, Any]:
    # What the hub itself raised is not the gateway's to know.
    own = {row["id"] for row in site.asked("SELECT id FROM alarms WHERE gateway = ''")}
    hub = {one["id"]: one["state"] for one in _all(site.hub("guard"), "/api/alarms", site="demo", state=_OPEN)}
    here = {one["id"]: one["state"] for one in _all(site.gateway("guard"), "/api/alarms", state=_OPEN)}
    return {name: state for name, state in hub.items() if name not in own}, here


def _tickets(site: HostileSite) -> tuple[Any, Any]:
    """Tickets of alarms that are not over: which there are. (Their steps are the hub's alone.)"""
    hub = {
        one["alarm"] for one in _all(site.hub("maintenance"), "/api/tickets", site="demo") if one["state"] != "closed"
    }
    here = {one["alarm"] for one in _all(site.gateway("maintenance"), "/api/tickets") if one["state"] != "closed"}
    still = {one["id"] for one in _all(site.gateway("guard"), "/api/alarms", state="active,acknowledged,shelved")}
    return hub & still, here & still


def _desired(site: HostileSite) -> tuple[Any, Any]:
    wanted = site.asked("SELECT revision FROM desired_revisions WHERE site = 'demo'")[0]["revision"]
    held = site.asked("SELECT desired FROM gateways WHERE site = 'demo'")[0]["desired"]
    return wanted, held


def _meters(site: HostileSite) -> tuple[Any, Any]:
    """The last value of each register, here and as the last `meter.read` of the journal tells it."""
    hub = {row["id"]: row["value"] for row in site.asked("SELECT id, value FROM meters WHERE site = 'demo'")}
    here: dict[str, float] = {}
    for name in hub:
        events = site.gateway("maintenance").get("/api/events", kind="meter.read", source=name, limit=1)["items"]
        if events:
            here[name] = events[0]["data"]["value"]
    return {name: hub[name] for name in here}, here

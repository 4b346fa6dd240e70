"""What may happen to a site: each fault from its beginning to its end, with what it destroys noted in the ledger."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from types import MappingProxyType

from tests.bench.hostile.ledger import Ledger, missing_in
from tests.bench.hostile.site import CLOCK_SETTLES_S, HostileSite
from tests.bench.hostile.traffic import wait
from tests.journeys.running import eventually

PAGE = 4096
YEAR_2099_S = 2_300_000_000.0
"""From today on: some 73 years ahead."""

Fault = Callable[[HostileSite, Ledger, Random], None]


# --- Processes


def gateway_killed(site: HostileSite, ledger: Ledger, random: Random) -> None:
    with site.stopped(kill=True):
        wait(random.uniform(0, 1))


def gateway_frozen(site: HostileSite, ledger: Ledger, random: Random) -> None:
    with site.frozen(site.pid):
        wait(random.uniform(1, 6))


def _running(site: HostileSite, name: str) -> int:
    """Its process; waited for, if the fault before has killed it."""

    def started() -> bool:
        return site.demo.info["pids"][name] is not None

    eventually(started, within_s=60)
    pid: int = site.demo.info["pids"][name]
    return pid


def _killed(name: str) -> Fault:
    def fault(site: HostileSite, ledger: Ledger, random: Random) -> None:
        _running(site, name)
        site.demo.kill(name)
        wait(random.uniform(1, 3))

    return fault


def _frozen(name: str) -> Fault:
    def fault(site: HostileSite, ledger: Ledger, random: Random) -> None:
        with site.frozen(_running(site, name)):
            wait(random.uniform(2, 12))

    return fault


def broker_wiped(site: HostileSite, ledger: Ledger, random: Random) -> None:
    with site.demo.down("broker"):
        shutil.rmtree(site.folder / "demo" / "broker" / "jetstream", ignore_errors=True)


def hub_away(site: HostileSite, ledger: Ledger, random: Random) -> None:
    with site.demo.down("hub"):
        wait(random.uniform(2, 8))


# --- The journal's file


def _copied(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for old in target.glob("journal.sqlite*"):
        if ".damaged-" not in old.name and not old.name.endswith(".lock"):
            old.unlink()
    for suffix in ("", "-wal"):
        part = source / f"journal.sqlite{suffix}"
        if part.exists():
            shutil.copy2(part, target)


def _replaced(site: HostileSite, ledger: Ledger, copy: Path) -> None:
    """Another life of the journal in the place of this one; what only this one held is gone."""
    held = set(ledger.take(site.journal))
    kept = set(ledger.take(copy / "journal.sqlite"))
    _copied(copy, site.data)
    ledger.destroyed(held - kept, site.at_hub())


def _older_journal(times: int, *, hub_away: bool) -> Fault:
    def fault(site: HostileSite, ledger: Ledger, random: Random) -> None:
        copy = site.folder / "copy"
        if hub_away:
            site.demo.tell("stop", "hub")
            wait(2)
        with site.stopped(kill=random.random() < 0.5):
            _copied(site.data, copy)
        if hub_away:
            site.demo.tell("start", "hub")
        for _ in range(times):
            wait(random.uniform(3, 6))
            with site.stopped(kill=random.random() < 0.5):
                _replaced(site, ledger, copy)

    return fault


def journal_deleted(site: HostileSite, ledger: Ledger, random: Random) -> None:
    with site.stopped(kill=True):
        held = set(ledger.take(site.journal))
        for suffix in ("", "-wal", "-shm"):
            site.journal.with_name(site.journal.name + suffix).unlink(missing_ok=True)
        ledger.destroyed(held, site.at_hub())


def _overwritten(file: Path, pages: list[int], random: Random) -> None:
    with file.open("r+b") as raw:
        for page in pages:
            raw.seek(page * PAGE)
            raw.write(random.randbytes(PAGE))


def _damaged_journal(pages: int, *, unsent: bool) -> Fault:
    """`unsent`: the hub is away before, so that the pages hold what it does not have."""

    def fault(site: HostileSite, ledger: Ledger, random: Random) -> None:
        if unsent:
            site.demo.tell("stop", "hub")
            wait(random.uniform(2, 5))
        with site.stopped(kill=False):
            rows = ledger.take(site.journal)
            whole = site.journal.stat().st_size // PAGE
            lowest = max(1, whole * 3 // 4) if unsent else 1
            _overwritten(site.journal, [random.randrange(lowest, whole) for _ in range(pages)], random)
            ledger.destroyed(missing_in(site.journal, rows), site.at_hub())
        if unsent:
            site.demo.tell("start", "hub")

    return fault


def journal_cut_short(site: HostileSite, ledger: Ledger, random: Random) -> None:
    with site.stopped(kill=False):
        rows = ledger.take(site.journal)
        with site.journal.open("r+b") as raw:
            raw.truncate(site.journal.stat().st_size // 2)
        ledger.destroyed(missing_in(site.journal, rows), site.at_hub())


def _damaged_store(name: str, *, live: bool) -> Fault:
    def fault(site: HostileSite, ledger: Ledger, random: Random) -> None:
        def damage() -> None:
            file = site.file(name)
            whole = file.stat().st_size // PAGE
            if whole > 1:
                _overwritten(file, [random.randrange(1, whole) for _ in range(3)], random)

        if live:
            damage()
            wait(3)
            with site.stopped(kill=True):
                pass
        else:
            with site.stopped(kill=True):
                damage()

    return fault


# --- Its disk and its clock


def disk_full(site: HostileSite, ledger: Ledger, random: Random) -> None:
    site.fill_disk()
    wait(random.uniform(2, 8))
    site.free_disk()
    wait(3)


def disk_full_at_start(site: HostileSite, ledger: Ledger, random: Random) -> None:
    site.fill_disk()
    wait(1)
    with site.stopped(kill=True):
        pass
    wait(2)
    site.free_disk()
    wait(4)


def _clock(ahead_s: float, *, restarted: bool = False) -> Fault:
    def fault(site: HostileSite, ledger: Ledger, random: Random) -> None:
        site.set_clock(ahead_s)
        wait(CLOCK_SETTLES_S + random.uniform(2, 8))
        if restarted:
            with site.stopped(kill=True):
                pass
            wait(2)
        site.set_clock(0)
        wait(CLOCK_SETTLES_S)

    return fault


FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        "gateway killed": gateway_killed,
        "journal: a page of unsent events overwritten": _damaged_journal(1, unsent=True),
        "clock in 2099": _clock(YEAR_2099_S),
        "an older journal twice": _older_journal(2, hub_away=True),
        "disk full": disk_full,
        "hub killed": _killed("hub"),
        "readings: pages overwritten": _damaged_store("readings", live=False),
        "clock in 2099 over a restart": _clock(YEAR_2099_S, restarted=True),
        "disk full at the start": disk_full_at_start,
        "journal: pages overwritten": _damaged_journal(3, unsent=False),
        "database killed": _killed("postgres"),
        "held: pages overwritten": _damaged_store("held", live=False),
        "an older journal": _older_journal(1, hub_away=False),
        "journal deleted": journal_deleted,
        "broker killed": _killed("broker"),
        "clock in 1970": _clock(-1_790_000_000.0),
        "clock 90 s ahead": _clock(90.0),
        "clock 120 s behind": _clock(-120.0),
        "gateway frozen": gateway_frozen,
        "hub frozen": _frozen("hub"),
        "broker frozen": _frozen("broker"),
        "broker wiped": broker_wiped,
        "hub away": hub_away,
        "journal cut short": journal_cut_short,
        "readings: pages overwritten while it runs": _damaged_store("readings", live=True),
        "simulators killed": _killed("simulators"),
    }
)
"""Name → fault. The short form takes them from the top."""

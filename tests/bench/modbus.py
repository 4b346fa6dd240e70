"""`modbus`: one Modbus TCP endpoint, 20 units × 125 registers, every register decoded, 5 % changing and journaled.

Ours is a gateway process with journal, readings on disk and an uplink that is acknowledged; the slave is slave.c on
libmodbus, which counts every read, so that the values stored afterwards say exactly what was lost, doubled or stale.
The limit reads the same slave in the same run and does nothing else; the peer reads it with the settings in
thingsboard.py, and what arrives at its MQTT server is what counts.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from tests.bench.process import GatewayProcess, probe_profile, probe_site
from tests.bench.reckoning import Reckoning, reckon
from tests.bench.rows import Row, median
from tests.bench.slaves import REGISTERS, CountingSlave, limit_c, limit_python
from tests.bench.thingsboard import NAME, ThingsBoard
from tests.bench.windows import Window, window

UNITS = 20
SATURATED_S = 0.001
"""A period that nobody can keep: as fast as it goes."""

SKIPPED = ("bus_overruns_total", "bus_missed_total")
"""Figures of the gateway that count samples which were due and not read."""

PEER_PERIOD_S = 0.1
PERIODS_S = (PEER_PERIOD_S, 0.02)


@dataclass
class Ours:
    """One period of one run. `uncounted`: samples that were due, not read, and not counted as missed either."""

    window: Window
    reckoning: Reckoning
    uncounted: int
    memory: float


@dataclass
class Run:
    """One run: everything side by side."""

    python: dict[str, float]
    c: dict[str, float]
    ours: dict[float, Ours] = field(default_factory=dict)
    peer: Window | None = None
    peer_delivered: float = 0.0
    peer_memory: float = 0.0


def run(short: bool) -> Iterable[Row]:
    """Reads a second, CPU for each 1,000 points, what is lost; medians of the runs."""
    runs, seconds = (1, 3.0) if short else (5, 8.0)
    done = [uvloop.run(_run(seconds)) for _ in range(runs)]
    fast = [one.ours[SATURATED_S] for one in done]
    slow = [one.ours[PEER_PERIOD_S] for one in done]
    limits = [one.python["reads_s"] for one in done]
    notes: dict[str, float | str] = {
        "limit": "a bare pymodbus client on uvloop",
        "libmodbus C reads/s": round(median([one.c["reads_s"] for one in done])),
        "peer": f"{NAME}, {UNITS / PEER_PERIOD_S:g} reads/s asked, those that arrived at its MQTT server",
        "RSS MB": round(median([one.memory for one in fast])),
    }
    delivered = median([one.peer_delivered for one in done])
    yield Row(
        "modbus", f"TCP, {UNITS} units × 125 registers, as fast as it goes", "1/s",
        ours=median([one.window.rate for one in fast]), peer=delivered, limit=median(limits),
        aim=2500.0, better="higher", runs=runs, notes=notes,
    )  # fmt: skip
    yield Row(
        "modbus", "share of the bare loop's reads", "",
        ours=median([one.window.rate / limit for one, limit in zip(fast, limits, strict=True)]),
        peer=median([one.peer_delivered / limit for one, limit in zip(done, limits, strict=True)]),
        aim=0.40, better="higher", runs=runs,
    )  # fmt: skip
    peer_cpu = median([one.peer.cpu_per_1000 for one in done if one.peer is not None])
    for name, at in (("as fast as it goes", fast), (f"{UNITS / PEER_PERIOD_S:g} reads/s asked", slow)):
        yield Row(
            "modbus", f"CPU for 1,000 points, {name}", "ms",
            ours=1000 * median([one.window.cpu_per_1000 for one in at]), peer=1000 * peer_cpu,
            limit=1000 * median([one.python["cpu_s"] / (one.python["reads"] * REGISTERS / 1000) for one in done]),
            aim=3.2, runs=runs,
        )  # fmt: skip
    every = [each for one in done for each in one.ours.values()]
    asked = UNITS / PEER_PERIOD_S
    yield Row(
        "modbus", "changes lost, doubled or wrong, all periods", "",
        ours=float(sum(one.reckoning.lost + one.reckoning.wrong for one in every)), aim=0.0, runs=runs,
        notes={
            "values compared": sum(one.reckoning.kept for one in every),
            "peer's share of asked reads that never arrived": round(1 - delivered / asked, 3),
        },
    )  # fmt: skip
    yield Row(
        "modbus", "samples due, neither read nor counted as missed", "",
        ours=float(sum(one.uncounted for one in every)), aim=0.0, runs=runs,
    )  # fmt: skip


async def _run(seconds: float) -> Run:
    # Machines are faster and slower from one moment to the next: the limit is taken on both sides of what it limits.
    async with CountingSlave(UNITS) as slave:
        before = await limit_python(slave.port, UNITS, seconds / 2)
        fast = await of_gateway(SATURATED_S, seconds)
        after = await limit_python(slave.port, UNITS, seconds / 2)
        limit = {name: (before[name] + after[name]) / 2 for name in before}
        done = Run(limit, await limit_c(slave.port, UNITS, seconds / 2), {SATURATED_S: fast})
    for period in PERIODS_S:
        done.ours[period] = await of_gateway(period, seconds)
    await of_peer(done, seconds)
    return done


async def of_gateway(period_s: float, seconds: float) -> Ours:
    """Our gateway, asked for everything every `period_s`."""
    async with CountingSlave(UNITS) as slave:
        wire = {"net": {"kind": "modbus-tcp", "host": "127.0.0.1", "port": slave.port}}
        units = {f"u{unit}": ("net", unit) for unit in range(1, UNITS + 1)}
        with tempfile.TemporaryDirectory() as folder:
            site = probe_site(wire, units, period_s)
            async with GatewayProcess(Path(folder), site, probe_profile()) as gateway:
                await asyncio.sleep(1.0)
                before = await gateway.metrics()
                seen = await window(slave, gateway, seconds)
                after = await gateway.metrics()
                memory = gateway.memory()
                await gateway.stop()
                counts = await slave.counts()
                reckoning = reckon(gateway.stored(), {f"u{u}": (u, reads) for u, reads in enumerate(counts, 1)})
            counted = sum(after.get(name, 0.0) - before.get(name, 0.0) for name in SKIPPED)
            due = seen.seconds * UNITS / period_s
            # One sample of each unit may fall on either side of the window.
            uncounted = max(0.0, due - sum(seen.reads) - counted - UNITS)
            return Ours(seen, reckoning, round(uncounted), memory)


async def of_peer(done: Run, seconds: float) -> None:
    """The peer beside it, noted in `done`."""
    async with CountingSlave(UNITS) as slave:
        with tempfile.TemporaryDirectory() as folder:
            peer = ThingsBoard(Path(folder), port=slave.port, units=UNITS, period_s=PEER_PERIOD_S)
            async with peer:
                await asyncio.wait_for(peer.flowing(), 30)
                await asyncio.sleep(1.0)
                before = peer.arrived()
                done.peer = await window(slave, peer, seconds)
                done.peer_delivered = (peer.arrived() - before) / done.peer.seconds
                done.peer_memory = peer.memory()

"""`idle`: 2,000 points over 20 devices that stay as they are, read once a second: what the gateway's process costs.

A whole gateway with journal and uplink; the peer reads the same slave at the same pace.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import uvloop

from tests.bench.process import GatewayProcess, probe_profile, probe_site
from tests.bench.rows import Row, median
from tests.bench.slaves import CountingSlave
from tests.bench.thingsboard import NAME, ThingsBoard
from tests.bench.windows import Reads, window

UNITS = 20
REGISTERS = 101
"""The first two are one point: 100 points a device."""

PERIOD_S = 1.0


class Cost(NamedTuple):
    """`share`: of one core, 0..1; `memory`: RSS in MB."""

    share: float
    memory: float
    rate: float


def run(short: bool) -> Iterable[Row]:
    """Memory and share of a core; medians of the runs."""
    runs, seconds = (1, 8.0) if short else (3, 30.0)
    ours = [uvloop.run(of_gateway(seconds)) for _ in range(runs)]
    peer = [uvloop.run(of_peer(seconds)) for _ in range(runs)]
    notes: dict[str, float | str] = {
        "reads/s": round(median([one.rate for one in ours]), 2),
        "peer": NAME,
        "peer's reads/s": round(median([one.rate for one in peer]), 2),
    }
    yield Row(
        "idle", f"2,000 points, {UNITS} devices, {PERIOD_S:g} s: RSS", "MB",
        ours=median([one.memory for one in ours]), peer=median([one.memory for one in peer]), aim=100.0,
        runs=runs, notes=notes,
    )  # fmt: skip
    yield Row(
        "idle", f"2,000 points, {UNITS} devices, {PERIOD_S:g} s: of one core", "%",
        ours=100 * median([one.share for one in ours]), peer=100 * median([one.share for one in peer]), aim=5.0,
        runs=runs, notes=notes,
    )  # fmt: skip


async def of_gateway(seconds: float) -> Cost:
    """Our gateway."""
    async with CountingSlave(UNITS, still=True) as slave:
        wire = {"net": {"kind": "modbus-tcp", "host": "127.0.0.1", "port": slave.port}}
        units = {f"u{unit}": ("net", unit) for unit in range(1, UNITS + 1)}
        with tempfile.TemporaryDirectory() as folder:
            site = probe_site(wire, units, PERIOD_S)
            async with GatewayProcess(Path(folder), site, probe_profile(REGISTERS)) as gateway:
                return await _cost(slave, gateway, seconds)


async def of_peer(seconds: float) -> Cost:
    """The peer."""
    async with CountingSlave(UNITS, still=True) as slave:
        with tempfile.TemporaryDirectory() as folder:
            peer = ThingsBoard(Path(folder), port=slave.port, units=UNITS, period_s=PERIOD_S, registers=REGISTERS - 1)
            async with peer:
                await asyncio.wait_for(peer.flowing(), 30)
                return await _cost(slave, peer, seconds)


async def _cost(slave: CountingSlave, reader: Reads, seconds: float) -> Cost:
    await asyncio.sleep(3.0)
    seen = await window(slave, reader, seconds)
    return Cost(seen.cpu_s / seen.seconds, reader.memory(), seen.rate)

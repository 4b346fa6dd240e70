"""`dead-unit`: what one silent unit of 20 behind one Modbus TCP endpoint costs the other 19.

The unit falls silent while everything is read at an even pace; from five seconds later on the other units' reads are
compared with what they were before. The time-out is 1 s for ours and for the peer.
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
from tests.bench.windows import Reads, Window, window

UNITS = 20
DEAD = 7
TIMEOUT_S = 1.0
SETTLE_S = 5.0
OURS_PERIOD_S = 0.02
PEER_PERIOD_S = 1.0
"""A pace that favours the peer: the faster it is asked, the more of its reads wait behind the silent unit's."""


class Shares(NamedTuple):
    """The other units' reads against those before. `back_s`: from when the unit answers again to its first read."""

    kept: float
    at_once: float
    back_s: float


def run(short: bool) -> Iterable[Row]:
    """The share of the healthy rate; medians of the runs."""
    runs, seconds = (1, 5.0) if short else (3, 12.0)
    ours = [uvloop.run(of_gateway(seconds)) for _ in range(runs)]
    peer = [uvloop.run(of_peer(seconds)) for _ in range(runs)]
    notes: dict[str, float | str] = {
        "reads/s asked": UNITS / OURS_PERIOD_S,
        "answers again → read again, s": round(max(one.back_s for one in ours), 1),
        "in the first 5 s": round(median([one.at_once for one in ours]), 3),
        "peer": f"{NAME}, {UNITS / PEER_PERIOD_S:g} reads/s asked, time-out 1 s, 3 retries",
        "peer in the first 5 s": round(median([one.at_once for one in peer]), 3),
    }
    yield Row(
        "dead-unit", f"one of {UNITS} silent: the others' reads, from {SETTLE_S:g} s on", "",
        ours=median([one.kept for one in ours]), peer=median([one.kept for one in peer]),
        aim=0.95, better="higher", runs=runs, notes=notes,
    )  # fmt: skip


async def of_gateway(seconds: float) -> Shares:
    """Our gateway."""
    async with CountingSlave(UNITS) as slave:
        wire = {"net": {"kind": "modbus-tcp", "host": "127.0.0.1", "port": slave.port, "timeout_s": TIMEOUT_S}}
        units = {f"u{unit}": ("net", unit) for unit in range(1, UNITS + 1)}
        with tempfile.TemporaryDirectory() as folder:
            site = probe_site(wire, units, OURS_PERIOD_S)
            async with GatewayProcess(Path(folder), site, probe_profile()) as gateway:
                return await _shares(slave, gateway, seconds)


async def of_peer(seconds: float) -> Shares:
    """The peer."""
    async with CountingSlave(UNITS) as slave:
        with tempfile.TemporaryDirectory() as folder:
            peer = ThingsBoard(
                Path(folder), port=slave.port, units=UNITS, period_s=PEER_PERIOD_S, timeout_s=TIMEOUT_S, retries=3
            )
            async with peer:
                await asyncio.wait_for(peer.flowing(), 30)
                return await _shares(slave, peer, seconds)


async def _shares(slave: CountingSlave, reader: Reads, seconds: float) -> Shares:
    await asyncio.sleep(1.0)
    before = await window(slave, reader, seconds)
    slave.dead(DEAD)
    at_once = await window(slave, reader, SETTLE_S)
    settled = await window(slave, reader, seconds)
    slave.dead(0)
    back = await _back(slave, (await slave.counts())[DEAD - 1])
    return Shares(_others(settled) / _others(before), _others(at_once) / _others(before), back)


def _others(seen: Window) -> float:
    return sum(reads for unit, reads in enumerate(seen.reads, 1) if unit != DEAD) / seen.seconds


async def _back(slave: CountingSlave, reads: int) -> float:
    loop = asyncio.get_running_loop()
    begin = loop.time()
    while loop.time() - begin < 60:
        await asyncio.sleep(0.1)
        if (await slave.counts())[DEAD - 1] > reads:
            return loop.time() - begin
    return float("inf")

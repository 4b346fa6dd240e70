"""`footprint`: the gateway's memory, its way from start to the first decision, and `make run` from start to ready."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import psutil
import uvloop

from tests.bench.door import Bench, card_of
from tests.bench.gateway import Gateway, grants_for, site_of_doors
from tests.bench.rows import Row, median
from tests.journeys.running import ROOT, Demo

CHANNELS = 8


def run(short: bool) -> Iterable[Row]:
    """Seconds and megabytes, medians of the runs."""
    runs = 1 if short else 5
    starts = [uvloop.run(_first_decision()) for _ in range(runs)]
    yield Row(
        "footprint", "gateway: process start → lock pulse of the first card", "s", median(starts), aim=2.0, runs=runs
    )
    ready: list[float] = []
    memory: list[float] = []
    for number in range(1 if short else 3):
        seconds, megabytes = _demo(number, settle_s=10.0 if short else 60.0)
        ready.append(seconds)
        memory.append(megabytes)
    runs = len(ready)
    yield Row("footprint", "gateway of the demo site, rhythm on: RSS", "MB", median(memory), aim=90.0, runs=runs)
    yield Row("footprint", "make run on a warm machine → ready", "s", median(ready), aim=15.0, runs=runs)


async def _first_decision() -> float:
    """A gateway that already holds its grants is started; a card lies on the reader as soon as it dials."""
    bench = Bench()
    await bench.open()
    site = site_of_doors([reader.port for reader in bench.readers], bench.boards, CHANNELS)
    with tempfile.TemporaryDirectory() as folder:
        async with Gateway(Path(folder), site, grants_for({"door-0": card_of(0)})) as gateway:
            await gateway.stop()
            for reader in bench.readers:
                reader.dialled.clear()
            begin = time.perf_counter()
            await gateway.start()
            await bench.readers[0].dialled.wait()
            bench.expect(0)
            bench.readers[0].present(card_of(0))
            async with asyncio.timeout(30):
                moved = await bench.first()
            return moved - begin


def _demo(number: int, settle_s: float) -> tuple[float, float]:
    begin = time.perf_counter()
    demo = Demo.start(ROOT / "var" / "bench" / f"demo-{number}", rhythm=True)
    try:
        ready = time.perf_counter() - begin
        time.sleep(settle_s)
        return ready, psutil.Process(demo.info["pids"]["gateway"]).memory_info().rss / 1e6
    finally:
        demo.close()

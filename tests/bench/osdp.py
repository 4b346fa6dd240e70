"""`osdp`: a card shown at a reader → read, by its secure channel, over a line at wire pace; and → the lock's relay.

The limit is libosdp's control panel alone, refreshed every 2 ms; the peer is the same with the 20 ms of its own loop
(both with whole frames: as it comes, it loses what arrives in two reads and gets nowhere at 9600 baud). The reader is
libosdp's too, the same for all. How long a card waits until the reader is asked is up to the library: every 50 ms.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import uvloop

from drivers.osdp.keys import KeyStore
from tests.bench.gateway import GATEWAY, Gateway, grants_for
from tests.bench.lines import PacedLine
from tests.bench.osdp_ends import CARD, KEY
from tests.bench.rows import Row, percentile
from tests.bench.slaves import Told
from tests.bench.wires import open_board

BAUDS = (9600, 115200)
SLACK = 1.15
"""What is asked of us: so many times the limit's p95 of the same run."""

IDLE_S = 5.0
ATTEMPTS = 4


class End(Told):
    """One of `osdp_ends`."""

    def __init__(self, *command: object) -> None:
        super().__init__()
        self._command = command

    async def __aenter__(self) -> End:
        ready = await self.start(sys.executable, "-m", "tests.bench.osdp_ends", *self._command)
        assert ready == "ready", ready
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()


def run(short: bool) -> Iterable[Row]:
    """p95 in milliseconds at both speeds, then what a quiet line costs."""
    cards = 32 if short else 100
    for baud in BAUDS:
        found = uvloop.run(_measured(baud, cards))
        limit, peer = (percentile(found[name], 0.95) for name in ("bare 2 ms", "bare 20 ms"))
        for name, what in (("ours", "card → read"), ("gateway", "card → lock's relay")):
            notes: dict[str, float | str] = {"cards": cards, "again": found["again"][0], "aim": f"{SLACK} × limit"}
            for each in (name, "bare 2 ms", "bare 20 ms"):
                notes[f"p50 {each}"] = round(percentile(found[each], 0.5), 1)
            yield Row(
                "osdp",
                f"{what}, secure channel, {baud} baud, p95",
                "ms",
                ours=percentile(found[name], 0.95),
                limit=limit,
                peer=peer,
                aim=round(SLACK * limit, 1),
                notes=notes,
            )
        yield Row(
            "osdp",
            f"a quiet line, one reader, {baud} baud, of one core",
            "%",
            ours=found["cpu ours"][0],
            limit=found["cpu bare 2 ms"][0],
            aim=3.0,
        )


class Lost(Exception):
    """A card did not come: the machine stood still for 0.2 s, which ended a channel, and the reader forgot the card."""


async def _measured(baud: int, cards: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {"again": [0.0]}
    with tempfile.TemporaryDirectory() as folder:
        KeyStore(Path(folder)).settle("in", KEY)
        ends: dict[str, tuple[object, ...]] = {"bare 20 ms": (20,), "bare 2 ms": (2,), "ours": (baud, folder)}
        for name, rest in ends.items():
            found |= await _again(partial(_alone, baud, cards, name, rest), found)
        found |= await _again(partial(_by_gateway, baud, cards), found)
    return found


async def _again(
    measure: Callable[[], Awaitable[dict[str, list[float]]]], found: dict[str, list[float]]
) -> dict[str, list[float]]:
    for _ in range(ATTEMPTS - 1):
        try:
            return await measure()
        except Lost:
            found["again"][0] += 1
    return await measure()


async def _alone(baud: int, cards: int, name: str, rest: tuple[object, ...]) -> dict[str, list[float]]:
    """One panel alone: milliseconds from each card to its being read, and what it costs while nobody comes."""
    async with (
        PacedLine(baud) as line,
        End("reader", line.slave) as reader,
        End(name.partition(" ")[0], line.master, *rest) as panel,
    ):
        await panel.ask("cards")
        shown = (await reader.ask(f"go {cards} 1"))["cards"]
        await asyncio.sleep(1.0)
        delays = _delays(shown, (await panel.ask("cards"))["cards"])
        return {name: delays, f"cpu {name}": [await _idle(panel)]}


async def _idle(panel: End) -> float:
    """Percent of one core while nobody shows anything."""
    before = (await panel.ask("cpu"))["cpu"]
    await asyncio.sleep(IDLE_S)
    used: float = (await panel.ask("cpu"))["cpu"] - before
    return used / IDLE_S * 100


async def _by_gateway(baud: int, cards: int) -> dict[str, list[float]]:
    moved: list[float] = []
    board = await open_board(lambda address, value, at: moved.append(at))
    with tempfile.TemporaryDirectory() as folder:
        async with PacedLine(baud) as line, End("reader", line.slave) as reader:
            gateway = Gateway(Path(folder), _site(line.master, baud, board), grants_for({"gate": CARD}))
            KeyStore(gateway.data).settle("in", KEY)
            async with gateway:
                await _until_read(reader, moved)
                moved.clear()
                shown = (await reader.ask(f"go {cards} 1"))["cards"]
                await asyncio.sleep(1.0)
    return {"gateway": _delays(shown, moved)}


async def _until_read(reader: End, moved: list[float]) -> None:
    """Until a first card has come through."""
    async with asyncio.timeout(60):
        while not moved:
            await reader.ask("go 1 1")
            await asyncio.sleep(0.5)


def _delays(shown: list[float], read: list[float]) -> list[float]:
    if len(shown) != len(read):
        raise Lost(f"{len(shown)} cards were shown, {len(read)} came")
    return [(came - gone) * 1000 for gone, came in zip(shown, read, strict=True)]


def _site(port: str, baud: int, board: int) -> dict[str, Any]:
    return {
        "site": "bench",
        "name": {"zh": "测试台", "en": "Bench"},
        "gateway": GATEWAY,
        "buses": {
            "line": {"kind": "osdp-serial", "port": port, "baud": baud},
            "board-net": {"kind": "modbus-tcp", "host": "127.0.0.1", "port": board},
        },
        "devices": {
            "in": {"profile": "osdp_reader", "bus": "line", "unit": 0},
            "board": {"profile": "waveshare_eth_relay8_di8", "bus": "board-net"},
        },
        "doors": {
            "gate": {
                "name": {"zh": "门", "en": "Gate"},
                "reader_in": "in",
                "lock": {"device": "board", "output": "relay_1"},
            }
        },
    }

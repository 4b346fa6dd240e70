"""Simulated OSDP readers by the control API: cards, keys, faults; what they show; a key that outlives a restart."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from config import load_site
from drivers.opening import open_bus
from drivers.osdp.bus import OsdpBus
from drivers.reports import CredentialRead
from tests.drivers.sinks import Heard
from tests.simulators.stage import Stage, simulated

SITE = """\
site: yard
name: {zh: 院, en: Yard}
gateway: yard-gw
buses:
  line: {kind: osdp-serial, port: /dev/ttyS9}
  board: {kind: modbus-tcp, host: 10.0.0.1}
devices:
  in: {profile: osdp_keypad_reader, bus: line, unit: 0}
  out: {profile: osdp_reader, bus: line, unit: 1}
  relays: {profile: waveshare_eth_relay8_di8, bus: board}
doors:
  gate: {name: {zh: 门, en: Gate}, reader_in: in, reader_out: out, lock: {device: relays, output: relay_1}}
"""

REFUSED: list[tuple[str, dict[str, Any], int, str]] = [
    ("/sim/readers/in/present", {"card": "04A1B2C3D4E5F6"}, 422, "cannot be read"),
    ("/sim/readers/out/present", {"card": "no card"}, 422, "cannot be read"),
    ("/sim/readers/out/type", {"keys": "1234#"}, 422, "no keypad"),
    ("/sim/readers/in/type", {"keys": "12a4"}, 422, "digits"),
    ("/sim/readers/in/type", {"keys": ""}, 422, "keys"),
    ("/sim/readers/relays/type", {"keys": "1"}, 404, "in, out"),
    ("/sim/faults", {"device": "in", "fault": "dry-run"}, 422, "factory-reset"),
]


@asynccontextmanager
async def yard(folder: Path) -> AsyncIterator[Stage]:
    file = folder / "site.yaml"
    file.write_text(SITE, encoding="utf-8")
    async with simulated(folder, site_file=file) as stage:
        yield stage


@asynccontextmanager
async def read(stage: Stage, folder: Path) -> AsyncIterator[tuple[OsdpBus, Heard]]:
    """The driver at the other end of the line."""
    loaded = load_site(folder / "site.yaml", wires=stage.wires)
    devices = {id: (loaded.site.devices[id], loaded.profile_of(id)) for id in ("in", "out")}
    heard = Heard()
    bus = open_bus(
        "line",
        loaded.site.buses["line"],
        devices,
        sink=heard,
        clock=lambda: int(time.time() * 1000),
        folder=folder / "gateway",
    )
    assert isinstance(bus, OsdpBus)
    task = asyncio.create_task(bus.run())
    try:
        async with asyncio.timeout(10):
            while not bus.health.connected:  # noqa: ASYNC110 - a port tells nobody that it was opened
                await asyncio.sleep(0.01)
        yield bus, heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize(("path", "body", "status", "says"), REFUSED, ids=[f"{r[0]} {r[1]}" for r in REFUSED])
async def test_wrong_requests(tmp_path: Path, path: str, body: dict[str, Any], status: int, says: str) -> None:
    async with yard(tmp_path) as stage:
        error = (await stage.post(path, body, status))["error"]
        assert says in error["message"] + str(error["fields"])


async def test_what_people_do_at_a_reader_and_what_it_shows(tmp_path: Path) -> None:
    async with yard(tmp_path) as stage, read(stage, tmp_path) as (bus, heard):
        for reader in ("in", "out"):
            await bus.set_key(reader, within_s=15)
        await heard.until(lambda: bus.online("in") and bus.online("out"))
        assert (await stage.post("/sim/readers/in/present", {"card": "0dc3ab"}))["sent"]
        assert (await stage.post("/sim/readers/in/type", {"keys": "12*4711#"}))["sent"]
        await heard.until(lambda: len(heard.of(CredentialRead)) == 2)
        assert heard.of(CredentialRead) == [CredentialRead("in", "card", "0DC3AB"), CredentialRead("in", "pin", "4711")]
        await bus.write("in", "text", "Welcome", within_s=5)
        await bus.write("out", "lamp", "amber", within_s=5)
        await stage.running.settle()
        assert (await stage.device("in"))["points"]["text"] == "Welcome"
        assert (await stage.device("out"))["points"]["lamp"] == "amber"
        await bus.pulse("in", "output_1", 20.0, within_s=5)
        assert (await stage.device("in"))["outputs"] == {"output_1": True}

        await stage.post("/sim/inputs/in/input_1", {"state": True})
        await heard.until_value("in.input_1", value=True)
        await stage.post("/sim/points/in/power_failed", {"value": True})
        await heard.until_value("in.power_failed", value=True)
        await stage.post("/sim/faults", {"device": "out", "fault": "tamper"})
        await heard.until_value("out.tampered", value=True)


async def test_a_reader_that_is_off_keeps_its_cards_to_itself(tmp_path: Path) -> None:
    async with yard(tmp_path) as stage:
        await stage.post("/sim/faults", {"device": "in", "fault": "offline"})
        assert not (await stage.post("/sim/readers/in/present", {"card": "0DC3AB"}))["sent"]
        assert not (await stage.device("in"))["online"]


async def test_a_key_outlives_a_restart_of_both_ends(tmp_path: Path) -> None:
    async with yard(tmp_path) as stage, read(stage, tmp_path) as (bus, _heard):
        await bus.set_key("in", within_s=15)
    async with yard(tmp_path) as stage, read(stage, tmp_path) as (bus, heard):
        await heard.until(lambda: bus.online("in"))
        await stage.post("/sim/readers/in/present", {"card": "0DC3AB"})
        await heard.until(lambda: heard.of(CredentialRead))

"""Two DL/T 645 libraries of other authors read our simulated meter, and our driver reads one's meter."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from config.site import Site
from drivers.meters.wires import MeterTcpBus
from drivers.opening import open_bus
from drivers.profiles.files import load
from drivers.profiles.words import Poll
from drivers.reports import DeviceFound, InputRefused
from simulators.meters.wires import MeterSerialWire
from simulators.site import SimSite
from tests.drivers.products import Installed
from tests.drivers.sinks import Heard
from tests.peers import peer

SCRIPTS = Path(__file__).parents[1] / "peers_scripts"
ADDRESS = "398192000337"
ON_THE_WIRE = "370300928139"
SITE = {
    "site": "yard",
    "name": {"zh": "院", "en": "Yard"},
    "gateway": "yard-gw",
    "buses": {"line": {"kind": "meter-serial", "port": "/dev/null", "baud": 9600}},
    "devices": {"meter": {"profile": "dlt645_2007_three_phase", "bus": "line", "address": ADDRESS}},
}
DIRECT = {"ct": 1.0, "pt": 1.0}
"""No transformers: what others read of it is what our driver makes of it."""

THREE_PHASE = load("dlt645_2007_three_phase")


@asynccontextmanager
async def simulated(folder: Path, values: dict[str, float | str]) -> AsyncIterator[str]:
    """Our meter on a pty at the pace of 9600 baud; its path."""
    site = SimSite(Site.model_validate(SITE), {THREE_PHASE.id: THREE_PHASE})
    for point, value in {**DIRECT, **values}.items():
        site.set_point("meter", point, value)
    bus = site.site.buses["line"]
    wire = MeterSerialWire("line", bus, site, folder, paced=True)  # type: ignore[arg-type]
    entry = await wire.open({})
    try:
        yield str(entry["port"])
    finally:
        await wire.close()


async def told_by(name: str, script: str, *arguments: str) -> dict[str, Any]:
    """What a peer's script prints."""
    process = await asyncio.create_subprocess_exec(
        str(peer(name)), str(SCRIPTS / script), *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(60):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0
    found: dict[str, Any] = json.loads(said)
    return found


TOLD: dict[str, tuple[str, float | str, float | str]] = {
    "00010000": ("energy_import", 123456.78, 123456.78),
    "00010200": ("energy_import_t2", 0.26, 0.26),
    "00000000": ("energy_total", 50.5, 50.5),
    "02010200": ("voltage_l2", 229.4, 229.4),
    "02020300": ("current_l3", -12.345, -12.345),
    "02030000": ("power", 7.6543, 7.6543),
    "02030100": ("power_l1", -0.25, -0.25),
    "02060000": ("power_factor", 0.876, 0.876),
    "02800002": ("frequency", 49.98, 49.98),
    "04000402": ("meter_no", "202611220007", "202611220007"),
    "04000101": ("meter_clock", "2026-11-22T12:34:56", "26112200"),
    "04000102": ("meter_clock", "2026-11-22T12:34:56", "123456"),
    "02010100": ("voltage_l1", 231.5, 231.5),
}


async def test_dlt645_reads_our_meter(tmp_path: Path) -> None:
    async with simulated(tmp_path, {point: value for point, value, _ in TOLD.values()}) as port:
        told = await told_by("dlt645", "dlt645_client.py", port, "9600", ON_THE_WIRE, *TOLD, "00020300")
    items = told["items"]
    assert items.pop("00020300") is None, "an item that the meter does not have"
    assert items == {
        item: pytest.approx(value) if isinstance(value, float) else value for item, (*_, value) in TOLD.items()
    }
    assert told["address"] is not None


async def test_python_dlt645_reads_our_meter(tmp_path: Path) -> None:
    async with simulated(tmp_path, {"energy_total": 50.5}) as port:
        told = await told_by("python-dlt645", "python_dlt645_client.py", port)
    assert told == {"address": ADDRESS, "energy": 50.5}


@asynccontextmanager
async def their_meter(values: dict[str, float | str]) -> AsyncIterator[int]:
    """A meter of the package dlt645; its port."""
    process = await asyncio.create_subprocess_exec(
        str(peer("dlt645")),
        str(SCRIPTS / "dlt645_server.py"),
        ON_THE_WIRE,
        json.dumps(values),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            line = await process.stdout.readline()
        yield int(json.loads(line)["port"])
    finally:
        process.stdin.close()
        await process.wait()


@pytest.mark.parametrize("address", [ADDRESS, None], ids=["by its address", "found by itself"])
async def test_our_driver_reads_their_meter(address: str | None) -> None:
    """Their meter has no blocks: each point is read by its own item after the block was denied."""
    values = {item: raw for item, (_, _, raw) in TOLD.items()} | {"04000501": "0004"}
    heard = Heard()
    profile = replace(THREE_PHASE, poll=Poll(alarm=5, normal=5, meter=5))
    async with their_meter(values) as port:
        bus = open_bus(
            "line",
            MeterTcpBus(kind="meter-tcp", host="127.0.0.1", port=port, timeout_s=2),
            {"meter": (Installed(address=address, scale_by=DIRECT), profile)},
            sink=heard,
            clock=lambda: 0,
        )
        running = asyncio.create_task(bus.run())
        try:
            await heard.until(lambda: all(heard.last(f"meter.{point}") for point in profile.points))
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    assert heard.of(DeviceFound) == [DeviceFound("meter")]
    assert not heard.of(InputRefused)
    for point, value, _ in TOLD.values():
        last = heard.last(f"meter.{point}")
        assert last is not None
        assert last.quality == "good"
        assert last.value == (pytest.approx(value) if isinstance(value, float) else value), point
    battery = heard.last("meter.clock_battery_low")
    assert battery is not None
    assert battery.value is True

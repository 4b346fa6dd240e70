"""pyMeterBus, by other authors, decodes what we decode and reads our simulated meter by both of its addresses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from config.site import Site
from drivers.mbus import codec as mbus
from drivers.mbus.records import telegram
from drivers.profiles.files import load
from simulators.meters.wires import MeterSerialWire
from simulators.site import SimSite
from tests.drivers.test_mbus import PUBLISHED
from tests.peers import peer

SCRIPT = Path(__file__).parents[1] / "peers_scripts" / "meterbus_master.py"
HEAT = load("mbus_heat")
SECONDARY = "02205100824D0204"
SITE = {
    "site": "yard",
    "name": {"zh": "院", "en": "Yard"},
    "gateway": "yard-gw",
    "buses": {"line": {"kind": "meter-serial", "port": "/dev/null", "baud": 9600}},
    "devices": {
        "heat": {"profile": HEAT.id, "bus": "line", "unit": 8, "address": SECONDARY},
        "other": {"profile": HEAT.id, "bus": "line", "unit": 9, "meter_no": "7"},
    },
}
VALUES: dict[str, float | str] = {
    "heat_energy": 12345.678, "volume_forward": 54321.987, "heat_power": 17.25, "flow": 0.8765,
    "supply_temperature": 62.34, "return_temperature": -1.5, "temperature_difference": 63.84, "hours": 3383.5,
    "heat_settled": 11111.0, "volume_settled": 222.333, "settling_day": "2026-12-31", "heat_power_max": 99.5,
    "meter_clock": "2026-02-03T04:05:00",
}  # fmt: skip
"""What the meter is made to say."""

EXPECTED: list[tuple[str, str, int, float | str]] = [
    ("VIFUnit.ENERGY_WH", "INSTANTANEOUS_VALUE", 0, 12345678.0),
    ("VIFUnit.VOLUME", "INSTANTANEOUS_VALUE", 0, 54321.987),
    ("VIFUnit.POWER_W", "INSTANTANEOUS_VALUE", 0, 17250.0),
    ("VIFUnit.VOLUME_FLOW", "INSTANTANEOUS_VALUE", 0, 0.8765),
    ("VIFUnit.FLOW_TEMPERATURE", "INSTANTANEOUS_VALUE", 0, 62.34),
    ("VIFUnit.RETURN_TEMPERATURE", "INSTANTANEOUS_VALUE", 0, -1.5),
    ("VIFUnit.TEMPERATURE_DIFFERENCE", "INSTANTANEOUS_VALUE", 0, 63.84),
    ("VIFUnit.OPERATING_TIME", "INSTANTANEOUS_VALUE", 0, 3383.5 * 3600),
    ("VIFUnit.ENERGY_WH", "INSTANTANEOUS_VALUE", 1, 11111000.0),
    ("VIFUnit.VOLUME", "INSTANTANEOUS_VALUE", 1, 222.333),
    ("VIFUnit.DATE", "INSTANTANEOUS_VALUE", 1, "2026-12-31"),
    ("VIFUnit.POWER_W", "MAXIMUM_VALUE", 0, 99500.0),
    ("VIFUnit.DATE_TIME_GENERAL", "INSTANTANEOUS_VALUE", 0, "2026-02-03T04:05"),
]
"""What the other master must read: type, function, storage, value."""


@asynccontextmanager
async def simulated(folder: Path) -> AsyncIterator[str]:
    """Our meters on a pty at the pace of 9600 baud; its path."""
    site = SimSite(Site.model_validate(SITE), {HEAT.id: HEAT})
    for point, value in VALUES.items():
        site.set_point("heat", point, value)
    bus = site.site.buses["line"]
    wire = MeterSerialWire("line", bus, site, folder, paced=True)  # type: ignore[arg-type]
    entry = await wire.open({})
    try:
        yield str(entry["port"])
    finally:
        await wire.close()


async def told_by_peer(*arguments: str) -> dict[str, Any]:
    """What the peer's script prints."""
    process = await asyncio.create_subprocess_exec(
        str(peer("meterbus")), str(SCRIPT), *arguments, stdout=asyncio.subprocess.PIPE
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


@pytest.mark.parametrize("address", ["8", SECONDARY])
async def test_the_other_master_reads_every_record_of_our_meter(address: str, tmp_path: Path) -> None:
    async with simulated(tmp_path) as port:
        found = await told_by_peer(port, "9600", address)
    assert found["address"] == SECONDARY
    records = [
        (record["type"], record["function"].partition(".")[2], record["storage"], record["value"])
        for record in found["records"]
        if record["function"] != "FunctionType.MORE_RECORDS_FOLLOW"
    ]
    assert len(records) == len(EXPECTED)
    for mine, theirs in zip(EXPECTED, records, strict=True):
        assert theirs[:3] == mine[:3]
        assert theirs[3] == (mine[3] if isinstance(mine[3], str) else pytest.approx(mine[3]))


async def test_both_decode_the_published_telegram_alike() -> None:
    theirs = await told_by_peer(PUBLISHED.hex())
    ours = telegram(mbus.parse(PUBLISHED))
    assert theirs["address"] == ours.identity
    values = [record["value"] for record in theirs["records"] if record["type"] != "None"]
    for mine, other in zip(ours.records, values, strict=True):
        days = 86400.0 if mine.unit == "d" else 1.0
        assert other == (mine.value if mine.unit == "" else pytest.approx(float(mine.value or 0) * days))

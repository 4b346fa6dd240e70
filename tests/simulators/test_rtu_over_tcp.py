"""A serial line behind a converter, seen by an independent master: pymodbus' RTU framing over TCP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pymodbus import FramerType, ModbusException
from pymodbus.client import AsyncModbusTcpClient

from config import load_site
from simulators.modbus.frames import rtu_frame
from simulators.modbus.server import ModbusRtuTcpWire
from simulators.site import SimSite

SITE = """\
site: bench
name: {zh: 台, en: Bench}
gateway: bench-gw
buses:
  line: {kind: modbus-rtu-tcp, host: 127.0.0.1, port: 4001, baud: 115200, timeout_s: 1}
devices:
  board: {profile: ryn408f, bus: line, unit: 1}
  barrier: {profile: came_gard_ptx, bus: line, unit: 2}
  air: {profile: xy_md02, bus: line, unit: 3}
"""


@asynccontextmanager
async def behind(folder: Path) -> AsyncIterator[tuple[SimSite, ModbusRtuTcpWire, AsyncModbusTcpClient]]:
    path = folder / "site.yaml"
    path.write_text(SITE, encoding="utf-8")
    loaded = load_site(path)
    site = SimSite(loaded.site, loaded.profiles)
    wire = ModbusRtuTcpWire("line", loaded.site.buses["line"], site, paced=False)  # type: ignore[arg-type]
    entry = await wire.open({})
    client = AsyncModbusTcpClient(
        entry["host"], port=entry["port"], framer=FramerType.RTU, timeout=5, retries=0, reconnect_delay=0
    )
    assert await client.connect()
    try:
        yield site, wire, client
    finally:
        client.close()
        await wire.close()


async def test_several_products_behind_one_converter(tmp_path: Path) -> None:
    async with behind(tmp_path) as (site, _, client):
        site.device("air").overrides = {"temperature": -12.5, "humidity": 55.0}
        site.device("barrier").overrides = {"gate_status": "closed", "position": 0, "operations": 70_000}
        air = await client.read_input_registers(1, count=2, device_id=3)
        assert air.registers == [0x10000 - 125, 550]
        # 70,000 with its low word first.
        barrier = await client.read_holding_registers(100, count=6, device_id=2)
        assert barrier.registers == [17, 0, 0, 0, 70_000 - 65_536, 1]
        written = await client.write_register(0, 0x0100, device_id=1)
        assert not written.isError()
        assert site.device("board").output_on("relay_1")
        assert (await client.read_holding_registers(0, count=2, device_id=1)).registers == [1, 0]


async def test_what_is_told_to_all_is_done_by_all_and_answered_by_none(tmp_path: Path) -> None:
    async with behind(tmp_path) as (site, wire, client):
        line = wire._line
        line.received(rtu_frame(0, bytes.fromhex("06 00 00 01 00")))
        # The next answer comes after everything that was asked before.
        assert (await client.read_holding_registers(0, count=1, device_id=1)).registers == [1]
        assert site.device("board").output_on("relay_1")


@pytest.mark.parametrize("fault", ["silent", "foreign", "corrupt"])
async def test_a_sick_unit_behind_a_converter(fault: str, tmp_path: Path) -> None:
    async with behind(tmp_path) as (site, _, client):
        site.put_fault("air", fault, None)
        client.comm_params.timeout_connect = 0.2
        with pytest.raises(ModbusException):
            await client.read_input_registers(1, count=2, device_id=3)


async def test_a_converter_that_hangs_up(tmp_path: Path) -> None:
    async with behind(tmp_path) as (site, _, client):
        site.put_fault("air", "hang-up", None)
        client.comm_params.timeout_connect = 0.5
        with pytest.raises(ModbusException):
            await client.read_holding_registers(0, count=1, device_id=1)
        assert not client.connected

"""Independent masters on the real wires: mbpoll (libmodbus), pymodbus, raw sockets, a serial port."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
import serial  # type: ignore[import-untyped]
from pymodbus import ModbusException
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient

from simulators.modbus.frames import rtu_frame
from tests.simulators.stage import Stage, simulated, until
from tests.tools import tool

PATIENT = "10"
"""Seconds (mbpoll's -o) for an answer that must come, however busy the machine is."""

BRIEF = "0.3"
"""For one that must not."""


async def mbpoll(*arguments: str, within: str = PATIENT) -> dict[int, str]:
    """What mbpoll reads, by address; empty if nobody answered."""
    process = await asyncio.create_subprocess_exec(
        *(tool("mbpoll"), "-0", "-1", "-o", within, *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = (await process.communicate())[0].decode()
    return {int(at): value for at, value in re.findall(r"^\[(\d+)\]:\s+(\S+)", said, re.MULTILINE)}


async def line(stage: Stage, unit: int, kind: str, first: int, count: int, *, within: str = PATIENT) -> dict[int, str]:
    port = stage.wires["plant-line"]["port"]
    where = ("-m", "rtu", "-b", "19200", "-P", "none", "-a", str(unit))
    return await mbpoll(*where, "-t", kind, "-r", str(first), "-c", str(count), port, within=within)


def tcp(stage: Stage, bus: str, timeout: float = 0.3) -> AsyncModbusTcpClient:
    entry = stage.wires[bus]
    return AsyncModbusTcpClient(entry["host"], port=entry["port"], timeout=timeout, retries=0)


# --- RTU


async def test_three_units_on_one_serial_line(stage: Stage) -> None:
    stage.site.set_point("pump-1", "flow", 12.3)
    stage.site.set_point("pump-2", "flow", 4.5)
    stage.site.set_point("sump-1", "level", 1.234)
    assert await line(stage, 1, "3", 301, 1) == {301: "123"}
    assert await line(stage, 2, "3", 301, 1) == {301: "45"}
    assert await line(stage, 3, "4", 2, 3) == {2: "7", 3: "3", 4: "1234"}
    assert await line(stage, 4, "3", 301, 1, within=BRIEF) == {}, "a unit that does not exist is silent"


@pytest.mark.parametrize("fault", ["silent", "late", "corrupt", "foreign", "exception", "offline"])
async def test_a_sick_unit_is_not_read_and_its_neighbour_is(stage: Stage, fault: str) -> None:
    stage.site.set_point("pump-2", "flow", 4.5)
    await stage.post("/sim/faults", {"device": "pump-1", "fault": fault})
    assert await line(stage, 1, "3", 301, 1, within=BRIEF) == {}
    assert await line(stage, 2, "3", 301, 1) == {301: "45"}
    await stage.api.delete("/sim/faults")
    assert 301 in await line(stage, 1, "3", 301, 1)


async def test_faults_as_they_are_on_the_wire(stage: Stage) -> None:
    with serial.Serial(stage.wires["plant-line"]["port"], 19200, timeout=0.3) as port:

        async def ask(size: int) -> bytes:
            port.reset_input_buffer()
            port.write(rtu_frame(1, bytes.fromhex("04012D0001")))
            return await answer(size)

        async def answer(size: int) -> bytes:
            # What must come may take its time; what must not come gets as long as an answer takes.
            if size:
                await until(lambda: port.in_waiting >= size)
            else:
                await asyncio.sleep(0.15)
            return bytes(port.read(port.in_waiting))

        stage.site.set_point("pump-1", "flow", 12.3)
        well = rtu_frame(1, bytes.fromhex("0402007B"))
        assert await ask(len(well)) == well
        expected = {
            "foreign": rtu_frame(2, bytes.fromhex("0402007B")),
            "exception": rtu_frame(1, bytes.fromhex("8404")),
            "corrupt": well[:-1] + bytes((well[-1] ^ 0x5A,)),
            "silent": b"",
            "late": b"",
        }
        for fault, frame in expected.items():
            await stage.post("/sim/faults", {"device": "pump-1", "fault": fault})
            assert await ask(len(frame)) == frame, fault
            if fault == "late":
                # The site file's time-out is 0.3 s: the answer comes after it, whole.
                assert await answer(len(well)) == well
            await stage.api.delete("/sim/faults")


async def test_noise_comes_unasked(stage: Stage) -> None:
    with serial.Serial(stage.wires["plant-line"]["port"], 19200, timeout=0) as port:
        assert port.read(64) == b""
        await stage.post("/sim/faults", {"device": "sump-1", "fault": "noise"})
        heard = bytearray()

        def listen() -> bool:
            heard.extend(port.read(64))
            return len(heard) > 20

        await until(listen)


async def test_a_serial_master_of_another_maker(stage: Stage) -> None:
    client = AsyncModbusSerialClient(stage.wires["plant-line"]["port"], baudrate=19200, timeout=1, retries=0)
    assert await client.connect()
    try:
        answer = await client.read_input_registers(300, count=2, device_id=1)
        assert not answer.isError()
        assert len(answer.registers) == 2
        written = await client.write_register(100, 0b001, device_id=1)
        assert not written.isError()
        await until(lambda: stage.site.device("pump-1").value("remote_control"))
    finally:
        client.close()


# --- TCP


async def test_relays_are_switched_and_read(stage: Stage) -> None:
    client = tcp(stage, "doors-net", 2)
    assert await client.connect()
    try:
        await client.write_coil(0, True, device_id=1)
        assert (await client.read_coils(0, count=8, device_id=1)).bits == [True] + [False] * 7
        assert (await stage.device("relay-doors"))["outputs"]["relay_1"] is True
        assert (await stage.seen())["doors"]["lobby-a"] == {"lock": "released", "contact": "closed"}
        await client.write_coils(0, [False] * 8, device_id=1)
        assert (await stage.seen())["doors"]["lobby-a"]["lock"] == "locked"
    finally:
        client.close()


async def test_a_pulse_is_timed_by_the_board(stage: Stage) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.wires["doors-net"]["port"])
    # Relay 2 on for 300 ms, as Waveshare's flash command says; no library's write coil can send it.
    writer.write(bytes.fromhex("0001 0000 0006 01 05 0201 0003"))
    assert await reader.readexactly(12) == bytes.fromhex("0001 0000 0006 01 05 0201 0003")
    assert (await stage.seen())["doors"]["lobby-b"]["lock"] == "released"
    # Nobody switches it off.
    await until(lambda: not stage.site.doors["lobby-b"].released)
    writer.close()


async def test_a_lift_and_a_meter_over_tcp(stage: Stage) -> None:
    lifts, meters = stage.wires["lifts-net"]["port"], stage.wires["meters-net"]["port"]
    stage.site.set_point("lift-2", "floor", -2)
    found = await mbpoll("-m", "tcp", "-p", str(lifts), "-a", "2", "-t", "3", "-r", "2", "-c", "1", "127.0.0.1")
    assert found == {2: "65534"}
    stage.site.set_point("meter-main", "energy_import", 48_211.5)
    arguments = ("-m", "tcp", "-p", str(meters), "-a", "1", "-t", "3:float", "-B", "-r", "72", "127.0.0.1")
    assert await mbpoll(*arguments) == {72: "48211.5"}


@pytest.mark.parametrize("fault", ["silent", "late", "corrupt", "foreign", "exception", "offline"])
async def test_a_sick_unit_behind_a_converter(stage: Stage, fault: str) -> None:
    await stage.post("/sim/faults", {"device": "lift-1", "fault": fault})
    client = tcp(stage, "lifts-net")
    assert await client.connect()
    try:
        try:
            answer: Any = await client.read_input_registers(2, count=1, device_id=1)
        except ModbusException:
            answer = None
        assert answer is None or answer.isError()
    finally:
        client.close()
    other = tcp(stage, "lifts-net", 2)
    assert await other.connect()
    assert not (await other.read_input_registers(2, count=1, device_id=2)).isError()
    other.close()


async def test_a_board_without_power_hangs_up_and_comes_back_on_its_port(stage: Stage) -> None:
    port = stage.wires["doors-net"]["port"]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await stage.post("/sim/faults", {"device": "relay-doors", "fault": "offline"})
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await reader.readexactly(1)
    writer.close()
    with pytest.raises(ConnectionError):
        await asyncio.open_connection("127.0.0.1", port)
    assert (await stage.device("relay-doors"))["online"] is False
    await stage.api.delete("/sim/faults")
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()


async def test_a_peer_that_does_not_speak_modbus_is_hung_up_on(stage: Stage) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.wires["gates-net"]["port"])
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    assert await reader.read() == b""
    writer.close()


async def test_the_barrier_obeys_its_coils(stage: Stage) -> None:
    client = tcp(stage, "barrier-in-net", 2)
    assert await client.connect()

    async def status() -> int:
        return int((await client.read_holding_registers(100, count=1, device_id=1)).registers[0])

    try:
        assert await status() == 17
        await client.write_coil(1, True, device_id=1)
        await until(lambda: stage.site.lanes["gate-in"].arm.place == "moving")
        assert await status() == 32
        await until(lambda: stage.site.lanes["gate-in"].arm.place == "up")
        assert await status() == 16
        assert (await stage.seen())["lanes"]["gate-in"]["barrier"] == "up"
        await client.write_coil(3, True, device_id=1)
        await until(lambda: stage.site.lanes["gate-in"].arm.place == "down")
    finally:
        client.close()


async def test_a_stuck_barrier_confirms_and_does_not_move(stage: Stage) -> None:
    await stage.post("/sim/faults", {"device": "barrier-in", "fault": "stuck"})
    client = tcp(stage, "barrier-in-net", 2)
    assert await client.connect()
    assert not (await client.write_coil(1, True, device_id=1)).isError()
    await asyncio.sleep(0.4)
    assert (await stage.seen())["lanes"]["gate-in"]["barrier"] == "down"
    client.close()


async def test_a_relay_barrier_tells_its_ends(stage: Stage) -> None:
    client = tcp(stage, "gates-net", 2)
    assert await client.connect()

    async def ends() -> tuple[bool, bool]:
        bits = (await client.read_discrete_inputs(0, count=8, device_id=1)).bits
        return bits[4], bits[5]

    try:
        assert await ends() == (False, True)
        await client.write_coil(0, True, device_id=1)
        await client.write_coil(0, False, device_id=1)
        await until(lambda: stage.site.lanes["gate-out"].arm.place == "up")
        assert await ends() == (True, False)
    finally:
        client.close()


# --- Readers


async def test_a_card_at_a_tcp_reader(stage: Stage) -> None:
    await stage.post("/sim/readers/lobby-a-in/present", {"card": "04A1B2C3D4E5F6"}, status=409)
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.wires["lobby-a-in-line"]["port"])
    await asyncio.sleep(0.05)
    await stage.post("/sim/readers/lobby-a-in/present", {"card": "04a1b2c3d4e5f6"})
    assert await reader.readline() == b"04A1B2C3D4E5F6\r\n"
    await stage.post("/sim/faults", {"device": "lobby-a-in", "fault": "silent"})
    said = await stage.post("/sim/readers/lobby-a-in/present", {"card": "04A1B2C3D4E5F6"})
    assert said["sent"] is False
    await stage.api.delete("/sim/faults")
    await stage.post("/sim/faults", {"device": "lobby-a-in", "fault": "corrupt"})
    await stage.post("/sim/readers/lobby-a-in/present", {"card": "04A1B2C3D4E5F6"})
    assert b"\xfe" in await reader.readline()
    writer.close()


async def test_a_card_at_a_serial_reader(stage: Stage) -> None:
    with serial.Serial(stage.wires["garage-in-line"]["port"], 9600, timeout=1) as port:
        await stage.post("/sim/readers/garage-in/present", {"card": "04DEADBEEF0001"})
        assert await asyncio.to_thread(port.readline) == b"04DEADBEEF0001\r\n"


# --- Restart


async def test_a_restart_keeps_ports_names_and_meters(tmp_path: Path) -> None:
    async with simulated(tmp_path) as before:
        wires = before.wires
        before.site.devices["meter-main"].values["energy_import"] = 0.0
        total = before.site.memory()["meter-main"]["total"]
    memory = json.loads((tmp_path / "data" / "world.json").read_text())
    memory["parts"]["meter-main"]["total"] = total + 5000
    (tmp_path / "data" / "world.json").write_text(json.dumps(memory))
    async with simulated(tmp_path) as after:
        assert after.wires == wires
        assert Path(after.wires["plant-line"]["port"]).is_symlink()
        assert float((await after.device("meter-main"))["points"]["energy_import"]) >= total + 5000


async def test_a_broken_memory_is_left_aside(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "world.json").write_text('{"at": 1, "parts": {"meter-main": []}}')
    async with simulated(tmp_path) as stage:
        assert (await stage.device("meter-main"))["online"] is True


async def test_a_taken_port_is_replaced(tmp_path: Path) -> None:
    async with simulated(tmp_path / "one") as one:
        (tmp_path / "two").mkdir()
        (tmp_path / "two" / "wires.json").write_text(json.dumps({"doors-net": one.wires["doors-net"]}))
        async with simulated(tmp_path / "two") as two:
            assert two.wires["doors-net"]["port"] != one.wires["doors-net"]["port"]

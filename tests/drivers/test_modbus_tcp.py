"""Our own Modbus TCP client: numbers that outlive their time, units that are probed shortly, dead endpoints."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from drivers.errors import FrameError, Silence, WireDown
from drivers.modbus.bus import PROBE_S, ModbusBus
from drivers.modbus.encode import Write
from drivers.modbus.tcp import DEAD_AFTER, OWED_LIMIT, TcpWire
from drivers.modbus.wire import Refused
from drivers.modbus.wires import ModbusTcpBus
from drivers.opening import open_bus
from drivers.reports import DeviceLost, PointsRead
from tests.drivers.products import Installed, product, registers
from tests.drivers.sinks import Heard
from tests.drivers.slave import Slave, Unit


class Endpoint:
    """Answers each request with whatever a test says: the request's head and PDU → bytes."""

    def __init__(self, answer: Callable[[bytes, bytes], bytes]) -> None:
        self._answer = answer
        self.heads: list[bytes] = []
        self.asked = asyncio.Event()
        self.accepted = 0
        self._server: asyncio.Server | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def listen(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        self.writer = writer
        while head := await reader.read(7):
            pdu = await reader.readexactly(int.from_bytes(head[4:6], "big") - 1)
            self.heads.append(head)
            self.asked.set()
            writer.write(self._answer(head, pdu))

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        if self.writer is not None:
            self.writer.close()


def answered(head: bytes, pdu: bytes) -> bytes:
    return head[:4] + (len(pdu) + 1).to_bytes(2, "big") + head[6:7] + pdu


@asynccontextmanager
async def wired(
    answer: Callable[[bytes, bytes], bytes], guards: dict[int, float] | None = None, patience_s: float = 0.0
) -> AsyncIterator[tuple[Endpoint, TcpWire, list[tuple[int, bytes]], list[bytes]]]:
    endpoint, late, refused = Endpoint(answer), list[tuple[int, bytes]](), list[bytes]()
    wire = TcpWire(
        "127.0.0.1",
        await endpoint.listen(),
        patience_s=patience_s,
        guards=guards or {},
        on_refused=refused.append,
        on_late=lambda unit, pdu: late.append((unit, pdu)),
    )
    await wire.open(1.0)
    try:
        yield endpoint, wire, late, refused
    finally:
        wire.close()
        endpoint.close()


ONE = bytes.fromhex("03 02 1234")
OTHER = bytes.fromhex("03 02 9999")


async def test_a_late_answer_is_known_by_its_number_and_never_read() -> None:
    waiting: list[bytes] = []

    def answer(head: bytes, pdu: bytes) -> bytes:
        if not waiting:
            waiting.append(head)
            return b""
        return answered(waiting[0], OTHER) + answered(head, ONE)

    async with wired(answer) as (endpoint, wire, late, refused):
        with pytest.raises(Silence):
            await wire.read(1, 3, 0, 1, 0.02)
        assert await wire.read(1, 3, 0, 1, 1.0) == ONE[2:]
        assert late == [(1, OTHER)]
        assert refused == []
        assert endpoint.accepted == 1


async def test_the_number_of_an_outstanding_answer_is_not_given_again() -> None:
    silent = True
    async with wired(lambda head, pdu: b"" if silent else answered(head, ONE)) as (endpoint, wire, _, _):
        with pytest.raises(Silence):
            await wire.read(1, 3, 0, 1, 0.02)
        silent = False
        wire._transaction = 0xFFFF
        await wire.read(1, 3, 0, 1, 1.0)
        assert [head[:2] for head in endpoint.heads] == [b"\x00\x01", b"\x00\x02"]


async def test_answers_that_nobody_asked_for_are_refused() -> None:
    def answer(head: bytes, pdu: bytes) -> bytes:
        return answered(b"\x77\x77" + head[2:], OTHER) + answered(head, ONE)

    async with wired(answer) as (_, wire, late, refused):
        assert await wire.read(1, 3, 0, 1, 1.0) == ONE[2:]
        assert late == []
        assert len(refused) == 1


WRONG = {
    "another unit": lambda head, pdu: answered(head[:6] + b"\x09", ONE),
    "another function": lambda head, pdu: answered(head, b"\x04" + ONE[1:]),
    "another length": lambda head, pdu: answered(head, ONE + b"\x00\x01"),
    "a length that lies": lambda head, pdu: answered(head, bytes.fromhex("03 04 1234")),
}


@pytest.mark.parametrize("answer", WRONG.values(), ids=WRONG.keys())
async def test_answers_to_something_else(answer: Callable[[bytes, bytes], bytes]) -> None:
    async with wired(answer) as (_, wire, _, _):
        with pytest.raises(FrameError):
            await wire.read(1, 3, 0, 1, 1.0)


async def test_exceptions_bytes_that_are_no_modbus_and_a_hang_up() -> None:
    async with wired(lambda head, pdu: answered(head, bytes([pdu[0] | 0x80, 4]))) as (_, wire, _, _):
        with pytest.raises(Refused) as refusal:
            await wire.read(1, 3, 0, 1, 1.0)
        assert refusal.value.code == 4
    async with wired(lambda head, pdu: b"SSH-2.0-OpenSSH_9.2p1\r\n") as (_, wire, _, refused):
        with pytest.raises(WireDown, match="no Modbus"):
            await wire.read(1, 3, 0, 1, 1.0)
        assert refused == [b"SSH-2.0-OpenSSH_9.2p1\r\n"]
        assert not wire.connected
    async with wired(lambda head, pdu: b"") as (endpoint, wire, _, _):
        reading = asyncio.create_task(wire.read(1, 3, 0, 1, 30.0))
        await endpoint.asked.wait()
        endpoint.close()
        with pytest.raises(WireDown, match="closed by the other end"):
            await reading


async def test_an_endpoint_that_says_nothing_at_all_is_let_go() -> None:
    silent = {2}
    async with wired(lambda head, pdu: b"" if head[6] in silent else answered(head, ONE)) as (_, wire, _, _):
        for _ in range(DEAD_AFTER):
            with pytest.raises(Silence):
                await wire.read(2, 3, 0, 1, 0.01)
            await wire.read(1, 3, 0, 1, 1.0)
        silent.add(1)
        for _ in range(DEAD_AFTER):
            assert wire.connected
            with pytest.raises(Silence):
                await wire.read(1, 3, 0, 1, 0.01)
        assert not wire.connected


async def test_a_write_without_an_answer_costs_the_connection() -> None:
    async with wired(lambda head, pdu: b"") as (_, wire, _, _):
        with pytest.raises(Silence):
            await wire.write(1, Write(6, 0, (1,)), 0.01)
        assert not wire.connected


async def test_a_unit_is_given_its_silence() -> None:
    async with wired(lambda head, pdu: answered(head, ONE), {1: 0.0, 2: 5.0}) as (_, wire, _, _):
        await wire.read(1, 3, 0, 1, 1.0)
        now = asyncio.get_running_loop().time()
        assert wire.ready_at(1) <= now
        assert now < wire.ready_at(2) <= now + 5.0


# --- As the bus uses it


@asynccontextmanager
async def running(units: dict[int, Unit], timeout_s: float) -> AsyncIterator[tuple[Slave, ModbusBus, Heard]]:
    slave, heard = Slave(units), Heard()
    bus = open_bus(
        "net",
        ModbusTcpBus(kind="modbus-tcp", host="127.0.0.1", port=await slave.listen(), timeout_s=timeout_s),
        {f"d{unit}": (Installed(unit), product(registers(1))) for unit in units},
        sink=heard,
        clock=lambda: 0,
    )
    assert isinstance(bus, ModbusBus)
    task = asyncio.create_task(bus.run())
    try:
        yield slave, bus, heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await slave.close()


async def test_a_unit_that_is_slower_than_a_probe_is_found_again() -> None:
    """Lost while it was silent, it comes back slow: the late answer to a short probe shows that it is there."""
    slow = Unit(registers={(3, 0): 1})
    async with running({1: slow, 2: Unit(registers={(3, 0): 2})}, timeout_s=5 * PROBE_S) as (slave, bus, heard):
        await heard.until(lambda: bus.online("d1"))
        slow.silent = True
        await heard.until(lambda: heard.of(DeviceLost))
        slow.silent, slow.registers[3, 0] = False, 7
        slow.delays = [2 * PROBE_S] * 1000
        await heard.until_value("d1.r0", 7)
        assert bus.health.late >= 1
        assert slave.accepted == 1
        assert {reading.value for reading in heard.readings("d2.r0")} == {2}


async def test_moments_that_a_slow_wire_leaves_out_are_counted_for_each_device() -> None:
    slow = Unit(registers={(3, 0): 1}, delays=[0.05] * 1000)
    async with running({1: slow, 2: Unit(registers={(3, 0): 2})}, timeout_s=1.0) as (_, bus, heard):
        await slow.until_asked(10)
        assert bus.health.overruns > 0
        assert bus.health.missed <= bus.health.overruns
        devices = bus.health.left_out()
        assert sum(device.overruns for device in devices.values()) == bus.health.overruns
        assert sum(device.missed for device in devices.values()) == bus.health.missed
        assert devices.keys() == {"d1", "d2"}
        assert heard.of(PointsRead)


@pytest.mark.parametrize("patience_s", [0.0, 30.0])
async def test_whoever_is_asked_after_a_silent_unit_is_given_its_time_too(patience_s: float) -> None:
    """A converter works at one question after the other: it answers this one when it has given up the last."""
    held: list[bytes] = []

    def answer(head: bytes, pdu: bytes) -> bytes:
        held.append(head)
        return b""

    async with wired(answer, patience_s=patience_s) as (endpoint, wire, _, refused):
        with pytest.raises(Silence):
            await wire.read(1, 3, 0, 1, 0.02)
        reading = asyncio.create_task(wire.read(2, 3, 0, 1, 0.02))
        await asyncio.wait([reading], timeout=0.3)
        if not patience_s:
            with pytest.raises(Silence):
                await reading
            return
        assert not reading.done()
        assert endpoint.writer is not None
        endpoint.writer.write(answered(held[-1], ONE))
        assert await reading == ONE[2:]
        assert refused == []


async def test_the_answers_that_are_outstanding_are_bounded() -> None:
    """Among others that answer, one that never does costs a connection now and then, and no memory."""

    def answer(head: bytes, pdu: bytes) -> bytes:
        return answered(head, ONE) if head[6] == 2 else b""

    async with wired(answer) as (_, wire, _, _):
        for left in range(OWED_LIMIT, 0, -1):
            assert wire.connected, left
            assert await wire.read(2, 3, 0, 1, 30.0) == ONE[2:]
            with pytest.raises(Silence):
                await wire.read(1, 3, 0, 1, 0.001)
        assert not wire.connected

"""The owner of a Modbus TCP wire against real connections: reading, commanding, and everything that goes wrong."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from drivers.bus import CommandFailed
from drivers.modbus.bus import ModbusBus
from drivers.modbus.encode import Write
from drivers.modbus.station import Station
from drivers.modbus.wires import ModbusTcpBus
from drivers.opening import open_bus
from drivers.profiles.files import load
from drivers.profiles.profile import Profile
from drivers.reports import DeviceFound, DeviceLost, InputRefused, PointsRead
from tests.drivers.products import Installed, product, registers
from tests.drivers.sinks import Heard
from tests.drivers.slave import Slave, Unit

FAST = "poll: {alarm: 0.02, normal: 0.02, meter: 0.05}\n"


def holding(count: int, first: int = 100) -> Unit:
    return Unit(registers={(3, at): first + at for at in range(count)})


@asynccontextmanager
async def running(
    port: int, devices: dict[str, tuple[Installed, Profile]], heard: Heard, timeout_s: float = 0.2
) -> AsyncIterator[ModbusBus]:
    bus = open_bus(
        "net",
        ModbusTcpBus(kind="modbus-tcp", host="127.0.0.1", port=port, timeout_s=timeout_s),
        devices,
        sink=heard,
        clock=lambda: 1_700_000_000_000,
    )
    assert isinstance(bus, ModbusBus)
    task = asyncio.create_task(bus.run())
    try:
        yield bus
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def wire(
    units: dict[int, Unit], profiles: dict[str, tuple[Installed, Profile]], timeout_s: float = 0.2
) -> AsyncIterator[tuple[Slave, ModbusBus, Heard]]:
    slave, heard = Slave(units), Heard()
    port = await slave.listen()
    try:
        async with running(port, profiles, heard, timeout_s) as bus:
            yield slave, bus, heard
    finally:
        await slave.close()


async def test_values_come_once_and_then_only_when_they_change() -> None:
    unit = holding(3)
    async with wire({1: unit}, {"d": (Installed(), product(registers(3)))}) as (_, bus, heard):
        await heard.until(lambda: heard.last("d.r2"))
        assert heard.reports[0] == DeviceFound("d")
        assert [reading.value for reading in heard.of(PointsRead)[0].readings] == [100, 101, 102]
        await unit.until_asked(len(unit.asked) + 5)
        assert len(heard.of(PointsRead)) == 1
        unit.registers[3, 1] = 7
        await heard.until(lambda: heard.readings("d.r1")[1:])
        assert [reading.value for reading in heard.of(PointsRead)[1].readings] == [7]
        assert bus.online("d")


async def test_one_request_reads_all_neighbours() -> None:
    unit = holding(125)
    async with wire({1: unit}, {"d": (Installed(), product(registers(125)))}) as (_, _, heard):
        await heard.until(lambda: heard.last("d.r124"))
        assert unit.asked[0] == bytes.fromhex("03 0000 007D")


async def test_a_refused_point_is_bad_and_the_others_go_on() -> None:
    unit = holding(4)
    del unit.registers[3, 2]
    async with wire({1: unit}, {"d": (Installed(), product(registers(4)))}) as (_, bus, heard):
        await heard.until(lambda: heard.last("d.r3") and heard.last("d.r2"))
        assert [(heard.last(f"d.r{at}") or pytest.fail()).value for at in range(4)] == [100, 101, None, 103]
        assert (heard.last("d.r2") or pytest.fail()).quality == "bad"
        assert bus.online("d")
        assert heard.of(DeviceLost) == []


async def test_a_device_with_a_fault_of_its_own_is_there_and_bad() -> None:
    unit = Unit(exception=4)
    async with wire({1: unit}, {"d": (Installed(), product(registers(2)))}) as (_, _, heard):
        await heard.until(lambda: heard.last("d.r1"))
        assert heard.reports[0] == DeviceFound("d")
        assert {reading.quality for reading in heard.of(PointsRead)[0].readings} == {"bad"}
        unit.exception, unit.registers = None, {(3, 0): 1, (3, 1): 2}
        await heard.until(lambda: heard.readings("d.r1")[1:])
        assert (heard.last("d.r1") or pytest.fail()).value == 2


async def test_a_silent_device_is_lost_and_found_and_the_others_go_on() -> None:
    sick, well = holding(1), holding(2)
    devices = {"sick": (Installed(1), product(registers(1))), "well": (Installed(2), product(registers(2)))}
    async with wire({1: sick, 2: well}, devices, timeout_s=0.05) as (_, bus, heard):
        await heard.until(lambda: heard.last("sick.r0") and heard.last("well.r0"))
        sick.silent = True
        await heard.until(lambda: heard.of(DeviceLost))
        (lost,) = heard.of(DeviceLost)
        assert lost.device == "sick"
        assert "did not answer" in lost.why
        assert not bus.online("sick")
        well.registers[3, 0] = 5
        await heard.until_value("well.r0", 5)
        sick.silent = False
        await heard.until(lambda: heard.readings("sick.r0")[1:])
        assert heard.of(DeviceFound)[-1] == DeviceFound("sick")
        # What it says first is told although it is what it said last: its points were stale meanwhile.
        back = heard.reports[len(heard.reports) - heard.reports[::-1].index(DeviceFound("sick"))]
        assert isinstance(back, PointsRead) and back.device == "sick"
        assert bus.health.timeouts >= 2


async def test_a_converter_that_says_silent_is_believed() -> None:
    units = {1: Unit(exception=11), 2: holding(1)}
    devices = {"sick": (Installed(1), product(registers(1))), "well": (Installed(2), product(registers(1)))}
    async with wire(units, devices) as (slave, _, heard):
        await heard.until(lambda: heard.of(DeviceLost))
        assert heard.of(DeviceLost)[0].device == "sick"
        assert heard.readings("sick.r0") == []
        assert slave.accepted == 1


async def test_an_answer_of_another_unit_is_not_taken() -> None:
    unit = holding(1)
    unit.answers_as = 9
    async with wire({1: unit}, {"d": (Installed(), product(registers(1)))}, timeout_s=0.05) as (_, _, heard):
        await heard.until(lambda: heard.of(DeviceLost))
        assert heard.readings("d.r0") == []


async def test_late_answers_never_become_readings() -> None:
    """Each register tells its own address and the round; in each round one answer comes after the time-out."""
    turn = 0
    unit = Unit(compute=lambda fc, address: address + 1000 * turn)
    points = "".join(f"  r{at}: {{fc: 3, address: {at}, name: {{zh: 值, en: Value}}}}\n" for at in range(0, 400, 20))
    profile = product(f"{FAST}points:\n{points}")
    async with wire({1: unit}, {"d": (Installed(), profile)}, timeout_s=0.05) as (slave, bus, heard):
        await heard.until(lambda: heard.last("d.r380"))
        for _ in range(4):
            turn += 1
            unit.delays = [0.08]
            await heard.until_value("d.r380", 380 + 1000 * turn)
        assert bus.health.timeouts >= 4
        assert bus.health.late >= 4
        # A late answer is known by its number: it does not cost the connection.
        assert slave.accepted == 1
        for report in heard.of(PointsRead):
            for reading in report.readings:
                assert isinstance(reading.value, int)
                assert reading.value % 1000 == int(reading.point.removeprefix("d.r"))


async def test_bytes_that_are_no_modbus_are_refused() -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.read(12)
        writer.write(head[:4] + bytes([0, 3, 1, 0x55, 0]) + b"HTTP/1.1 400 Bad Request\r\n\r\n")

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    heard = Heard()
    async with running(
        server.sockets[0].getsockname()[1], {"d": (Installed(), product(registers(1)))}, heard, 0.05
    ) as bus:
        await heard.until(lambda: heard.of(InputRefused))
        assert bus.health.refused >= 1
        assert heard.readings("d.r0") == []
    server.close()


async def test_nobody_at_the_other_end() -> None:
    slave, heard = Slave({1: holding(1)}), Heard()
    port = await slave.listen()
    await slave.close()
    async with running(port, {"d": (Installed(), product(registers(1)))}, heard) as bus:
        await heard.until(lambda: heard.of(DeviceLost))
        assert "cannot be opened" in heard.of(DeviceLost)[0].why
        with pytest.raises(CommandFailed):
            await bus.write("d", "nothing", True, within_s=0.2)
        again = Slave({1: holding(1)})
        await again.listen(port)
        await heard.until(lambda: heard.last("d.r0"))
        assert bus.online("d")
        again.drop_connections()
        again.units[1].registers[3, 0] = 7
        await heard.until_value("d.r0", 7)
        assert bus.health.reconnects >= 1
        await again.close()


# --- Commands


def relay_board() -> Unit:
    bits = {(1, at): False for at in range(8)} | {(2, at): False for at in range(8)}
    return Unit(bits=bits)


async def test_outputs_pulses_and_inputs_of_a_relay_board() -> None:
    unit = relay_board()
    async with wire({1: unit}, {"board": (Installed(), load("waveshare_eth_relay8_di8"))}) as (_, bus, heard):
        await bus.write("board", "relay_2", True, within_s=1)
        assert unit.raw_coils == {1: 0xFF00}
        await heard.until(lambda: (last := heard.last("board.relay_2")) and last.value is True)
        await bus.pulse("board", "relay_1", 5.0, within_s=1)
        assert unit.raw_coils[0x0200] == 50
        unit.bits[2, 0] = True
        await heard.until(lambda: (last := heard.last("board.input_1")) and last.value is True)


async def test_a_command_waits_for_one_exchange_at_most() -> None:
    """A slow unit is being read; the command to another one goes out as soon as that exchange is over."""
    slow, board = holding(1), relay_board()
    slow.delays = [0.1] * 50
    devices = {"slow": (Installed(1), product(registers(1))), "board": (Installed(2), load("waveshare_relay8"))}
    async with wire({1: slow, 2: board}, devices, timeout_s=0.5) as (_, bus, heard):
        await heard.until(lambda: heard.last("board.relay_1"))
        asked = len(slow.asked)
        await bus.write("board", "relay_1", True, within_s=2)
        assert len(slow.asked) - asked <= 1


async def test_a_command_whose_time_is_over_is_never_sent() -> None:
    board = relay_board()
    slow = holding(1)
    devices = {"slow": (Installed(1), product(registers(1))), "board": (Installed(2), load("waveshare_relay8"))}
    async with wire({1: slow, 2: board}, devices, timeout_s=1.0) as (_, bus, heard):
        await heard.until(lambda: heard.last("slow.r0") and heard.last("board.relay_8"))
        slow.delays = [0.3]
        await slow.until_asked(len(slow.asked) + 1)
        with pytest.raises(CommandFailed, match="has not confirmed within"):
            await bus.write("board", "relay_1", True, within_s=0.05)
        await bus.write("board", "relay_2", True, within_s=2)
        assert board.raw_coils == {1: 0xFF00}


async def test_a_pulse_that_was_not_confirmed_does_not_linger_in_the_network() -> None:
    ends: asyncio.Queue[BaseException | None] = asyncio.Queue()

    async def board(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.read(1000):
                pass
            ends.put_nowait(None)
        except ConnectionResetError as reset:
            ends.put_nowait(reset)
        writer.close()

    async with await asyncio.start_server(board, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        profile = load("waveshare_relay8")
        async with running(port, {"board": (Installed(), profile)}, Heard(), timeout_s=0.05) as bus:
            with pytest.raises(CommandFailed, match="did not answer"):
                await bus.write("board", "relay_1", True, within_s=5)
            # A reset, not an orderly end: the kernel threw away what it had not sent.
            assert isinstance(await ends.get(), ConnectionResetError)


async def test_a_refusal_comes_back_in_plain_words() -> None:
    board = relay_board()
    async with wire({1: board}, {"board": (Installed(), load("waveshare_relay8"))}) as (_, bus, heard):
        await heard.until(lambda: heard.last("board.relay_1"))
        board.exception = 3
        with pytest.raises(CommandFailed, match="board: the device does not take this value") as failed:
            await bus.write("board", "relay_1", True, within_s=1)
        assert failed.value.why.zh == "board：设备不接受该数值"


async def test_a_lost_answer_to_a_command_is_asked_for_once_more() -> None:
    board = relay_board()
    async with wire({1: board}, {"board": (Installed(), load("waveshare_relay8"))}, timeout_s=0.2) as (_, bus, heard):
        await heard.until(lambda: heard.last("board.relay_1"))
        board.delays = [0.3]
        await bus.write("board", "relay_1", True, within_s=2)
        assert board.raw_coils == {0: 0xFF00}


async def test_a_toggle_is_never_sent_twice() -> None:
    gate = Unit(compute=lambda fc, address: 16)
    async with wire({1: gate}, {"gate": (Installed(), load("came_gard_ptx"))}, timeout_s=0.05) as (_, bus, heard):
        await heard.until(lambda: heard.last("gate.gate_status"))
        gate.silent = True
        gate.asked.clear()
        with pytest.raises(CommandFailed, match="did not answer"):
            await bus.write("gate", "step", True, within_s=1)
        assert gate.asked.count(bytes.fromhex("05 0004 FF00")) == 1


VERIFIED = """
outputs:
  lock: {address: 0, verify: true, name: {zh: 锁, en: Lock}}
commands:
  level: {fc: 6, address: 7, name: {zh: 值, en: Level}, verify: {fc: 3}}
  mode: {fc: 6, address: 8, name: {zh: 模式, en: Mode}, verify: {fc: 3, address: 9, expect: 1}}
"""


async def test_writes_are_verified_where_the_profile_asks() -> None:
    unit = Unit(bits={(1, 0): False}, registers={(3, 9): 0})
    async with wire({1: unit}, {"d": (Installed(), product(VERIFIED))}) as (_, bus, _):
        await bus.write("d", "lock", True, within_s=1)
        await bus.write("d", "level", 5, within_s=1)
        with pytest.raises(CommandFailed, match="reads back 0 where 1 was written"):
            await bus.write("d", "mode", 3, within_s=1)
        unit.registers[3, 9] = 1
        await bus.write("d", "mode", 3, within_s=1)


async def test_a_pulse_is_given_again_while_the_first_one_may_still_run() -> None:
    board = relay_board()
    async with wire({1: board}, {"board": (Installed(), load("waveshare_relay8"))}, timeout_s=0.5) as (_, bus, heard):
        await heard.until(lambda: heard.last("board.relay_1"))
        board.delays = [0.6]
        await bus.pulse("board", "relay_1", 60, within_s=5)
        assert board.asked.count(bytes.fromhex("05 0200 0258")) == 2


async def test_a_pulse_that_may_have_ended_is_not_given_again() -> None:
    board = relay_board()
    async with wire({1: board}, {"board": (Installed(), load("waveshare_relay8"))}) as (_, bus, heard):
        await heard.until(lambda: heard.last("board.relay_1"))
        board.silent = True
        with pytest.raises(CommandFailed, match="whether the pulse was given is not known"):
            await bus.pulse("board", "relay_1", 0.1, within_s=5)
        assert board.asked.count(bytes.fromhex("05 0200 0001")) == 1


async def test_what_was_confirmed_is_looked_at_again_and_not_written_again() -> None:
    unit = Unit(bits={(1, 0): False})
    async with wire({1: unit}, {"d": (Installed(), product(VERIFIED))}, timeout_s=0.2) as (_, bus, heard):
        await heard.until(lambda: heard.last("d.lock"))
        unit.asked.clear()
        answer = unit.answer

        def forgetful(pdu: bytes) -> bytes:
            unit.silent = unit.asked[-1:] == [bytes.fromhex("05 0000 FF00")]
            return answer(pdu)

        unit.answer = forgetful  # type: ignore[method-assign]
        await bus.write("d", "lock", True, within_s=2)
        assert unit.asked.count(bytes.fromhex("05 0000 FF00")) == 1
        assert bus.health.timeouts == 1


async def test_others_are_served_while_a_board_takes_its_time_to_move() -> None:
    slow, board = Unit(bits={(1, 0): False}), relay_board()
    settling = "outputs:\n  lock: {address: 0, verify: true, settle_s: 1.0, name: {zh: 锁, en: Lock}}\n"
    devices = {"slow": (Installed(1), product(settling)), "board": (Installed(2), load("waveshare_relay8"))}
    async with wire({1: slow, 2: board}, devices) as (_, bus, heard):
        await heard.until(lambda: heard.last("slow.lock") and heard.last("board.relay_1"))
        on = asyncio.create_task(bus.write("slow", "lock", True, within_s=5))
        off = asyncio.create_task(bus.write("slow", "lock", False, within_s=5))
        while 0 not in slow.raw_coils:
            await slow.until_asked(len(slow.asked) + 1)
        await bus.write("board", "relay_1", True, within_s=5)
        assert not on.done()
        await on
        # The next command for the same board waited until this one was looked at.
        assert slow.raw_coils == {0: 0xFF00}
        await off
        assert slow.raw_coils == {0: 0}


async def test_a_question_that_is_cut_off_by_the_end_does_not_linger_in_the_network() -> None:
    ends: asyncio.Queue[BaseException | bytes] = asyncio.Queue()

    async def board(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1000):
                ends.put_nowait(data)
            ends.put_nowait(data)
        except ConnectionResetError as reset:
            ends.put_nowait(reset)
        writer.close()

    async with await asyncio.start_server(board, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with running(port, {"d": (Installed(), product(registers(1)))}, Heard(), timeout_s=30):
            assert await ends.get()
        assert isinstance(await ends.get(), ConnectionResetError)


async def test_unknown_devices_and_points_are_named() -> None:
    async with wire({1: relay_board()}, {"board": (Installed(), load("waveshare_relay8"))}) as (_, bus, _):
        with pytest.raises(CommandFailed, match="there is no lift on net"):
            await bus.write("lift", "relay_1", True, within_s=1)
        with pytest.raises(CommandFailed, match="has no output relay_9"):
            await bus.pulse("board", "relay_9", 1, within_s=1)


async def test_the_queue_of_commands_is_bounded() -> None:
    gate = relay_board()
    gate.silent = True
    async with wire({1: gate}, {"d": (Installed(), load("waveshare_relay8"))}, timeout_s=0.05) as (_, bus, _):
        commands = [bus.write("d", "relay_1", True, within_s=0.3) for _ in range(80)]
        results = await asyncio.gather(*commands, return_exceptions=True)
        assert all(isinstance(result, CommandFailed) for result in results)
        assert sum("too much to do" in str(result) for result in results) == 80 - 64


class DeafWire:
    """A wire whose library swallows a cancellation that comes while it waits, as `asyncio.wait_for` of 3.11 can."""

    name = "deaf"
    serial = False
    connected = True

    def __init__(self) -> None:
        self.reading = asyncio.Event()

    async def open(self, timeout_s: float) -> None: ...

    def close(self) -> None: ...

    def ready_at(self, unit: int) -> float:
        return 0.0

    def can_confirm(self, write: Write) -> bool:
        return True

    async def read(self, unit: int, fc: int, start: int, size: int, timeout_s: float) -> bytes:
        self.reading.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0.01)
        return bytes(2 * size)

    async def write(self, unit: int, write: Write, timeout_s: float) -> None: ...


async def test_the_owner_ends_even_if_its_library_swallows_the_cancellation() -> None:
    wire = DeafWire()
    station = Station("d", Installed(), product(registers(1, period_s=0.001)))
    bus = ModbusBus("net", wire, {"d": station}, sink=Heard(), clock=lambda: 0, timeout_s=1)
    task = asyncio.create_task(bus.run())
    await wire.reading.wait()
    task.cancel()
    await asyncio.wait_for(asyncio.gather(task, return_exceptions=True), 5)

"""What the owner of a Modbus TCP wire does with commands: in time or never, once, and looked at again where asked."""

from __future__ import annotations

import asyncio

import pytest

from drivers.bus import CommandFailed
from drivers.profiles.files import load
from tests.drivers.products import Installed, product, registers
from tests.drivers.sinks import Heard
from tests.drivers.slave import Unit
from tests.drivers.test_modbus_bus import holding, running, wire


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

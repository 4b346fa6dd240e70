"""The benches of wires, as short as can be: each runs, everything is counted, nothing is lost; no figure is judged."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Any

import pytest

from contract.readings import Column
from tests.bench import command, idle, late, modbus, rtu, rtu_dead
from tests.bench.listener import Listener
from tests.bench.reckoning import reckon
from tests.bench.slaves import FIRST, CountingSlave, bump, limit_c, limit_python


async def test_modbus_counts_every_change() -> None:
    ours = await modbus.of_gateway(0.1, 2.0)
    assert ours.reckoning.kept > 2000
    assert (ours.reckoning.lost, ours.reckoning.wrong) == (0, 0)
    assert ours.window.cpu_s > 0
    assert ours.memory > 20


async def test_the_limits_read_the_slave() -> None:
    async with CountingSlave(3) as slave:
        for limit in (limit_c, limit_python):
            before = sum(await slave.counts())
            reached = await limit(slave.port, 3, 0.3)
            assert sum(await slave.counts()) - before == reached["reads"] > 0


async def test_a_dead_unit_is_silent_and_the_others_are_read() -> None:
    async with CountingSlave(2) as slave:
        slave.dead(2)
        reader, writer = await asyncio.open_connection("127.0.0.1", slave.port)
        for unit in (2, 1):
            writer.write(bytes((0, unit, 0, 0, 0, 6, unit, 3, 0, 0, 0, 2)))
        assert await reader.readexactly(13) == bytes((0, 1, 0, 0, 0, 7, 1, 3, 4, 0, 0, 0, 1))
        assert await slave.counts() == [1, 0]
        writer.close()


async def test_rtu_on_a_paced_line() -> None:
    line = await rtu.of_gateway(2.0)
    assert 1 < line.rate < 30, "24 is what the line can carry"


async def test_a_unit_without_power_and_back() -> None:
    dead = await rtu_dead.of_gateway(1.5, back_off_s=1.0)
    assert dead.back_s < float("inf")


async def test_commands_reach_the_unit() -> None:
    delays = await command.over_tcp(5)
    assert len(delays.obeyed) == len(delays.confirmed) == 5
    assert all(0 < one <= two for one, two in zip(delays.obeyed, delays.confirmed, strict=True))
    assert len(await command.through_rest(2)) == 2


async def test_late_answers() -> None:
    for kind, counted in (await late.of_drivers(40, 2, 20.0)).items():
        assert counted.polls >= 40, kind
        assert (counted.wrong, counted.old) == (0, 0), kind


async def test_an_idle_gateway_is_read_at_its_pace() -> None:
    assert (await idle.of_gateway(1.0)).rate > 5


# --- What the figures stand on


def test_a_lost_change_and_a_wrong_value_are_seen() -> None:
    reads = 60
    histories = {"reads": list(range(1, reads + 1))}
    for at in range(FIRST, 125):
        went = [bump(3, at, count) for count in range(1, reads + 1)]
        histories[f"r{at}"] = list(dict.fromkeys(went))

    def told(spoil: dict[str, list[int]] | None = None) -> Iterable[Column]:
        for name, values in {**histories, **(spoil or {})}.items():
            yield Column(point=f"u3.{name}", at=[0] * len(values), values=list(values), quality=["good"] * len(values))

    assert reckon(told(), {"u3": (3, reads)})[1:] == (0, 0)
    late_one = {"reads": histories["reads"][:-1]}
    assert reckon(told(late_one), {"u3": (3, reads)})[1:] == (0, 0), "the last read may be on its way"
    gap = {"reads": [*histories["reads"][:10], *histories["reads"][12:]]}
    assert reckon(told(gap), {"u3": (3, reads)})[1:] == (2, 0)
    twice = {"reads": [*histories["reads"][:10], *histories["reads"][9:]]}
    assert reckon(told(twice), {"u3": (3, reads)})[1:] == (0, 1)
    foreign = {"r7": [*histories["r7"], 9]}
    assert reckon(told(foreign), {"u3": (3, reads)})[1:] == (0, 1)


@pytest.mark.parametrize("version", [4, 5])
async def test_the_listener_speaks_both_versions(version: int) -> None:
    heard: list[tuple[str, bytes]] = []
    listener = Listener(lambda topic, payload: heard.append((topic, payload)))
    await listener.open()
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    nothing = b"\0" if version == 5 else b""

    def packet(head: int, body: bytes) -> bytes:
        return bytes((head, len(body))) + body

    writer.write(packet(0x10, b"\0\4MQTT" + bytes((version, 2, 0, 60)) + nothing + b"\0\1c"))
    assert await reader.readexactly(4 + len(nothing)) == packet(0x20, b"\0\0" + nothing)
    writer.write(packet(0x32, b"\0\3a/b" + b"\0\7" + nothing + json.dumps({"x": 1}).encode()))
    assert await reader.readexactly(4) == packet(0x40, b"\0\7")
    assert heard == [("a/b", b'{"x": 1}')]
    listener.say("d/e", b"yes")
    said: Any = packet(0x30, b"\0\3d/e" + nothing + b"yes")
    assert await reader.readexactly(len(said)) == said
    writer.close()
    await listener.close()

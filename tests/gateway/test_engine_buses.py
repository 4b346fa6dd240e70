"""Supervised wires: a crash of one is counted, restarted with back-off, and never reaches another."""

from __future__ import annotations

import asyncio

import pytest

from contract.readings import Value
from drivers.bus import BusHealth, CommandFailed, Outcome
from gateway.engine.desk.buses import RESTART_LIMIT_S, Buses, restart_delay


class Wire:
    """A wire whose owner task crashes as often as told, and that keeps what was sent."""

    def __init__(self, id: str, crashes: int = 0) -> None:
        self.id = id
        self.health = BusHealth()
        self.crashes_left = crashes
        self.running = asyncio.Event()
        self.sent: list[tuple[object, ...]] = []

    async def run(self) -> None:
        if self.crashes_left:
            self.crashes_left -= 1
            raise RuntimeError("the wire's code is broken")
        self.running.set()
        await asyncio.Event().wait()

    async def write(self, device: str, point: str, value: Value, *, within_s: float) -> None:
        self.sent.append(("write", device, point, value))

    async def pulse(self, device: str, output: str, seconds: float, *, within_s: float) -> None:
        self.sent.append(("pulse", device, output, seconds))

    def show(self, reader: str, outcome: Outcome) -> None: ...

    def online(self, device: str) -> bool:
        return True


@pytest.mark.parametrize(
    ("crashes", "delay"), [(1, 0.5), (2, 1.0), (3, 2.0), (7, RESTART_LIMIT_S), (99, RESTART_LIMIT_S)]
)
def test_back_off_doubles_up_to_half_a_minute(crashes: int, delay: float) -> None:
    assert restart_delay(crashes) == delay


async def test_a_crashing_wire_is_restarted_and_its_neighbour_never_stops() -> None:
    sick, well = Wire("sick", crashes=1), Wire("well")
    buses = Buses({})
    buses.add(sick)
    buses.add(well)
    buses.start()
    await asyncio.wait_for(well.running.wait(), 5)
    await asyncio.wait_for(sick.running.wait(), 5)
    assert buses.crashes == {"sick": 1, "well": 0}
    await buses.stop()


async def test_a_command_goes_to_the_wire_of_its_device() -> None:
    left, right = Wire("left"), Wire("right")
    buses = Buses({"relay-1": "left", "relay-2": "right"})
    buses.add(left)
    buses.add(right)
    await buses.pulse("relay-2", "relay_1", 5.0, within_s=1)
    await buses.write("relay-1", "relay_3", True, within_s=1)
    assert right.sent == [("pulse", "relay-2", "relay_1", 5.0)]
    assert left.sent == [("write", "relay-1", "relay_3", True)]


async def test_a_device_without_a_wire_fails_the_command_in_words() -> None:
    with pytest.raises(CommandFailed, match="nobody has no wire"):
        await Buses({}).pulse("nobody", "relay_1", 1.0, within_s=1)

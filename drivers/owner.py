"""The owner of a wire whose devices are asked in turn: people's commands first, then what is due, one at a time.

`run` is the only task that touches the wire. `write` and `pulse` put a command into its queue and wake it. Which bytes
are exchanged, the protocol's own owner says: here is when.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

import structlog

from drivers.bus import BusHealth, CommandFailed, Outcome
from drivers.commands import CommandQueue, QueuedCommand
from drivers.errors import WireDown
from drivers.profiles.words import Group
from drivers.reports import DeviceFound, DeviceLost, InputRefused, Sink
from drivers.schedule import Readable, Timetable, Turn
from drivers.tap import Tap

log = structlog.get_logger(__name__)

REOPEN_S = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds before the wire is opened again, by how often that has been in vain."""

GUARD_S = 0.002
"""Longer silences before a frame are left to commands for others."""

What = TypeVar("What")
Block = TypeVar("Block", bound=Readable)
Block_co = TypeVar("Block_co", bound=Readable, covariant=True)


class Polled(Protocol[Block_co]):
    """A device that is asked in turn. `periods`: seconds between reads of each group."""

    @property
    def periods(self) -> Mapping[Group, float]: ...

    def blocks(self) -> Sequence[Block_co]:
        """What is read of it."""

    def forget(self) -> None:
        """It was lost: what it said before says nothing about what comes back."""


class Owned(Protocol):
    """A wire, whatever carries it."""

    name: str

    @property
    def connected(self) -> bool:
        """Whether it is open."""

    def close(self) -> None:
        """Closes it; harmless if it is not open. What was not sent by then is never sent."""


class Owner(ABC, Generic[What, Block]):
    """One wire and its devices (see `drivers.bus.Bus`). `clock`: Unix ms. `timeout_s`: the longest wait for an answer.
    `tap`: the wire's own, which it tells what it carries.

    A protocol's owner says how the wire is opened (`_dial`), what a command is (`_serve`), and what a turn (`_read`).
    """

    def __init__(
        self,
        id: str,
        wire: Owned,
        devices: Mapping[str, Polled[Block]],
        *,
        sink: Sink,
        clock: Callable[[], int],
        timeout_s: float,
        tap: Tap | None = None,
    ) -> None:
        self.id = id
        self.health = BusHealth()
        self.tap = tap or Tap()
        self._wire = wire
        self._asked = dict(devices)
        self._sink = sink
        self._clock = clock
        self._timeout_s = timeout_s
        self._timetable: Timetable[Block] = Timetable()
        self.health.left_out = self._timetable.left_out
        self._commands: CommandQueue[What] = CommandQueue(id)
        self._opened_in_vain = 0
        self._opened_ever = False
        self._down = False
        self._reopen_at = 0.0

    # --- What the gateway asks

    def online(self, device: str) -> bool:
        """Whether the device answered lately."""
        return self._timetable.online(device)

    def show(self, reader: str, outcome: Outcome) -> None:
        """Nothing on such a wire shows decisions."""

    def _unknown(self, device: str) -> CommandFailed:
        return CommandFailed(f"there is no {device} on {self.id}", f"{self.id} 上没有 {device}")

    # --- What a protocol's owner does

    @abstractmethod
    async def _dial(self, timeout_s: float) -> None:
        """Opens the wire. Raises `WireDown`."""

    @abstractmethod
    async def _serve(self, command: QueuedCommand[What]) -> None:
        """Carries out a command, puts it off, or fails it."""

    @abstractmethod
    async def _read(self, turn: Turn[Block]) -> None:
        """Asks for what is due, and tells what came of it."""

    def _ready_at(self, device: str) -> float:
        """The moment (of the loop's clock) from which the device may be asked."""
        return 0.0

    # --- The owner

    async def run(self) -> None:
        """Owns the wire until cancelled; outlives every fault of it."""
        now = asyncio.get_running_loop().time()
        for device, asked in self._asked.items():
            self._timetable.add(device, asked.blocks(), asked.periods, now)
        owner = asyncio.current_task()
        assert owner is not None
        try:
            # Before Python 3.12, wait_for (in pymodbus) swallows a cancellation that comes together with the answer.
            while not owner.cancelling():
                try:
                    await self._step()
                except Exception:  # a fault of ours costs this turn and the connection, not the owner of the wire
                    log.exception("a turn on the wire failed", bus=self.id)
                    self._hang_up()
                    await asyncio.sleep(1.0)
            raise asyncio.CancelledError
        finally:
            self._hang_up()
            self._commands.close()

    async def _step(self) -> None:
        now = asyncio.get_running_loop().time()
        command = self._commands.next(now)
        if command is not None:
            await self._serve(command)
        elif not self._wire.connected:
            self.health.connected = False
            if self._reopen_at > now:
                await self._commands.rest_until(self._reopen_at)
            else:
                await self._open(self._timeout_s)
        elif (turn := self._timetable.next(now)) is None:
            await self._commands.rest_until(self._timetable.wake_at())
        elif (ready_at := self._ready_at(turn.device)) > now + GUARD_S:
            await self._commands.rest_until(ready_at - GUARD_S / 2)
        else:
            await self._read(turn)

    # --- The wire itself

    async def _open(self, timeout_s: float) -> bool:
        loop = asyncio.get_running_loop()
        self._hang_up()
        try:
            await self._dial(timeout_s)
        except WireDown as down:
            self._opened_in_vain += 1
            self._reopen_at = loop.time() + _reopen_delay(self._opened_in_vain)
            self._down = True
            for device in self._asked:
                self._silent(device, str(down))
            return False
        # An end that accepts and hangs up again is not dialled in a tight loop either.
        self._reopen_at = loop.time() + _reopen_delay(self._opened_in_vain)
        self._opened_in_vain += 1
        self.health.connected = True
        self.health.reconnects += self._opened_ever
        self._opened_ever = True
        if self._down:
            self._down = False
            self._timetable.wire_back(loop.time())
        return True

    def _hang_up(self) -> None:
        self._wire.close()
        self.health.connected = False

    # --- Who is there

    def _found(self, device: str, now: float) -> None:
        """It answered."""
        self._opened_in_vain = 0
        if self._timetable.answered(device, now):
            self._sink(DeviceFound(device))

    def _silent(self, device: str, why: str, at_least_s: float = 0.0, cost_s: float = 0.0) -> None:
        """It did not answer, which kept the wire busy for `cost_s`; it is left alone for `at_least_s`."""
        if self.tap.on:
            self.tap.failed(device, why)
        lost = self._timetable.silent(device, asyncio.get_running_loop().time(), at_least_s, cost_s)
        self.health.missed = self._timetable.missed
        if lost:
            self._asked[device].forget()
            self._sink(DeviceLost(device, why))

    def refuse(self, why: str, sample: bytes) -> None:
        """Bytes came that nobody can use."""
        self.health.refused += 1
        self._sink(InputRefused(self.id, why, sample[:64]))


def _reopen_delay(in_vain: int) -> float:
    return REOPEN_S[min(in_vain, len(REOPEN_S) - 1)]

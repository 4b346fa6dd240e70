"""What the gateway asks of every bus: one wire with one owner task, commands before polls, bounded waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from contract.readings import Value
from contract.texts import Text
from drivers.errors import DriverError


class LeftOut(NamedTuple):
    """Moments at which a device should have been read and was not: the wire was too slow, or the device silent."""

    overruns: int = 0
    missed: int = 0


@dataclass(slots=True)
class BusHealth:
    """Counters of one bus since start, for /metrics and the installer's page.

    Of the moments at which something should have been read, `overruns` were left out because the wire was too slow for
    all that is asked of it, `missed` because the device was silent; `left_out` tells the same of each device.
    """

    exchanges: int = 0
    timeouts: int = 0
    refused: int = 0
    reconnects: int = 0
    late: int = 0
    overruns: int = 0
    missed: int = 0
    connected: bool = False
    left_out: Callable[[], Mapping[str, LeftOut]] = field(default=dict, repr=False)


Outcome = Literal["granted", "denied"]
"""What a reader shows to the person in front of it."""


class CommandFailed(DriverError):
    """The device did not do what was asked: refused, unreachable, or too late. Nothing is sent after this is raised.

    `why`: the same in both languages, for the person who asked.
    """

    def __init__(self, en: str, zh: str = "") -> None:
        super().__init__(en)
        self.why = Text(zh=zh or en, en=en)


@runtime_checkable
class SetsKeys(Protocol):
    """A wire whose readers have keys of their own."""

    async def set_key(self, device: str, *, within_s: float) -> None:
        """Gives a reader a new key, which never leaves the gateway. `CommandFailed` says what to do."""


class Bus(Protocol):
    """One wire. `run` owns it until cancelled; every other call hands work to that owner.

    `write` and `pulse` return when the device has confirmed, and raise `CommandFailed` at the latest after `within_s`
    seconds; a command that is still waiting for the wire by then is dropped, never sent late.
    """

    id: str
    health: BusHealth

    async def run(self) -> None:
        """Owns the wire until cancelled; outlives every fault of it."""

    async def write(self, device: str, point: str, value: Value, *, within_s: float) -> None:
        """Sets a writable point or carries out a command of the device's profile (`value` as the profile says)."""

    async def pulse(self, device: str, output: str, seconds: float, *, within_s: float) -> None:
        """Closes an output for `seconds`, timed by the device itself where it can; `CommandFailed` if it cannot."""

    def online(self, device: str) -> bool:
        """Whether the device answered lately."""

    def show(self, reader: str, outcome: Outcome) -> None:
        """Lets a reader show what was decided, by lamp and buzzer; one that has neither does nothing. Never waits."""

"""What people asked of the devices of one wire: a bounded queue that its owner serves, and whose callers wait.

A command whose time is over is dropped here, never carried out late.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

from drivers.bus import CommandFailed

COMMANDS_LIMIT = 64

What = TypeVar("What")


@dataclass(slots=True, eq=False)
class QueuedCommand(Generic[What]):
    """`deadline` and the other moments: monotonic seconds of the event loop.

    What its owner remembers between the steps of one command: `not_before` (it goes on then), `sent_at` (when it first
    went out), `confirmed` (the device has said yes and is still to be looked at), `tries` in vain.
    """

    device: str
    what: What
    deadline: float
    done: asyncio.Future[None]
    not_before: float = 0.0
    sent_at: float | None = None
    confirmed: bool = False
    tries: int = 0

    def fulfil(self) -> None:
        """The device has confirmed."""
        if not self.done.done():
            self.done.set_result(None)

    def fail(self, why: CommandFailed) -> None:
        """The device will not, or cannot be asked."""
        if not self.done.done():
            self.done.set_exception(why)

    def left(self, now: float) -> float:
        """Seconds that it may still take. `CommandFailed` if nobody waits for it any more."""
        if self.deadline <= now or self.done.done():
            raise CommandFailed(f"{self.device}: the time for this is over", f"{self.device}：时限已过")
        return self.deadline - now


class CommandQueue(Generic[What]):
    """The commands of one wire, and the rest that its owner takes between them."""

    def __init__(self, bus: str) -> None:
        self._bus = bus
        self._waiting: deque[QueuedCommand[What]] = deque()
        self._woken = asyncio.Event()

    async def ask(self, device: str, what: What, within_s: float) -> None:
        """Returns when the owner has fulfilled it; `CommandFailed` at the latest after `within_s`."""
        if len(self._waiting) >= COMMANDS_LIMIT:
            raise CommandFailed(f"{self._bus} has too much to do already", f"{self._bus} 待办过多")
        loop = asyncio.get_running_loop()
        command = QueuedCommand(device, what, loop.time() + within_s, loop.create_future())
        self._waiting.append(command)
        self._woken.set()
        try:
            async with asyncio.timeout_at(command.deadline):
                await command.done
        except TimeoutError:
            raise CommandFailed(
                f"{device} has not confirmed within {within_s:g} s", f"{device} 在 {within_s:g} 秒内未确认"
            ) from None
        finally:
            command.done.cancel()

    def next(self, now: float) -> QueuedCommand[What] | None:
        """The oldest that somebody still waits for and that may go on; those for one device keep their order."""
        if not self._waiting:
            return None
        held: set[str] = set()
        for command in list(self._waiting):
            if command.done.done() or command.deadline <= now:
                self._waiting.remove(command)
            elif command.device in held or command.not_before > now:
                held.add(command.device)
            else:
                self._waiting.remove(command)
                return command
        return None

    def put_off(self, command: QueuedCommand[What], until: float) -> None:
        """A command under way goes on at `until`: others may be served meanwhile, but none for the same device."""
        command.not_before = until
        self._waiting.appendleft(command)

    def close(self) -> None:
        """The wire is being closed: nothing that waits is carried out."""
        for command in self._waiting:
            command.fail(CommandFailed(f"{self._bus} is being closed", f"{self._bus} 正在关闭"))
        self._waiting.clear()

    async def rest_until(self, moment: float | None) -> None:
        """Sleeps until `moment` (for ever if None) or until someone has a command, or one that was put off goes on."""
        later = min((command.not_before for command in self._waiting if command.not_before), default=None)
        if later is not None and (moment is None or later < moment):
            moment = later
        alarm = None
        if moment is not None:
            alarm = asyncio.get_running_loop().call_at(moment, self._woken.set)
        try:
            await self._woken.wait()
        finally:
            if alarm is not None:
                alarm.cancel()
        self._woken.clear()

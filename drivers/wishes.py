"""What people asked of the devices of one wire: a bounded queue that its owner serves, and whose callers wait.

A wish whose time is over is dropped here, never carried out late.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

from drivers.bus import CommandFailed

WISHES_LIMIT = 64

What = TypeVar("What")


@dataclass(slots=True, eq=False)
class Wish(Generic[What]):
    """`deadline` and the other moments: monotonic seconds of the event loop.

    What its owner remembers between the steps of one wish: `not_before` (it goes on then), `sent_at` (when it first
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


class Wishes(Generic[What]):
    """The wishes of one wire, and the rest that its owner takes between them."""

    def __init__(self, bus: str) -> None:
        self._bus = bus
        self._waiting: deque[Wish[What]] = deque()
        self._woken = asyncio.Event()

    async def ask(self, device: str, what: What, within_s: float) -> None:
        """Returns when the owner has fulfilled it; `CommandFailed` at the latest after `within_s`."""
        if len(self._waiting) >= WISHES_LIMIT:
            raise CommandFailed(f"{self._bus} has too much to do already", f"{self._bus} 待办过多")
        loop = asyncio.get_running_loop()
        wish = Wish(device, what, loop.time() + within_s, loop.create_future())
        self._waiting.append(wish)
        self._woken.set()
        try:
            async with asyncio.timeout_at(wish.deadline):
                await wish.done
        except TimeoutError:
            raise CommandFailed(
                f"{device} has not confirmed within {within_s:g} s", f"{device} 在 {within_s:g} 秒内未确认"
            ) from None
        finally:
            wish.done.cancel()

    def next(self, now: float) -> Wish[What] | None:
        """The oldest wish that somebody still waits for and that may go on; those for one device keep their order."""
        if not self._waiting:
            return None
        held: set[str] = set()
        for wish in list(self._waiting):
            if wish.done.done() or wish.deadline <= now:
                self._waiting.remove(wish)
            elif wish.device in held or wish.not_before > now:
                held.add(wish.device)
            else:
                self._waiting.remove(wish)
                return wish
        return None

    def put_off(self, wish: Wish[What], until: float) -> None:
        """A wish under way goes on at `until`: others may be served meanwhile, but none for the same device."""
        wish.not_before = until
        self._waiting.appendleft(wish)

    def close(self) -> None:
        """The wire is being closed: nothing that waits is carried out."""
        for wish in self._waiting:
            wish.fail(CommandFailed(f"{self._bus} is being closed", f"{self._bus} 正在关闭"))
        self._waiting.clear()

    async def rest_until(self, moment: float | None) -> None:
        """Sleeps until `moment` (for ever if None) or until someone has a wish, or one that was put off goes on."""
        later = min((wish.not_before for wish in self._waiting if wish.not_before), default=None)
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

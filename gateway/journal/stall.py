"""Whether the disk records: what waits, since when, why; and the one sentence about it when it is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from gateway.listeners import Listeners

log = structlog.get_logger(__name__)

StallWatcher = Callable[[str | None], None]


@dataclass(frozen=True, slots=True)
class Over:
    """A stall that has ended: why it was, how many facts waited and how many were dropped."""

    why: str
    waited: int
    dropped: int


class Stall:
    """Two ways to stall: commits that do not return (`writing`), and commits that the disk does not confirm.

    A hiccup shorter than `late_s` is nobody's business; `silent_s` is how long a confirmation may take.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, *, late_s: float, silent_s: float) -> None:
        self._loop = loop
        self._late_s = late_s
        self._silent_s = silent_s
        self._late_timer: asyncio.TimerHandle | None = None
        self._silent_timer: asyncio.TimerHandle | None = None
        self._watchers: Listeners[str | None] = Listeners("stalls")
        self._unconfirmed: str | None = None
        self._writing: str | None = None
        self._said: str | None = None
        self._waited = 0
        self._dropped = 0

    @property
    def why(self) -> str | None:
        """Why recording stalls; None when it does not."""
        return self._writing or self._unconfirmed

    @property
    def writing(self) -> bool:
        """Whether commits themselves stall: then an append need not even wait for one."""
        return self._writing is not None

    def watch(self, watcher: StallWatcher) -> None:
        """`watcher` hears each stall that begins, and None when it is over."""
        self._watchers.add(watcher)

    def late(self, facts: int) -> None:
        """An append was not committed in time."""
        self._waited += facts
        if self._late_timer is None and self._writing is None:
            self._late_timer = self._loop.call_later(self._late_s, self._loop.call_soon, self._late_over)

    def dropped(self, facts: int) -> None:
        """The memory for waiting facts was full, or they cannot be written."""
        self._dropped += facts

    def failed(self, why: str) -> None:
        """A commit failed or hangs."""
        self._cancel_late()
        self._writing = why
        self._say()

    def committed(self, *, on_disk: bool) -> None:
        """A commit returned; `on_disk`: the disk has confirmed all there is."""
        self._cancel_late()
        self._writing = None
        if self._said is None:
            self._waited = self._dropped = 0
        if not on_disk and self._silent_timer is None and self._unconfirmed is None:
            self._await_confirmation()

    def unconfirmed(self, why: str) -> None:
        """The disk refuses to confirm, or does not answer."""
        self._cancel_silent()
        self._unconfirmed = why
        self._say()

    def confirmed(self, *, all_of_it: bool) -> None:
        """The disk has confirmed something."""
        self._cancel_silent()
        self._unconfirmed = None
        if not all_of_it:
            self._await_confirmation()

    def over(self) -> Over | None:
        """What there is to say about a stall that has just ended; None if there was none or it goes on. Record it, then
        `say_over`."""
        if self._said is None or self.why is not None:
            return None
        over = Over(self._said, self._waited, self._dropped)
        self._said = None
        self._waited = self._dropped = 0
        log.info("journal.recording_again", why=over.why, waited=over.waited, dropped=over.dropped)
        return over

    def say_over(self) -> None:
        """Tells the watchers that recording goes on."""
        self._watchers.tell(None)

    def close(self) -> None:
        """Ends its timers."""
        self._cancel_late()
        self._cancel_silent()

    def _await_confirmation(self) -> None:
        why = "the disk does not confirm what was written"
        self._silent_timer = self._loop.call_later(self._silent_s, self._loop.call_soon, self._silent_over, why)

    # By way of another turn, as for appends: a commit that a thread has told already is heard before its timer.

    def _late_over(self) -> None:
        if self._late_timer is not None:
            self.failed("the disk does not answer")

    def _silent_over(self, why: str) -> None:
        if self._silent_timer is not None:
            self.unconfirmed(why)

    def _say(self) -> None:
        if self._said is None:
            self._said = self.why
            log.error("journal.stalled", why=self._said)
            self._watchers.tell(self._said)

    def _cancel_late(self) -> None:
        if self._late_timer is not None:
            self._late_timer.cancel()
        self._late_timer = None

    def _cancel_silent(self) -> None:
        if self._silent_timer is not None:
            self._silent_timer.cancel()
        self._silent_timer = None

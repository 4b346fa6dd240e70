"""What goes up, in this order: signs of life, events, readings, pictures. One publish at a time, woken, no polling.

A disk that hangs holds up only what it should give: the rest goes on, signs of life first.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import structlog

from contract import VERSION, wire
from contract.acks import Ack
from contract.instants import instant
from contract.presence import Presence, Versions
from contract.topics import UpKind
from gateway.clock import Clock
from gateway.hubtime import HubTime
from gateway.journal import BrokenChain, Journal, NotHeld
from gateway.pictures import PictureStore
from gateway.readings import ReadingsStore
from gateway.sqlite.disk import Damaged
from gateway.uplink.answers import Answers
from gateway.uplink.diskwork import DISK_S, DiskHangs, DiskWork
from gateway.uplink.outbox import ForkNeeded, Freed, HubRefusal, Ignored, Meaning, Outbox, Rewound, Told
from gateway.uplink.pace import HEARTBEAT_S, SILENT_S
from gateway.uplink.picturing import Picturing
from gateway.uplink.readings import ReadingsSending

log = structlog.get_logger(__name__)

Contact = Literal["met", "parted"]
"""`met`: a line to the hub stands. `parted`: the hub, or this journal, turned out to be an older one."""

Publish = Callable[[UpKind, bytes], Awaitable[None]]

BEHIND = 10
"""A backlog from which a gateway says at once that it has caught up; a few events are always on their way."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """Whom the uplink speaks for."""

    gateway: str
    site: str


class Sending:
    """The outgoing side. It outlives connections: `connected` and `disconnected` tell it how the line is."""

    def __init__(
        self,
        names: Speaker,
        *,
        journal: Journal,
        readings: ReadingsStore,
        pictures: PictureStore,
        clock: Clock,
        versions: Callable[[], Versions],
        on_contact: Callable[[Contact], None],
    ) -> None:
        self._names = names
        self._journal = journal
        self._readings = readings
        self._clock = clock
        self._versions = versions
        self._on_contact = on_contact
        self._events = Outbox(journal.stream, journal.acked)
        self._life = journal.life
        """The file and stream that the outbox stands for."""
        self._answers = Answers(journal, self.announce)
        self._recall = False
        self._fork: ForkNeeded | None = None
        self._told: Told | None = None
        self._again_at = 0.0
        self._presence_at = 0.0
        self._wake = asyncio.Event()
        self._disk = DiskWork(self._wake.set)
        self._hub_time = HubTime()
        self._reading = ReadingsSending(readings, self._disk, self._hub_time, clock)
        self._picturing = Picturing(pictures, self._disk)
        self._freed = asyncio.Event()
        self._said: tuple[bool, str | None] = (False, None)
        self._hub_spoke = False
        self._told_backlog = 0
        self._silence_watchers: list[Callable[[], None]] = []
        self.leaving = False
        self._hub_told_time = asyncio.Event()
        journal.watch_durable(self._wake.set)
        readings.watch(self._wake.set)
        pictures.watch(self._wake.set)

    @property
    def refused(self) -> str | None:
        """Why the hub refuses what is sent; None when it does not."""
        return self._events.refused

    @property
    def silent_since(self) -> float | None:
        """Since when (monotonic) the hub has not answered, if that is too long; None if it answers or owes nothing."""
        owed = self._owed()
        return min(owed) if owed and time.monotonic() - min(owed) >= SILENT_S else None

    @property
    def caught_up(self) -> bool:
        """Whether the hub has every event."""
        return self._journal.acked == self._journal.last

    def presence(self, state: Literal["birth", "alive", "gone"], *, asks: bool = False) -> Presence:
        """What this gateway says of itself now; `asks`: and whether the hub holds the same."""
        journal = self._journal
        seq, head = journal.durable_head
        self._told_backlog = journal.last - journal.acked
        return Presence(
            state=state,
            gateway=self._names.gateway,
            site=self._names.site,
            at=instant(self._clock.wall_ms()),
            stream=journal.stream,
            head_seq=seq,
            head=head,
            acked=journal.acked,
            backlog=self._told_backlog,
            readings_backlog=self._readings.backlog,
            clock=self._clock.state,
            clock_error_ms=self._clock.error_ms(),
            versions=self._versions(),
            asks=asks,
            reads=VERSION,
            answered=[] if state == "gone" else self._answers.waiting(),
        )

    async def until_hub_told_time(self) -> None:
        """Returns when the hub's time is known."""
        await self._hub_told_time.wait()

    async def until_caught_up(self) -> None:
        """Returns when the hub has every event."""
        while not self.caught_up:
            self._freed.clear()
            await self._freed.wait()

    def watch_silence(self, watcher: Callable[[], None]) -> None:
        """`watcher` is called when the hub falls silent, refuses what it gets, and when it is well again."""
        self._silence_watchers.append(watcher)

    def announce(self) -> None:
        """A sign of life at once: something that it tells has changed."""
        self._presence_at = 0.0
        self._wake.set()

    def spoken(self) -> None:
        """A word of the hub came. After the first one of a connection it gets a sign of life: the birth may have gone
        by unheard, if the broker was there before the hub."""
        if not self._hub_spoke:
            self._hub_spoke = True
            self.announce()

    def leave(self) -> None:
        """Say goodbye next, and end."""
        self.leaving = True
        self._wake.set()

    def connected(self) -> None:
        """The line stands: everything that is not acknowledged goes (again)."""
        self._hub_spoke = False
        self._events.connected()
        self._reading.connected()
        self._picturing.connected()

    def disconnected(self) -> None:
        """The line is cut."""
        self._events.disconnected()
        self._reading.disconnected()

    async def run(self, publish: Publish) -> None:
        """Sends over one connection until it breaks (the publish raises) or the gateway leaves."""
        self._recall = True
        await publish("presence", self._asking("birth"))
        self._on_contact("met")
        while True:
            self._wake.clear()
            if self.leaving:
                await publish("presence", wire.encode(self.presence("gone")))
                return
            self._say_silence()
            if await self._step(publish):
                continue
            try:
                async with asyncio.timeout(self._rest_s()):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def heard(self, ack: Ack) -> None:
        """The hub answered."""
        now = time.monotonic()
        self._follow()
        self._wake.set()
        self._learn_time(ack)
        if ack.stream == self._events.stream:
            self._take_events(self._events.heard(ack, self._journal.floor, now))
        elif not self._reading.heard(ack, now):
            self._picturing.heard(ack)

    def _owed(self) -> list[float]:
        return [since for since in (self._events.owed_since, self._reading.owed_since) if since is not None]

    def _say_silence(self) -> None:
        stands = self.silent_since is not None, self.refused
        if stands != self._said:
            self._said = stands
            for watcher in self._silence_watchers:
                watcher()

    # --- What an answer changes

    def _take_events(self, meaning: Meaning) -> None:
        match meaning:
            case Freed(seq):
                self._journal.acknowledge(seq)
                self._freed.set()
                if self.caught_up and self._told_backlog >= BEHIND:
                    # Screens would say until the next heartbeat that the site is behind.
                    self.announce()
            case Rewound(seq):
                log.warning("uplink.rewound", to=seq, why="the hub holds less than it had acknowledged")
                self._journal.acknowledge(seq)
                self._recall = True
                self._on_contact("parted")
            case ForkNeeded(agreed, why):
                log.warning("uplink.forks", agreed=agreed, why=why)
                self._fork = meaning
            case Told():
                self._told = meaning
            case HubRefusal(why):
                log.error("uplink.batch_refused", why=why)
            case Ignored(why):
                log.debug("uplink.ack_ignored", why=why)

    def _learn_time(self, ack: Ack) -> None:
        word = self._hub_time.answered(ack, self._clock.monotonic())
        if word is not None:
            self._clock.heard_hub(word)
            self._hub_told_time.set()

    # --- What goes next

    async def _step(self, publish: Publish) -> bool:
        """Does the most urgent thing, if there is one; whether it did something."""
        now = time.monotonic()
        self._follow()
        if now - self._presence_at >= HEARTBEAT_S:
            self._presence_at = now
            await publish("presence", wire.encode(self.presence("alive")))
            return True
        acts = (
            self._make_fork, self._compare, self._ask, self._recall_answers,
            self._send_events, self._send_readings, self._send_picture,
        )  # fmt: skip
        for act in acts:
            try:
                if await act(publish, now):
                    return True
            except DiskHangs:  # it wakes the sender when it answers
                continue
        return False

    def _follow(self) -> None:
        """What stands in another file than before goes from its beginning; an answer to the old one says nothing."""
        if self._journal.life != self._life:
            self._events.renewed(self._journal.stream, self._journal.acked)
            self._parted()
        self._reading.follow()

    def _rest_s(self) -> float:
        now = time.monotonic()
        moments = [self._presence_at + HEARTBEAT_S]
        if self._again_at > now:
            moments.append(self._again_at)
        moments += [at for at in (self._events.wake_at(now), self._reading.wake_at(now)) if at is not None]
        if self._picturing.wake_at is not None:
            moments.append(self._picturing.wake_at)
        moments += [since + SILENT_S for since in self._owed() if since + SILENT_S > now]
        return max(0.0, min(moments) - now)

    async def _make_fork(self, publish: Publish, now: float) -> bool:
        fork = self._fork
        if fork is None or now < self._again_at:
            return False
        asked = self._life, fork
        try:
            moved = await self._disk.wait("fork", asked, partial(self._journal.fork, fork.agreed, fork.why))
        except DiskHangs:
            raise
        except OSError as error:
            self._refused_by_the_disk(error)
            return True
        log.warning("uplink.forked", moved=moved, stream=self._journal.stream)
        self._events.restarted(self._journal.stream, time.monotonic())
        self._parted()
        return True

    def _parted(self) -> None:
        """The journal stands in another file or stream than the hub knows it in."""
        self._life = self._journal.life
        self._fork = self._told = None
        self._recall = True
        self._on_contact("parted")
        self.announce()

    async def _recall_answers(self, publish: Publish, now: float) -> bool:
        if not self._recall or now < self._again_at:
            return False
        self._recall = False
        try:
            await self._disk.wait("answers", (self._life, self._journal.acked), self._answers.recall)
        except OSError as error:
            self._recall = True
            if isinstance(error, DiskHangs):
                raise
            self._refused_by_the_disk(error)
        return True

    async def _compare(self, publish: Publish, now: float) -> bool:
        told = self._told
        if told is None:
            return False
        asked = self._life, told.seq
        try:
            held = await self._disk.wait("hash", asked, partial(self._journal.hash_at, told.seq))
        except DiskHangs:
            raise
        except (Damaged, sqlite3.Error, OSError) as error:
            log.warning("uplink.not_compared", seq=told.seq, why=str(error))
            self._told = None  # the hub is asked again
            return True
        if self._told is told:
            self._told = None
        if self._journal.life == self._life:
            self._take_events(self._events.compared(told, held, time.monotonic()))
        return True

    async def _ask(self, publish: Publish, now: float) -> bool:
        if not self._events.asks(now):
            return False
        await publish("presence", self._asking("alive"))
        return True

    def _asking(self, state: Literal["birth", "alive"]) -> bytes:
        """A sign of life that the hub answers with what it holds. Noted before it goes: what changes meanwhile is
        worth another one."""
        presence = self.presence(state, asks=True)
        self._presence_at = time.monotonic()
        self._events.asked(presence.head_seq, presence.head, self._presence_at)
        return wire.encode(presence)

    def _refused_by_the_disk(self, error: OSError) -> None:
        log.warning("uplink.disk_refuses", why=str(error))
        self._again_at = time.monotonic() + DISK_S

    async def _send_events(self, publish: Publish, now: float) -> bool:
        after = self._events.next_after(self._journal.durable, now)
        if after is None:
            return False
        try:
            batch = await self._disk.wait("events", (self._life, after), partial(self._journal.batch, after))
        except (BrokenChain, NotHeld) as error:
            log.warning("uplink.broken", after=after, why=str(error))
            self._events.broken(after, str(error))
            return True
        if batch is None:
            return False
        payload = await asyncio.to_thread(wire.encode, batch)
        if self._journal.life != self._life:
            return True  # the file was begun anew meanwhile: these events may stand at other places now
        # Noted before it goes: the answer may be here before the broker's own confirmation.
        self._events.sent(batch.events[-1].seq, time.monotonic(), batch.head)
        self._hub_time.sent(batch.stream, batch.events[-1].seq, self._clock.monotonic())
        await publish("events", payload)
        return True

    async def _send_readings(self, publish: Publish, now: float) -> bool:
        return await self._reading.send(publish, now)

    async def _send_picture(self, publish: Publish, now: float) -> bool:
        return await self._picturing.send(publish, now, turn=self.caught_up)

"""Readings on their way to the hub: a few blobs at a time, each until the hub has it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial

import msgspec
import structlog

from contract import wire
from contract.acks import Ack
from contract.errors import TooLarge
from contract.topics import UpKind
from gateway.clock import Clock
from gateway.hubtime import HubTime
from gateway.readings import ReadingsStore
from gateway.uplink.diskwork import DISK_S, DiskHangs, DiskWork
from gateway.uplink.outbox import ForkNeeded, Freed, HubRefusal, Ignored, Outbox, Rewound, Told

log = structlog.get_logger(__name__)

WINDOW = 4
"""Blobs on their way at once."""


class ReadingsSending:
    """What of the store the hub has, and what goes next. A store that parted from the hub's begins under another id."""

    def __init__(self, readings: ReadingsStore, disk: DiskWork, hub_time: HubTime, clock: Clock) -> None:
        self._readings = readings
        self._disk = disk
        self._hub_time = hub_time
        self._clock = clock
        self._blobs = Outbox(readings.store, readings.acked, window=WINDOW)
        self._renew = False
        self._again_at = 0.0

    @property
    def owed_since(self) -> float | None:
        """Since when (monotonic) the hub owes an answer; None if it owes none."""
        return self._blobs.owed_since

    def wake_at(self, now: float) -> float | None:
        """When (monotonic) something is to be sent (again) without being asked; None: not before something comes."""
        found = [self._blobs.wake_at(now), self._again_at if self._renew and self._again_at > now else None]
        return min((at for at in found if at is not None), default=None)

    def connected(self) -> None:
        """The line stands: everything that is not acknowledged goes (again)."""
        self._blobs.connected()

    def disconnected(self) -> None:
        """The line is cut."""
        self._blobs.disconnected()

    def follow(self) -> None:
        """What stands in another file than before goes from its beginning; an answer to the old one says nothing."""
        if self._readings.store != self._blobs.stream:
            self._renew = False
            self._blobs.renewed(self._readings.store, self._readings.acked)

    def heard(self, ack: Ack, now: float) -> bool:
        """The hub answered; False if that is not about readings."""
        if ack.stream != self._blobs.stream:
            return False
        match self._blobs.heard(ack, self._readings.floor, now):
            case Freed(seq) | Rewound(seq):
                self._readings.acknowledge(seq)
            case ForkNeeded():
                self._renew = True
            case HubRefusal(why):
                log.error("uplink.readings_refused", why=why)
            case Ignored(why):
                log.debug("uplink.ack_ignored", why=why)
            case Told():  # only what has a break is asked, and a store of readings has none
                pass
        return True

    async def send(self, publish: Callable[[UpKind, bytes], Awaitable[None]], now: float) -> bool:
        """Sends the next blob, if there is one to be sent now; whether it did something. `DiskHangs`."""
        if self._renew and now >= self._again_at:
            return await self._renewed(now)
        after = self._blobs.next_after(self._readings.last, now)
        if after is None:
            return False
        asked = self._readings.store, after
        batch = await self._disk.wait("readings", asked, partial(self._readings.batch, after))
        if batch is None:
            return False
        try:
            payload = await asyncio.to_thread(wire.encode, batch)
        except TooLarge as error:
            log.error("uplink.readings_too_large", seq=batch.seq, why=str(error))  # noqa: TRY400
            payload = wire.encode(msgspec.structs.replace(batch, columns=[]))
        self._blobs.sent(batch.seq, time.monotonic())
        self._hub_time.sent(batch.store, batch.seq, self._clock.monotonic())
        await publish("telemetry", payload)
        return True

    async def _renewed(self, now: float) -> bool:
        try:
            await self._disk.wait("renewal", self._readings.store, self._readings.renew)
        except DiskHangs:
            raise
        except OSError as error:
            log.warning("uplink.disk_refuses", why=str(error))
            self._again_at = time.monotonic() + DISK_S
            return True
        self._renew = False
        self._blobs.restarted(self._readings.store, now, self._readings.acked)
        return True

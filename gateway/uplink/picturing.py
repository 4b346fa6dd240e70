"""Pictures on their way to the hub: one at a time, after everything else, again if nobody answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from contract import wire
from contract.acks import Ack
from contract.topics import UpKind
from gateway.pictures import PictureStore
from gateway.uplink.diskwork import DiskWork
from gateway.uplink.pace import PICTURE_S

log = structlog.get_logger(__name__)


class Picturing:
    """What of the pictures is under way. Belongs to one event loop."""

    def __init__(self, pictures: PictureStore, disk: DiskWork) -> None:
        self._pictures = pictures
        self._disk = disk
        self._sent: tuple[str, float] | None = None
        """The picture that was sent, and when (monotonic; 0: it was answered)."""

    @property
    def wake_at(self) -> float | None:
        """When the one that was sent goes again; None if none was."""
        return None if self._sent is None else self._sent[1] + PICTURE_S

    def connected(self) -> None:
        """Nothing that was sent before counts."""
        self._sent = None

    def heard(self, ack: Ack) -> None:
        """The hub answered something; perhaps a picture."""
        if self._sent is None or ack.stream != self._sent[0]:
            return
        if ack.state == "refused":
            log.error("uplink.picture_refused", picture=ack.stream, why=ack.why)
        self._sent = (ack.stream, 0.0)

    async def send(self, publish: Callable[[UpKind, bytes], Awaitable[None]], now: float, *, turn: bool) -> bool:
        """Sends the next one if it is the pictures' `turn`; whether something was done."""
        if self._sent is not None:
            name, sent_at = self._sent
            if sent_at == 0.0:
                await self._disk.wait("picture", name, partial(self._pictures.mark_sent, name))
                self._sent = None
                return True
            if now - sent_at < PICTURE_S:
                return False
            self._sent = None
        if not turn or not self._pictures.backlog:
            return False
        picture = await self._disk.wait("picture", None, self._pictures.next_unsent)
        if picture is None:
            return False
        payload = await asyncio.to_thread(wire.encode, picture)
        self._sent = (picture.id, time.monotonic())
        await publish("pictures", payload)
        return True

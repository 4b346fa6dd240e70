"""Pictures that come with reads: written beside the record, named by it, and never what a barrier waits for."""

from __future__ import annotations

import asyncio
from typing import NamedTuple, Protocol

import structlog

from contract.limits import PICTURE_LIMIT
from contract.pictures import PictureId, picture_id
from drivers.reports import InputRefused, PlateRead
from gateway.engine.desk.desk import Desk

log = structlog.get_logger(__name__)


class KeepsPictures(Protocol):
    """The pictures' folder as the engine needs it."""

    async def save(self, jpeg: bytes) -> str:
        """Keeps a JPEG for this site's screen and for the hub; its id."""


class Snapshot(NamedTuple):
    """A read's picture: its id, and the work of writing it; None and None where there is none."""

    id: PictureId | None = None
    writing: asyncio.Task[None] | None = None


class Snapshots:
    """Keeps the pictures of reads; one that is too large is refused, one that cannot be kept costs no read."""

    def __init__(self, pictures: KeepsPictures, desk: Desk) -> None:
        self._pictures = pictures
        self._errands = desk.errands
        self._refusals = desk.refusals

    def keep(self, read: PlateRead) -> Snapshot:
        """Begins to write the read's picture."""
        if read.picture is None:
            return Snapshot()
        if len(read.picture) > PICTURE_LIMIT:
            self._refusals.refuse(InputRefused(read.camera, f"a picture of {len(read.picture)} bytes"))
            return Snapshot()
        return Snapshot(picture_id(read.picture), self._errands.start(self._write(read.picture)))

    async def _write(self, jpeg: bytes) -> None:
        try:
            await self._pictures.save(jpeg)
        except (ValueError, OSError) as error:  # the read stands without its picture
            log.warning("picture was not kept", why=str(error))

"""Pictures follow their events upward, one a message, after the events: a picture never delays a fact.

The hub answers each with an `Ack` whose `stream` is the picture's id and whose `seq` is 0.
"""

from __future__ import annotations

import hashlib
from typing import Annotated

import msgspec

from contract import VERSION
from contract.instants import Instant
from contract.limits import PICTURE_LIMIT

PictureId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """One JPEG. `id` is the first 32 hex digits of the SHA-256 of its bytes, so that a repeat is recognised."""

    id: PictureId
    at: Instant
    jpeg: Annotated[bytes, msgspec.Meta(max_length=PICTURE_LIMIT)]
    v: int = VERSION


def picture_id(jpeg: bytes) -> PictureId:
    """The id of a picture's bytes."""
    return hashlib.sha256(jpeg).hexdigest()[:32]

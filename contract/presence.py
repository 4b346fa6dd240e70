"""Presence: what a gateway says of itself at birth, while alive, and (as last will) when it is gone."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from contract import VERSION
from contract.events import Clock, Hash, StreamId
from contract.instants import Instant
from contract.limits import Id
from contract.texts import Text


class Versions(msgspec.Struct, frozen=True, kw_only=True):
    """What the gateway holds: its software, the revision of its desired state, the fingerprint of its site file.

    `receiving`, `parts`: the revision that comes in parts, and how many of its first parts are here; 0: none.
    """

    software: Id
    desired: int = 0
    site_file: Id = ""
    receiving: int = 0
    parts: int = 0


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a command, and when by the gateway's clock: the same that its event says, which may come later."""

    command: Annotated[str, msgspec.Meta(max_length=36)]
    state: Literal["done", "failed", "expired"]
    at: Instant
    why: Text | None = None


ANSWERED_LIMIT = 100
"""Answers in one sign of life at the most."""


class Presence(msgspec.Struct, frozen=True, kw_only=True):
    """One sign of life. `backlog`: events not yet acknowledged. `head_seq`/`head`: the end of the stream on disk.

    `asks`: the gateway wants to know what the hub holds of the stream; a birth always does.
    `reads`: the highest version of the envelope that the gateway reads; the hub speaks to it in no higher one.
    `answered`: commands whose results are on the gateway's disk and not acknowledged yet, oldest first, the newest if
    there are very many: signs of life go first, so that who asked need not wait for a backlog.
    `at` is the gateway's time, which follows the hub's; `clock_error_ms`: how far its machine's own clock is ahead of
    the hub's, by the hub's answers; None before the first.

    As `gone` (last will, made at connect) only gateway and site are current.
    """

    state: Literal["birth", "alive", "gone"]
    gateway: Id
    site: Id
    at: Instant
    stream: StreamId
    head_seq: Annotated[int, msgspec.Meta(ge=0)] = 0
    head: Hash = "0" * 64
    acked: Annotated[int, msgspec.Meta(ge=0)] = 0
    backlog: Annotated[int, msgspec.Meta(ge=0)] = 0
    readings_backlog: Annotated[int, msgspec.Meta(ge=0)] = 0
    clock: Clock = "ok"
    clock_error_ms: int | None = None
    versions: Versions = Versions(software="")
    asks: bool = False
    reads: Annotated[int, msgspec.Meta(ge=1, le=30_000)] = 1
    answered: Annotated[list[Answered], msgspec.Meta(max_length=ANSWERED_LIMIT)] = []
    v: int = VERSION

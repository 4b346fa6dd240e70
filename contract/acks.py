"""Acknowledgements: what the hub has committed. The only message that frees a gateway's outbox."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from contract import VERSION
from contract.events import Hash, StreamId
from contract.instants import Instant
from contract.limits import Words


class Ack(msgspec.Struct, frozen=True, kw_only=True):
    """The hub's word on one stream of events or one store of readings.

    `committed`: everything up to `seq` is in the database. `expected`: a gap, or a birth; send from `seq` + 1.
    `fork`: up to `seq` both sides agree, after it they do not (or the hub holds more than the gateway):
    move what follows to a new stream. `refused`: this batch can never be accepted (`why` says it, for people).
    `head`: the hash of event `seq`, where that is the last one committed or the last of the batch that is answered; a
    sender whose event has another hash is not meant (it is an answer to another life of its journal). `at` is the hub's
    clock when it answered.
    """

    stream: StreamId
    state: Literal["committed", "expected", "fork", "refused"]
    seq: Annotated[int, msgspec.Meta(ge=0)]
    at: Instant
    why: Words = ""
    head: Hash | None = None
    v: int = VERSION

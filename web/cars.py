"""The car before a barrier, as both servers answer with it. Pure."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from contract.instants import Instant


class StandingCar(TypedDict):
    """The car that stands before a barrier now. `plate`: null if it was not read. `outcome`: of its decision, if any.

    `stream`, `seq`: the event by which it stands there, null until that is recorded.
    """

    plate: str | None
    read_at: Instant | None
    picture: str | None
    stream: str | None
    seq: int | None
    outcome: Literal["granted", "denied"] | None
    holder: str | None
    blocked: bool

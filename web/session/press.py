"""What a person pressed, as it arrives: how old it is by then, and which press it is.

A wire that goes dead may hold a request and let it pass minutes later, when nobody waits for it any more. So a screen
says in `Asked-At` when a command was asked for, by the clock of the server, which every answer tells in `Server-Time`:
its time to live counts from there. Who says nothing is taken to ask now.

That clock begins with the machine's and runs on by itself: one that is set meanwhile makes no press older or younger.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Annotated

import structlog
from fastapi import Depends, Header
from prometheus_client import Counter
from pydantic import AwareDatetime
from starlette.requests import Request

from contract.instants import instant

log = structlog.get_logger(__name__)

FUTURE = Counter("gatehouse_presses_from_the_future", "Requests whose Asked-At was ahead, and was taken as not said")

SERVER_TIME = "Server-Time"
ASKED_AT = "Asked-At"

OLDEST = timedelta(days=1)
"""What is older than this is no older to anybody."""

AHEAD = timedelta(seconds=3)
"""What is further in the future is no moment of this clock's: nothing is known of how old it is, and that is told."""

_PRESSES = uuid.UUID("3f0a6d0e-5a3c-4c55-9f4c-6f2a8f1c7b10")


@dataclass(frozen=True, slots=True)
class Press:
    """A request of a person. `age`: at its arrival; `key`: its `Idempotency-Key`, if it has one."""

    age: timedelta = timedelta(0)
    key: str = ""

    def id(self, account: str, *of: str) -> str:
        """The id of what it asks for, the same however often it arrives; a new one each time if it has no key."""
        return str(uuid.uuid5(_PRESSES, "\n".join((account, self.key, *of))) if self.key else uuid.uuid4())


def told_time() -> str:
    """What answers say in `Server-Time`."""
    return instant(_now_ms())


def age_of(asked_at: datetime | None) -> timedelta:
    """How long ago that was, 0 where it is not said, or cannot be meant."""
    if asked_at is None:
        return timedelta(0)
    age = datetime.fromtimestamp(_now_ms() / 1000, UTC) - asked_at
    if age < -AHEAD:
        FUTURE.inc()
        _warn_of_future()
    return min(max(age, timedelta(0)), OLDEST)


@cache
def _warn_of_future() -> None:
    """Once: who is wrong about the time is so with every press."""
    log.warning("a press is said to come from the future; more of them are only counted")


def _running_s() -> float:
    """Seconds by a clock that nobody sets, and that counts while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


_BEGAN_S = time.time() - _running_s()


def _now_ms() -> int:
    return round(1000 * (_BEGAN_S + _running_s()))


async def _press(
    request: Request,
    asked_at: Annotated[
        AwareDatetime | None,
        Header(
            alias=ASKED_AT,
            description="When it was asked for, by the server's clock (`Server-Time` of its answers): what has outlived"
            " its `ttl_s` when it arrives is recorded as expired, and not carried out.",
        ),
    ] = None,
) -> Press:
    return Press(age_of(asked_at), request.headers.get("Idempotency-Key", ""))


Pressed = Annotated[Press, Depends(_press)]
"""How a route learns of it."""

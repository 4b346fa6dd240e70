"""What a person pressed, as it arrives: how old it is by then, and which press it is.

A wire that goes dead may hold a request and let it pass minutes later, when nobody waits for it any more. So a screen
says in `Asked-At` when a command was asked for, by the clock of the server, which every answer tells in `Server-Time`:
its time to live counts from there. Who says nothing is taken to ask now.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Header
from pydantic import AwareDatetime
from starlette.requests import Request

SERVER_TIME = "Server-Time"
ASKED_AT = "Asked-At"

OLDEST = timedelta(days=1)
"""What is older than this is no older to anybody."""

_PRESSES = uuid.UUID("3f0a6d0e-5a3c-4c55-9f4c-6f2a8f1c7b10")


@dataclass(frozen=True, slots=True)
class Press:
    """A request of a person. `age`: at its arrival; `key`: its `Idempotency-Key`, if it has one."""

    age: timedelta = timedelta(0)
    key: str = ""

    def id(self, account: str, *of: str) -> str:
        """The id of what it asks for, the same however often it arrives; a new one each time if it has no key."""
        return str(uuid.uuid5(_PRESSES, "\n".join((account, self.key, *of))) if self.key else uuid.uuid4())


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
    age = timedelta(0) if asked_at is None else datetime.now(UTC) - asked_at
    return Press(min(max(age, timedelta(0)), OLDEST), request.headers.get("Idempotency-Key", ""))


Pressed = Annotated[Press, Depends(_press)]
"""How a route learns of it."""

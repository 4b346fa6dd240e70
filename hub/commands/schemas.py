"""What answers about commands say. Pure."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel

from web.arguments import Arg


class PersonItem(BaseModel):
    """Who asked."""

    id: str
    name: str
    role: str


class CommandItem(BaseModel):
    """A command. `result`: {at, why} once there is one."""

    id: str
    site: str
    target: str
    kind: str
    args: dict[str, Arg]
    reason: str
    state: Literal["asked", "sent", "done", "failed", "expired"]
    by: PersonItem
    issued_at: str
    expires_at: str
    result: dict[str, Any] | None

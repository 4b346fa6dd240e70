"""`POST /api/commands`, `GET /api/commands/{id}`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import ConfigDict, Field

from contract.commands import CommandKind
from hub.alarms import own
from hub.commands import service
from hub.commands.schemas import CommandItem
from hub.commands.service import DEFAULT_TTL_S, LONGEST_TTL_S, AskedCommand
from hub.database.transactions import Reading, Writing
from web.arguments import Args
from web.asked import Body
from web.errors import NotFound
from web.once import OnceRoute
from web.session.sessions import SignedInUser

router = APIRouter(prefix="/api/commands", tags=["commands"], route_class=OnceRoute)


class NewCommand(Body):
    """A command.

    `args` by kind: door.mode {mode}; alarm.ack {note}; alarm.shelve {for_s, note}; point.write {value}.
    """

    model_config = ConfigDict(allow_inf_nan=False)

    site: Annotated[str, Field(min_length=1, max_length=64)]
    target: Annotated[str, Field(min_length=1, max_length=129)]
    kind: CommandKind
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    ttl_s: Annotated[int, Field(ge=1, le=LONGEST_TTL_S)] = DEFAULT_TTL_S
    args: Args = Field(default_factory=dict)


@router.post("", status_code=202, response_model=CommandItem)
async def ask(session: Writing, user: SignedInUser, wanted: NewCommand) -> dict[str, Any]:
    """Ask for something at a site; the answer is that it was asked, the result comes later."""
    command = AskedCommand(
        site=wanted.site,
        target=wanted.target,
        kind=wanted.kind,
        reason=wanted.reason,
        args=wanted.args,
        ttl_s=wanted.ttl_s,
    )
    ask_for = own.ask if command.kind.startswith("alarm.") else service.ask
    return await ask_for(await session.connection(), user, command)


@router.get("/{command}", response_model=CommandItem)
async def command(session: Reading, user: SignedInUser, command: str) -> dict[str, Any]:
    """What became of a command."""
    found = await service.find(await session.connection(), command)
    if found is None or not user.may_see(found["site"]):
        raise NotFound
    return found

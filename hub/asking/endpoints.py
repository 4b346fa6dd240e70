"""`POST /api/commands`, `GET /api/commands/{id}`."""

from __future__ import annotations

from fastapi import APIRouter

from hub.alarms import own
from hub.commands import service
from hub.commands.asked import AskedCommand
from hub.database.transactions import Reading, Writing
from web import shapes
from web.arguments import NewCommand, asked_subject
from web.errors import NotFound
from web.once import OnceRoute
from web.session.press import Pressed
from web.session.sessions import SignedInUser

router = APIRouter(prefix="/api/commands", tags=["commands"], route_class=OnceRoute)


@router.post("", status_code=202)
async def ask(session: Writing, user: SignedInUser, wanted: NewCommand, press: Pressed) -> shapes.Command:
    """Ask for something at a site; the answer is that it was asked, the result comes later."""
    command = AskedCommand(
        site=wanted.site,
        target=wanted.target,
        kind=wanted.kind,
        reason=wanted.reason,
        args=wanted.args,
        ttl_s=wanted.ttl_s,
        reason_code=wanted.reason_code,
        subject=asked_subject(wanted),
        age=press.age,
    )
    ask_for = own.ask if command.kind.startswith("alarm.") else service.ask
    return await ask_for(await session.connection(), user, command)


@router.get("/{command}")
async def command(session: Reading, user: SignedInUser, command: str) -> shapes.Command:
    """What became of a command."""
    found = await service.find(await session.connection(), command)
    if found is None or not user.may_see(found["site"]):
        raise NotFound
    return found

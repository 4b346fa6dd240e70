"""`/api/session` and `/api/self`: signing in and out, proving oneself again, one's own sessions. On both servers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from rules.abilities import Ability, Server, abilities
from web.asked import Body
from web.errors import NotFound
from web.moments import At, moment_of
from web.session.sessions import Sessions, SignedInUser, address_of
from web.session.store import StoredSession
from web.users import User

router = APIRouter(tags=["session"])

Code = Annotated[str, Field(max_length=40)]
"""A code of the second factor, or a recovery code; "" where the account has none."""


class SignIn(Body):
    """A user name and a password; `code` if the account has a second factor."""

    username: Annotated[str, Field(min_length=1, max_length=64)]
    password: Annotated[str, Field(min_length=1, max_length=1000)]
    code: Code = ""


class Proof(Body):
    """The password once more; `code` if the account has a second factor."""

    password: Annotated[str, Field(min_length=1, max_length=1000)]
    code: Code = ""


class SessionShape(BaseModel):
    """A session: its token (only in the answer that opened it) and whose it is.

    `weak_password`: the password it was opened with would not be taken as a new one; it should be changed. `can`: what
    they may do at this server.
    """

    token: str | None
    user: User
    weak_password: bool = False
    can: list[Ability]


class OpenSession(BaseModel):
    """One open session. `device`: what it was opened with, "" if it did not say. `this`: the one that asks."""

    id: str
    device: str
    address: str
    opened_at: At
    seen_at: At
    this: bool


class OpenSessions(BaseModel):
    """Sessions, the one used last first."""

    items: list[OpenSession]


@router.post("/api/session")
async def sign_in(body: SignIn, request: Request, response: Response) -> SessionShape:
    """Open a session: the token for `Authorization: Bearer`, and the same as a cookie."""
    sessions: Sessions = request.app.state.sessions
    opened = await sessions.sign_in(
        body.username,
        body.password,
        address_of(request),
        code=body.code,
        agent=request.headers.get("user-agent", ""),
    )
    sessions.set_cookie(request, response, opened)
    return SessionShape(
        token=opened.token, user=opened.user, weak_password=opened.weak, can=_abilities(request, opened.user)
    )


@router.get("/api/session")
async def who_am_i(request: Request, user: SignedInUser) -> SessionShape:
    """Whose session this is."""
    return await session_shape(request, user)


@router.delete("/api/session", status_code=204)
async def sign_out(request: Request) -> Response:
    """End the session."""
    sessions: Sessions = request.app.state.sessions
    await sessions.sign_out(request)
    response = Response(status_code=204)
    sessions.drop_cookie(request, response)
    return response


@router.post("/api/self/confirm", status_code=204)
async def confirm(body: Proof, request: Request, user: SignedInUser) -> None:
    """Give the password again: for five minutes this session may do what asks for it."""
    sessions: Sessions = request.app.state.sessions
    await sessions.prove(request, user, body.password, body.code)


@router.get("/api/self/sessions")
async def own_sessions(request: Request, user: SignedInUser) -> OpenSessions:
    """One's own open sessions at this server."""
    sessions: Sessions = request.app.state.sessions
    this = sessions.token_hash(request)
    return OpenSessions(items=[shown(each, this) for each in await sessions.open_ones(user)])


@router.delete("/api/self/sessions", status_code=204)
async def end_other_sessions(request: Request, user: SignedInUser) -> None:
    """End all of one's own sessions but this one."""
    sessions: Sessions = request.app.state.sessions
    await sessions.end(user, user.person(), but=sessions.token_hash(request))


@router.delete("/api/self/sessions/{session}", status_code=204)
async def end_session(session: str, request: Request, user: SignedInUser) -> None:
    """End one of one's own sessions."""
    sessions: Sessions = request.app.state.sessions
    if not await sessions.end(user, user.person(), only=session):
        raise NotFound


async def session_shape(request: Request, user: User) -> SessionShape:
    """The session that the request came with; whose it is must have been asked before."""
    sessions: Sessions = request.app.state.sessions
    session, _ = await sessions.session_of(request)
    return SessionShape(token=None, user=user, weak_password=session.weak, can=_abilities(request, user))


def _abilities(request: Request, user: User) -> list[Ability]:
    server: Server = request.app.state.server
    return abilities(user.role, server, sees_all=user.sees_all)


def shown(session: StoredSession, this: str) -> OpenSession:
    """A session as answers show it. `this`: the token hash of the one that asks."""
    return OpenSession(
        id=session.id,
        device=session.device,
        address=session.address,
        opened_at=moment_of(session.opened_at),
        seen_at=moment_of(session.seen_at),
        this=session.token_hash == this,
    )

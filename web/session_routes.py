"""`/api/session`: signing in, asking who one is, signing out. The same on both servers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from web.asked import Body
from web.session import Sessions, SignedInUser, address_of
from web.users import User

router = APIRouter(prefix="/api/session", tags=["session"])


class SignIn(Body):
    """A user name and a password."""

    username: Annotated[str, Field(min_length=1, max_length=64)]
    password: Annotated[str, Field(min_length=1, max_length=1000)]


class SessionShape(BaseModel):
    """A session: its token (only in the answer that opened it) and whose it is."""

    token: str | None
    user: User


@router.post("")
async def sign_in(body: SignIn, request: Request, response: Response) -> SessionShape:
    """Open a session: the token for `Authorization: Bearer`, and the same as a cookie."""
    sessions: Sessions = request.app.state.sessions
    opened = await sessions.sign_in(body.username, body.password, address_of(request))
    sessions.set_cookie(request, response, opened.token)
    return SessionShape(token=opened.token, user=opened.user)


@router.get("")
async def who_am_i(user: SignedInUser) -> SessionShape:
    """Whose session this is."""
    return SessionShape(token=None, user=user)


@router.delete("", status_code=204)
async def sign_out(request: Request) -> Response:
    """End the session."""
    sessions: Sessions = request.app.state.sessions
    await sessions.sign_out(request)
    response = Response(status_code=204)
    sessions.drop_cookie(request, response)
    return response

"""What the console begins with, in one answer: which server this is, who is signed in, their sites.

A phone with a slow radio pays for every question before it shows anything; asked one after the other, these were four.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from typing_extensions import TypedDict

from web import shapes
from web.errors import Unauthorized
from web.session.routes import SessionShape, session_shape
from web.session.sessions import signed_in
from web.users import User

LAYOUTS = 8
"""Of so many sites at the most the layouts come along; those of more are asked for one by one."""


class Start(TypedDict):
    """`session`: null where nobody is signed in; then there are no sites. `layouts`: of the first sites."""

    about: shapes.About
    session: SessionShape | None
    sites: list[shapes.Site]
    layouts: list[shapes.Layout]


async def asking(request: Request) -> tuple[User, SessionShape] | None:
    """Who asks, and their session; None if nobody is signed in: that is no error, they are about to."""
    try:
        user = await signed_in(request)
    except Unauthorized:
        return None
    return user, await session_shape(request, user)


def start(
    about: shapes.About,
    asked: tuple[User, SessionShape] | None = None,
    sites: Sequence[shapes.Site] = (),
    layouts: Sequence[shapes.Layout] = (),
) -> Start:
    """The answer."""
    session = None if asked is None else asked[1]
    return {"about": about, "session": session, "sites": list(sites), "layouts": list(layouts)}

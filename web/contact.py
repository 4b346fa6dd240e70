"""`/.well-known/security.txt`: whom to tell of a hole (RFC 9116)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from fastapi import APIRouter
from starlette.responses import PlainTextResponse

from web.errors import NotFound

GOOD_FOR = timedelta(days=180)
"""How long what stands in an answer may be relied on (section 2.5.5: less than a year)."""

_SCHEMES = frozenset({"https", "mailto", "tel"})


def contact_of(text: str) -> str:
    """The address as a URI, empty if there is none; `ValueError` says what is wrong (section 2.5.3)."""
    text = text.strip()
    if "@" in text and ":" not in text:
        text = f"mailto:{text}"
    if text and (urlsplit(text).scheme not in _SCHEMES or any(not sign.isprintable() or sign == " " for sign in text)):
        raise ValueError(f"{text!r} is no mail address and begins with none of https:, mailto:, tel:")
    return text


def contact_router(contact: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> APIRouter:
    """The route; it answers 404 where nobody is named."""
    router = APIRouter(tags=["health"])

    @router.get("/.well-known/security.txt", response_class=PlainTextResponse)
    async def security_txt() -> PlainTextResponse:
        """Whom to tell of a hole."""
        if not contact:
            raise NotFound
        until = (now() + GOOD_FOR).strftime("%Y-%m-%dT00:00:00Z")
        return PlainTextResponse(f"Contact: {contact}\nExpires: {until}\nPreferred-Languages: zh, en\n")

    return router

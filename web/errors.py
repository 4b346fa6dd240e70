"""Every error answer: `{error: {code, message, fields}}`, in the language of the person who asked.

Code that serves people raises a `Refusal`; anything else that escapes is a fault of ours: it is logged and answered
with 500, without its insides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contract.texts import Text
from web.language import DEFAULT, Language, accepted, in_language
from web.users import User
from web.validation import field_texts

log = structlog.get_logger("web")

SIGN_IN = Text("请先登录", "Sign in first")
NOT_ALLOWED = Text("没有权限", "You are not allowed to do this")
NO_SUCH = Text("不存在", "There is no such thing")
CHECK = Text("请检查输入", "Please check the input")
SLOWER = Text("请求过于频繁，请稍后再试", "Too many requests; try again later")
BUSY = Text("服务器繁忙，请稍后再试", "The server is busy; try again later")
INTERNAL = Text("服务器内部错误", "Something went wrong in the server")


FORBIDDEN = 403
PROVE = "prove"
"""Code of a 403 that asks for the password once more: nothing was refused yet."""

OnForbidden = Callable[[Request, User], None]


class Refusal(Exception):
    """An answer other than success, in words for the person who asked. `fields`: field → what is wrong with it.

    `current`: the record as it stands, where a change of it was refused because it is another one by now.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: Text,
        *,
        fields: Mapping[str, Text] | None = None,
        headers: Mapping[str, str] | None = None,
        current: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message.en}")
        self.status = status
        self.code = code
        self.message = message
        self.fields = dict(fields or {})
        self.headers = dict(headers or {})
        self.current = current


class Unauthorized(Refusal):
    """401: nobody is signed in, or the session has ended."""

    def __init__(self, message: Text = SIGN_IN, code: str = "unauthorized") -> None:
        super().__init__(401, code, message, headers={"WWW-Authenticate": "Bearer"})


class Forbidden(Refusal):
    """403: signed in, but not for this."""

    def __init__(self, message: Text = NOT_ALLOWED, code: str = "forbidden") -> None:
        super().__init__(403, code, message)


class NotFound(Refusal):
    """404: it is not there, or not for this person (the two are not told apart)."""

    def __init__(self, message: Text = NO_SUCH, code: str = "not_found") -> None:
        super().__init__(404, code, message)


class Conflict(Refusal):
    """409: what stands does not allow it."""

    def __init__(self, message: Text, code: str = "conflict", fields: Mapping[str, Text] | None = None) -> None:
        super().__init__(409, code, message, fields=fields)


class Invalid(Refusal):
    """422: the request contradicts itself or the rules; says so field by field."""

    def __init__(self, fields: Mapping[str, Text], message: Text = CHECK) -> None:
        super().__init__(422, "invalid", message, fields=fields)


class TooMany(Refusal):
    """429: come back after `retry_after_s` seconds."""

    def __init__(
        self,
        retry_after_s: float,
        message: Text = SLOWER,
    ) -> None:
        seconds = max(1, math.ceil(retry_after_s))
        super().__init__(429, "too_many", message, headers={"Retry-After": str(seconds)})


class ErrorShape(BaseModel):
    """Inside of an error answer."""

    code: str
    message: str
    fields: dict[str, str]
    current: dict[str, Any] | None = None


class ErrorAnswer(BaseModel):
    """An error answer."""

    error: ErrorShape


_PLAIN: dict[int, tuple[str, Text]] = {
    400: ("bad_request", Text("请求无效", "The request is not valid")),
    401: ("unauthorized", SIGN_IN),
    403: ("forbidden", NOT_ALLOWED),
    404: ("not_found", NO_SUCH),
    405: ("method_not_allowed", Text("不支持的请求方法", "This method is not allowed here")),
    413: ("too_large", Text("请求内容过大", "The request is too large")),
    422: ("invalid", CHECK),
    503: ("busy", BUSY),
    415: ("unsupported_media_type", Text("应为 JSON", "JSON is expected")),
}


def language_of(request: Request) -> Language:
    """What the request asks for (Accept-Language), else the account's language, else Chinese."""
    asked = accepted(request.headers.get("accept-language", ""))
    if asked is not None:
        return asked
    user = getattr(request.state, "user", None)
    return user.language if isinstance(user, User) else DEFAULT


def answer(request: Request, refusal: Refusal) -> JSONResponse:
    """The refusal as an HTTP answer."""
    language = language_of(request)
    body: dict[str, Any] = {
        "code": refusal.code,
        "message": in_language(refusal.message, language),
        "fields": {field: in_language(text, language) for field, text in refusal.fields.items()},
    }
    if refusal.current is not None:
        body["current"] = refusal.current
    return JSONResponse({"error": body}, status_code=refusal.status, headers=refusal.headers)


def _unheard(request: Request, user: User) -> None:
    """Where nobody signs in."""


def add_error_answers(app: FastAPI, on_forbidden: OnForbidden = _unheard) -> None:
    """Make every error of `app` answer in the one shape. `on_forbidden` hears of each 403 of a signed-in person."""
    app.state.on_forbidden = on_forbidden
    app.add_exception_handler(Refusal, _on_refusal)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)


async def _on_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    user = getattr(request.state, "user", None)
    if error.status == FORBIDDEN and error.code != PROVE and isinstance(user, User):
        request.app.state.on_forbidden(request, user)
    return answer(request, error)


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return answer(request, Invalid(field_texts(error.errors())))


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _plain(request, error)


def _plain(request: Request, error: HTTPException) -> JSONResponse:
    code, message = _PLAIN.get(error.status_code, ("refused", Text("请求被拒绝", "The request was refused")))
    return answer(request, Refusal(error.status_code, code, message, headers=error.headers))


class LastResort:
    """Outermost middleware: what escaped everything else is logged once and answered with a bare 500."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        # Raised by a middleware, where no handler of the router sees it:
        except Refusal as refusal:
            await answer(Request(scope), refusal)(scope, receive, send)
        except HTTPException as error:
            await _plain(Request(scope), error)(scope, receive, send)
        except Exception:  # whoever asked must hear something, and the server must serve the others
            log.exception("request failed", method=scope["method"], path=scope["path"])
            if started:
                raise
            await answer(Request(scope), Refusal(500, "internal", INTERNAL))(scope, receive, send)

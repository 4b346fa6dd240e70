"""What people are told when the database cannot do what they asked: their fault, or only for the moment."""

from __future__ import annotations

import asyncpg  # type: ignore[import-untyped]
import structlog
from fastapi import FastAPI
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.requests import Request
from starlette.responses import Response

from contract.texts import Text
from hub.database.failures import passes, senders_fault
from web.errors import Invalid, Refusal, answer

log = structlog.get_logger(__name__)

_AWAY = Text("数据库暂时不可用，请稍后再试", "The database is not available just now; try again in a moment")
_RETRY_S = 2


def add_database_answers(app: FastAPI) -> None:
    """422 for what cannot be stored, 503 with Retry-After while PostgreSQL is away; everything else is ours: 500."""
    for kind in (DBAPIError, PoolTimeout, asyncpg.InterfaceError, asyncpg.PostgresError, OSError):
        app.add_exception_handler(kind, _answered)


async def _answered(request: Request, error: Exception) -> Response:
    if senders_fault(error):
        return answer(request, Invalid({}))
    if not passes(error):
        raise error
    log.warning("request.unanswered", path=request.url.path, error=repr(error)[:300])
    return answer(request, Refusal(503, "unavailable", _AWAY, headers={"Retry-After": str(_RETRY_S)}))

"""What went wrong with the database: whether to try again, or whose fault it is."""

from __future__ import annotations

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

_PASSING_CLASSES = ("08", "40", "53", "55", "57", "58")
"""SQLSTATE classes that pass by themselves: connection, rollback, resources, lock, shutdown, system
(PostgreSQL manual, appendix A)."""

_SENDERS_CLASSES = ("22", "54")
"""Data that the database cannot hold: the sender's fault."""


FAULTS = (OSError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""All that a transaction raises of its own, time-outs among it."""


def sqlstate(error: BaseException) -> str | None:
    """The SQLSTATE of an error of the database, whichever layer raised it."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig
    found = getattr(error, "sqlstate", None)
    return found if isinstance(found, str) else None


def passes(error: BaseException) -> bool:
    """Whether the same transaction may succeed later: PostgreSQL is away, restarts, is full, or chose a victim."""
    if isinstance(error, OSError | TimeoutError | PoolTimeout | asyncpg.InterfaceError):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    state = sqlstate(error)
    return state is not None and state.startswith(_PASSING_CLASSES)


def senders_fault(error: BaseException) -> bool:
    """Whether the data itself cannot be stored."""
    state = sqlstate(error)
    return (state is not None and state.startswith(_SENDERS_CLASSES)) or isinstance(error, asyncpg.DataError)

"""Rows that people edit: each change makes another version (`web.editing`)."""

from __future__ import annotations

import time
from typing import ClassVar

from sqlalchemy import BigInteger, event, inspect
from sqlalchemy.orm import Mapper
from sqlmodel import Field

from hub.database.transactions import Table


def _now() -> int:
    return time.time_ns() // 1000


class Edited(Table):
    """A row with a version: the moment of its last change in µs since 1970, always more than before it.

    A row that is removed and made anew is another version too. `QUIET`: columns that are no business of a form.
    """

    QUIET: ClassVar[frozenset[str]] = frozenset()

    version: int = Field(default_factory=_now, sa_type=BigInteger)


@event.listens_for(Mapper, "before_update")
def _changed(_: Mapper[object], __: object, row: object) -> None:
    """One place for all tables and all who write: whatever changes a row is another version of it."""
    if not isinstance(row, Edited):
        return
    state = inspect(row)
    changed = {column.key for column in state.mapper.column_attrs if state.attrs[column.key].history.has_changes()}
    if changed - row.QUIET - {"version"}:
        row.version = max(row.version + 1, _now())

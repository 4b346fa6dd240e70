"""Table of answers that were given."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary
from sqlmodel import Field

from hub.database.transactions import Moment, Table


class AnswerRow(Table, table=True):
    """The answer to a request with a key. `id`: a hash of who asked, for what, under which key."""

    __tablename__ = "answers"

    id: bytes = Field(primary_key=True, sa_type=LargeBinary)
    asked: bytes = Field(sa_type=LargeBinary)
    status: int
    body: bytes = Field(sa_type=LargeBinary)
    etag: str | None = Field(default=None, max_length=64)
    at: datetime = Field(sa_type=Moment, index=True)

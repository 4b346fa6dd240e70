"""Table of the values that edits changed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Text, text
from sqlmodel import Field

from hub.database.transactions import Moment, Table


class ChangeRow(Table, table=True):
    """The values of one `….changed` event. `said`: JSON `{before, after}`; the event has the SHA-256 of salt and text.

    `subject`: the holder whom the values are about. Erased, the row says that there was a change and nothing of what:
    without the salt the hash in the history tells nobody whether a guess at the values is right.
    """

    __tablename__ = "changes"
    __table_args__ = (
        Index("ix_changes_site", "site", "event"),
        Index("ix_changes_subject", "site", "subject"),
        Index("ix_changes_kept", "at", postgresql_where=text("said IS NOT NULL")),
    )

    event: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    site: str | None = Field(default=None, max_length=64)
    kind: str = Field(max_length=16)
    record: str = Field(max_length=64)
    subject: str | None = Field(default=None, max_length=64)
    at: datetime = Field(sa_type=Moment)
    said: str | None = Field(default=None, sa_type=Text)
    salt: bytes | None = Field(default=None, sa_type=LargeBinary)
    erased_at: datetime | None = Field(default=None, sa_type=Moment)

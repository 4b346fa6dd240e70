"""Table of the gateways."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, SmallInteger
from sqlmodel import Field

from hub.database.transactions import Moment, Table


class Gateway(Table, table=True):
    """An enrolled gateway and what its last sign of life said. `online` is None until the first one.

    `reads`: the highest version of the envelope that it reads.
    """

    __tablename__ = "gateways"

    id: str = Field(primary_key=True, max_length=64)
    site: str = Field(max_length=64, index=True)
    enrolled_at: datetime = Field(sa_type=Moment)
    online: bool | None = None
    seen_at: datetime | None = Field(default=None, sa_type=Moment)
    born_at: datetime | None = Field(default=None, sa_type=Moment)
    stream: str | None = Field(default=None, max_length=32)
    head_seq: int = Field(default=0, sa_type=BigInteger)
    backlog: int = Field(default=0, sa_type=BigInteger)
    readings_backlog: int = Field(default=0, sa_type=BigInteger)
    clock: str = Field(default="ok", max_length=8)
    clock_error_ms: int | None = Field(default=None, sa_type=BigInteger)
    software: str = Field(default="", max_length=64)
    desired: int = Field(default=0, sa_type=BigInteger)
    site_file: str = Field(default="", max_length=128)
    reads: int = Field(default=1, sa_type=SmallInteger)

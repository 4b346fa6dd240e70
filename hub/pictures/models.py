"""Table of pictures."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary
from sqlmodel import Field

from hub.database.transactions import Moment, Table


class PictureRow(Table, table=True):
    """One JPEG of one site; its id is a hash of its bytes."""

    __tablename__ = "pictures"

    site: str = Field(primary_key=True, max_length=64)
    id: str = Field(primary_key=True, max_length=32, index=True)
    gateway: str = Field(max_length=64)
    at: datetime = Field(sa_type=Moment)
    received_at: datetime = Field(sa_type=Moment, index=True)
    jpeg: bytes = Field(sa_type=LargeBinary)

"""What statements that are written by hand give."""

from __future__ import annotations

from typing import TypeAlias

from sqlalchemy import Row

StatementRow: TypeAlias = Row[tuple[object, ...]]
"""A row whose columns the statement names: what stands in them only PostgreSQL knows."""

"""Moments as every answer writes them: RFC 3339, UTC, milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, PlainSerializer, WithJsonSchema

from contract.instants import Instant, instant


def written(moment: datetime) -> Instant:
    """The text of a moment."""
    return instant(round(moment.astimezone(UTC).timestamp() * 1000))


def moment_of(ms: int) -> datetime:
    """A moment in Unix milliseconds, as answers take it."""
    return datetime.fromtimestamp(ms / 1000, UTC)


At = Annotated[
    AwareDatetime,
    PlainSerializer(written, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A moment in a request (with any zone) or an answer (in UTC)."""

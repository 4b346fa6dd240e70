"""Instants as the contract writes them: RFC 3339, UTC, exactly three decimals, `Z`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec

Instant = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(ms: int) -> Instant:
    """The text of `ms` milliseconds since 1970-01-01 UTC (RFC 3339, section 5.6)."""
    text = (_EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds")
    return text[:-6] + "Z"


def milliseconds(at: Instant) -> int:
    """Milliseconds since 1970-01-01 UTC of an RFC 3339 text; `ValueError` if it is none or has no zone."""
    moment = datetime.fromisoformat(at)
    if moment.tzinfo is None:
        raise ValueError(f"{at!r} names no time zone")
    return round((moment - _EPOCH) / timedelta(milliseconds=1))

"""Months of readings: which partition a reading belongs to. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
"""Readings from before this have a clock that was never set; they are kept in the partition of the rest."""

LATEST_MS = 4_102_444_800_000
"""2100-01-01: what claims to be later, or before 1970, is no reading."""


class Month(NamedTuple):
    """A calendar month, UTC."""

    year: int
    month: int

    @property
    def start(self) -> datetime:
        """Its first moment."""
        return datetime(self.year, self.month, 1, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return Month(self.year + self.month // 12, self.month % 12 + 1).start

    @property
    def partition(self) -> str:
        """The name of its partition."""
        return f"readings_y{self.year:04d}m{self.month:02d}"


def month_of(at: datetime, now: datetime) -> Month | None:
    """The month whose partition holds readings of `at`, None for the partition of the rest.

    Only months up to the next one get a partition: a clock that runs wild must not make thousands of tables.
    """
    month = Month(at.year, at.month)
    if at < EARLIEST or month.start > Month(now.year, now.month).end:
        return None
    return month

"""Which alarms a list shall hold: what may be asked for, at the hub and at the gateway alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Depends, Query
from pydantic import AwareDatetime

from rules.alarms.episode import SEVERITIES
from web.paging import listed_words

OPEN = "open"
"""Among states: every one but closed."""

MOST_WORDS = 5

Order = Literal["urgency", "time"]
"""What asks for attention first, or the newest first."""

Sources = Annotated[list[Annotated[str, Query(max_length=128)]], Query(max_length=50)]


@dataclass(frozen=True, slots=True)
class WantedAlarms:
    """Severities (None: all), sources or assets (none: all), words that all have to occur, when they were raised."""

    severities: list[str] | None
    sources: list[str]
    words: list[str]
    since: datetime | None
    until: datetime | None


def wanted_alarms(
    severity: str | None = None,
    source: Sources = [],  # noqa: B006 - FastAPI copies it
    q: Annotated[str, Query(max_length=100)] = "",
    since: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to")] = None,
) -> WantedAlarms:
    """What the query asks for. `severity`: one or several, with commas; `source`: may be given several times, names a
    source or an asset; `q`: words of the message, note, rule, source or asset; `from`, `to`: when it was raised."""
    return WantedAlarms(listed_words("severity", severity, SEVERITIES), source, q.split()[:MOST_WORDS], since, until)


Wanted = Annotated[WantedAlarms, Depends(wanted_alarms)]

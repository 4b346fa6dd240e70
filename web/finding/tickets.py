"""Which tickets a list shall hold: what may be asked for, at the hub and at the gateway alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Query
from pydantic import AwareDatetime

from rules.alarms.episode import SEVERITIES
from web.paging import listed_words

ME, NOBODY = "me", "nobody"
"""As an assignee: whoever asks; tickets that nobody has taken."""

MOST_WORDS = 5
NUMBER_DIGITS = 9

Assets = Annotated[list[Annotated[str, Query(max_length=200)]], Query(max_length=200)]


@dataclass(frozen=True, slots=True)
class WantedTickets:
    """Severities (None: all), assets (none: all), whose (none: anybody's), words that all have to occur, when raised.

    `until`: exclusive.
    """

    severities: Sequence[str] | None = None
    assets: Sequence[str] = ()
    assignees: Sequence[str] = ()
    words: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None


def wanted_tickets(
    *,
    severity: str | None = None,
    asset: Assets = [],  # noqa: B006 - FastAPI copies it
    assignee: Annotated[
        str, Query(max_length=200, description="One or several, with commas: an account's id, `me`, `nobody`")
    ] = "",
    q: Annotated[str, Query(max_length=100, description="Title, place, asset, number, name of who has it")] = "",
    since: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to")] = None,
) -> WantedTickets:
    """What the query asks for. `severity`: one or several, with commas; `asset`: may be given several times; `q`: words
    of the title, the place, the asset's name, the number (12 or #12), who has it; `from`, `to`: when it was raised."""
    severities = listed_words("severity", severity, SEVERITIES)
    return WantedTickets(
        severities=severities,
        assets=asset,
        assignees=[each for each in assignee.split(",") if each],
        words=q.split()[:MOST_WORDS],
        since=since,
        until=until,
    )


def number_in(word: str) -> int | None:
    """The number of a ticket that a word may be, as `12` or `#12`."""
    digits = word.removeprefix("#")
    return int(digits) if digits.isdecimal() and len(digits) <= NUMBER_DIGITS else None


Wanted = Annotated[WantedTickets, Depends(wanted_tickets)]

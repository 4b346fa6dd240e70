"""Searching entries: several walks, each along an index and newest first, merged; none reads more than a page needs.

A word may be a plate, a name and a place at once: an OR over these would read and sort all that any of them fits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.database.event import StoredEvent
from hub.database.rows import StatementRow
from hub.entries.models import USUAL
from hub.events.service import COLUMNS, EVENTS, stored
from rules.access.entries import EntryOutcome, Traveller

FEW = 200
"""People or places up to which each has a walk of its own; more of them are met everywhere along the time."""

SHORTEST_PART = 3
"""Signs of a plate from which on it is looked for in the middle: shorter ones are its beginning."""

_EVENTS = text(f"SELECT {COLUMNS} FROM {EVENTS} WHERE id = ANY(:ids)")

After = tuple[datetime, int]
"""Where a page ended: (at, event)."""

_CUSTOM_PLAN = text("SET LOCAL plan_cache_mode = force_custom_plan")
"""What is planned for any words at all fits those of nobody."""


class Meant(NamedTuple):
    """What is looked for, each by itself. `people`, `places`: (site, id). `numbers`: of a card, as they are kept."""

    plate: str
    numbers: Sequence[str]
    people: Sequence[tuple[str, str]]
    places: Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class WantedEntries:
    """Which entries. `sites`: those to look at; `meant`: what the words of the search box mean, None without any.

    `since`, `until`: the latter exclusive. `plate`: a key (`rules.access.values.plate_key`).
    """

    sites: Sequence[str]
    since: datetime | None = None
    until: datetime | None = None
    places: Sequence[str] = ()
    outcomes: Sequence[EntryOutcome] = ()
    traveller: Traveller | None = None
    plate: str = ""
    holder: str | None = None
    meant: Meant | None = None
    after: After | None = None


class FoundEntry(NamedTuple):
    """A row of `entries`, and its event."""

    row: StatementRow
    event: StoredEvent


@dataclass
class _Statement:
    """Conditions that hold on every walk, and the parameters of all."""

    conditions: list[str] = field(default_factory=list)
    values: dict[str, object] = field(default_factory=dict)

    def where(self, condition: str, **values: object) -> None:
        self.conditions.append(condition)
        self.values |= values


async def search(conn: AsyncConnection, wanted: WantedEntries, limit: int) -> list[FoundEntry]:
    """At most `limit` entries with their events, the newest first."""
    query, values = statement(wanted, limit)
    if not query:
        return []
    await planned_anew(conn)
    rows = (await conn.execute(text(query), values)).all()
    found = await conn.execute(_EVENTS, {"ids": [row.event for row in rows]})
    events = {row.id: stored(row) for row in found}
    return [FoundEntry(row, events[row.event]) for row in rows if row.event in events]


def statement(wanted: WantedEntries, limit: int) -> tuple[str, dict[str, object]]:
    """The query of a page and its values; "" if nothing can be meant."""
    common = _common(wanted)
    walks = list(_walks(wanted, common))
    if not walks:
        return "", {}
    union = " UNION ".join(f"({walk})" for walk in walks)
    newest = f"SELECT * FROM ({union}) AS met ORDER BY at DESC, event DESC LIMIT :limit"
    query = f"SELECT entries.* FROM ({newest}) AS page JOIN entries USING (event) ORDER BY entries.at DESC, event DESC"
    return query, common.values | {"limit": limit}


async def planned_anew(conn: AsyncConnection) -> None:
    """Have what follows in this transaction planned for the very words that are looked for."""
    await conn.execute(_CUSTOM_PLAN)


def _common(wanted: WantedEntries) -> _Statement:
    said = _Statement()
    if wanted.since is not None:
        said.where("at >= :since", since=wanted.since)
    if wanted.until is not None:
        said.where("at < :until", until=wanted.until)
    if wanted.after is not None:
        said.where("(at, event) < (:after_at, :after_event)", after_at=wanted.after[0], after_event=wanted.after[1])
    if wanted.outcomes:
        said.where("outcome = ANY(:outcomes)", outcomes=list(wanted.outcomes))
    if _rare(wanted):
        said.where(f"outcome <> '{USUAL}'")  # as in the index
    if wanted.traveller is not None:
        said.where("traveller = :traveller", traveller=wanted.traveller)
    if wanted.plate:
        said.where("plate_key LIKE :plate", plate=_part(wanted.plate))
    if wanted.holder is not None:
        said.where("holder = :holder", holder=wanted.holder)
    if wanted.places:
        said.where("source = ANY(:places)", places=list(wanted.places))
    return said


def _walks(wanted: WantedEntries, common: _Statement) -> Iterator[str]:
    """One query each: entries along one index."""
    meant, sites = wanted.meant, list(wanted.sites)
    if meant is None:
        if wanted.plate:
            common.values["sites"] = sites
            yield _plain(common, "site = ANY(:sites)")
        elif wanted.holder is not None:
            yield _each(common, "holder", [(site, wanted.holder) for site in sites], "one")
        elif _rare(wanted) and len(wanted.outcomes) * len(sites) <= FEW:
            yield _each(common, "outcome", [(site, outcome) for site in sites for outcome in wanted.outcomes], "end")
        elif wanted.places and len(wanted.places) * len(sites) <= FEW:
            yield _each(common, "source", [(site, place) for site in sites for place in wanted.places], "of")
        elif wanted.traveller is not None:
            yield _each(common, "traveller", [(site, wanted.traveller) for site in sites], "who")
        else:
            yield _along(common, sites)
        return
    common.values["sites"] = sites
    if meant.plate:
        common.values["part"] = _part(meant.plate)
        yield _plain(common, "site = ANY(:sites) AND plate_key LIKE :part")
    if meant.numbers:
        common.values["numbers"] = list(meant.numbers)
        yield _plain(common, "site = ANY(:sites) AND number = ANY(:numbers)")
    for column, pairs in (("holder", meant.people), ("source", meant.places)):
        if not pairs:
            continue
        if len(pairs) <= FEW:
            yield _each(common, column, pairs, column)
        else:
            common.values[f"{column}_ids"] = [id for _, id in pairs]
            yield _along(common, sorted({site for site, _ in pairs}), f"{column} = ANY(:{column}_ids)", column)


def _rare(wanted: WantedEntries) -> bool:
    """Whether what is looked for may be so rare that one would walk through a year to find a page of it."""
    return bool(wanted.outcomes) and USUAL not in wanted.outcomes


def _plain(common: _Statement, condition: str) -> str:
    where = " AND ".join([condition, *common.conditions])
    return f"SELECT at, event FROM entries WHERE {where} ORDER BY at DESC, event DESC LIMIT :limit"


def _each(common: _Statement, column: str, pairs: Sequence[tuple[str, str]], name: str) -> str:
    """The newest of each pair of a site and a value."""
    common.values |= {f"{name}_sites": [site for site, _ in pairs], f"{name}_values": [value for _, value in pairs]}
    where = " AND ".join([f"entries.site = pair.site AND entries.{column} = pair.value", *common.conditions])
    return (
        f"SELECT one.at, one.event FROM unnest(CAST(:{name}_sites AS text[]), CAST(:{name}_values AS text[]))"
        " AS pair (site, value) CROSS JOIN LATERAL"
        f" (SELECT at, event FROM entries WHERE {where} ORDER BY at DESC, event DESC LIMIT :limit) AS one"
    )


def _along(common: _Statement, sites: Sequence[str], condition: str = "true", name: str = "all") -> str:
    """The newest of each site."""
    common.values[f"{name}_along"] = list(sites)
    where = " AND ".join(["entries.site = walked.site", condition, *common.conditions])
    return (
        f"SELECT one.at, one.event FROM unnest(CAST(:{name}_along AS text[])) AS walked (site) CROSS JOIN LATERAL"
        f" (SELECT at, event FROM entries WHERE {where} ORDER BY at DESC, event DESC LIMIT :limit) AS one"
    )


def _part(key: str) -> str:
    return f"%{key}%" if len(key) >= SHORTEST_PART else f"{key}%"

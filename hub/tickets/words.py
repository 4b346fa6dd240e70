"""What tickets are found by: words of their title and place, what their asset is called, and who has them.

A line each for who has it and how that is said, then the rest: who has it changes, and is written anew without it. By
the first line the database tells whether that is still who has it: a hub of before changes it, and nothing here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, NotRequired

from sqlalchemy import select as sa_select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col
from typing_extensions import TypedDict

from hub.access.spelling import MOST_SAID, said_in
from hub.sites.models import SiteRow
from web import shapes

KINDS = ("doors", "lanes", "devices", "zones", "meters")
"""What of a site's layout may be a ticket's asset."""

MOST_OF_WHO = 1_000
"""Signs of the words of who has it."""


class _Thing(TypedDict):
    """What of a layout is read here."""

    id: str
    name: dict[str, str]
    place: NotRequired[dict[str, str] | None]


class Called(NamedTuple):
    """How what a site consists of is called.

    `things`: id → names. `places`: a place as whoever writes a ticket may write it → what else it is called.
    """

    things: Mapping[str, Sequence[str]]
    places: Mapping[str, Sequence[str]]


UNKNOWN = Called({}, {})
"""Of a site that no gateway has described."""


async def called_at(conn: AsyncConnection, sites: Iterable[str]) -> dict[str, Called]:
    """By site, what its gateway says that it consists of; without its points, which are many."""
    query = sa_select(col(SiteRow.id), *(col(SiteRow.layout)[kind] for kind in KINDS))
    return {row.id: _called(row[1:]) for row in await conn.execute(query.where(col(SiteRow.id).in_(sites)))}


def words_of(title: shapes.Text, place: str, asset: str, who: str, called: Called) -> str:
    """What a ticket is found by. `who`: the name of who has it, "" for nobody."""
    texts = (title["zh"], title["en"], asset, *called.things.get(asset, ()), place, *called.places.get(place, ()))
    return _with(who, said_in(*texts))


def passed(words: str, who: str) -> str:
    """The same words when somebody else has the ticket; none where there are none yet."""
    return _with(who, words.rpartition("\n")[2]) if words else ""


def _with(who: str, rest: str) -> str:
    return f"{who}\n{said_in(who)[:MOST_OF_WHO]}\n{rest}"[:MOST_SAID]


def _called(kinds: Sequence[Sequence[_Thing] | None]) -> Called:
    things: dict[str, list[str]] = {}
    places: dict[str, list[str]] = {}
    for thing in (thing for of_kind in kinds for thing in of_kind or ()):
        things.setdefault(thing["id"], []).extend(_texts(thing["name"]))
        for place in (thing["name"], thing.get("place") or {}):
            texts = _texts(place)
            for text in texts:
                known = places.setdefault(text, [])
                known.extend(other for other in texts if other != text and other not in known)
    return Called(things, places)


def _texts(name: Mapping[str, str]) -> list[str]:
    return list(dict.fromkeys(name.values()))

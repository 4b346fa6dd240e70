"""The desired state of sites: what changes it, and the steps from what a gateway holds to what it should."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.desired import NOTHING, Item
from hub.database.rows import StatementRow
from hub.database.transactions import outcome
from hub.desired.steps import PART_BYTES, PART_ITEMS, Changed, Key, Load, cut

_NEXT = text(
    "INSERT INTO desired_revisions (site, revision, floor) VALUES (:site, :count, 0)"
    " ON CONFLICT (site) DO UPDATE SET revision = desired_revisions.revision + excluded.revision RETURNING revision"
)
_PUT = text(
    "INSERT INTO desired_items (site, kind, id, value, revision, changed_at)"
    " SELECT :site, kind, id, CAST(value AS json), revision, now()"
    " FROM unnest(CAST(:kinds AS text[]), CAST(:ids AS text[]), CAST(:values AS text[]), CAST(:revisions AS bigint[]))"
    " AS wanted (kind, id, value, revision)"
    " ON CONFLICT (site, kind, id) DO UPDATE"
    " SET value = excluded.value, revision = excluded.revision, changed_at = excluded.changed_at"
)
_ENVELOPE = 50
"""Bytes of an item's JSON besides kind, id and value, at the most."""

Change = tuple[str, str, msgspec.Struct | None]
"""(kind, id, value): an item of `contract.desired` to hold at the site, or None to drop it."""


async def changed(conn: AsyncConnection, site: str, items: Sequence[Change]) -> int:
    """Put `items` into the site's desired state, as a new revision (returned); published after the commit.

    What does not fit into one message becomes several revisions, so that it never waits for all of it.
    """
    if not items:
        raise ValueError("a change of the desired state needs at least one item")
    last = {(kind, name): None if value is None else msgspec.json.encode(value).decode() for kind, name, value in items}
    sizes = [len(kind) + len(name) + len(value or "") * 3 + _ENVELOPE for (kind, name), value in last.items()]
    counts = cut(sizes)
    revision = int((await conn.execute(_NEXT, {"site": site, "count": len(counts)})).scalar_one())
    first = revision - len(counts) + 1
    values = {
        "site": site,
        "kinds": [kind for kind, _ in last],
        "ids": [name for _, name in last],
        "values": list(last.values()),
        "revisions": [first + place for place, count in enumerate(counts) for _ in range(count)],
    }
    await conn.execute(_PUT, values)
    outcome(conn).desired.add(site)
    return revision


_STANDING = text("SELECT revision, floor FROM desired_revisions WHERE site = :site")
_ITEM = "kind, id, revision, CAST(value AS text) AS value FROM desired_items WHERE site = :site"
_SINCE = text(
    f"SELECT {_ITEM} AND revision > :base AND (value IS NOT NULL OR :base > 0) ORDER BY revision, kind, id LIMIT :limit"
)
# One for each case, not one with an OR for all: the index has to begin and to stop where the part does.
_OF_FORM = {"snapshot": "AND value IS NOT NULL", "delta": "AND revision > :base AND revision <= :until"}
_END = "AND (kind, id) < (:end_kind, :end_id)"
_PARTS = {
    (form, last): text(
        f"SELECT {_ITEM} AND (kind, id) >= (:kind, :id) {'' if last else _END} {which} ORDER BY kind, id LIMIT :limit"
    )
    for form, which in _OF_FORM.items()
    for last in (False, True)
}
_STARTS = text(
    "SELECT DISTINCT ON (part) kind, id FROM (SELECT kind, id, floor(sum(greatest("
    "(length(id) + coalesce(octet_length(CAST(value AS text)), 0) + :envelope) / CAST(:bytes AS float8),"
    " 1 / CAST(:items AS float8))) OVER (ORDER BY kind, id)) AS part FROM desired_items"
    " WHERE site = :site AND revision > :base AND revision <= :until AND (value IS NOT NULL OR :base > 0)) AS cut"
    " ORDER BY part, kind, id"
)
_LEAP = text(
    "INSERT INTO desired_revisions (site, revision, floor) VALUES (:site, :revision, :revision)"
    " ON CONFLICT (site) DO UPDATE SET revision = greatest(desired_revisions.revision, excluded.revision),"
    " floor = greatest(desired_revisions.floor, excluded.floor)"
)
_NEWEST = 1 << 60


class Revisions(NamedTuple):
    """The newest revision of a site (0 before the first), and the oldest that a delta may build on."""

    revision: int
    floor: int


async def standing(conn: AsyncConnection, site: str) -> Revisions:
    """Where the desired state of a site stands."""
    row = (await conn.execute(_STANDING, {"site": site})).one_or_none()
    return Revisions(0, 0) if row is None else Revisions(row.revision, row.floor)


async def since(conn: AsyncConnection, site: str, base: int, limit: int) -> list[Changed]:
    """What changed after `base`, oldest revision first: with base 0 what is to be held, otherwise removals too."""
    rows = await conn.execute(_SINCE, {"site": site, "base": base, "limit": limit})
    return [Changed(row.revision, _item(row)) for row in rows]


async def starts(conn: AsyncConnection, site: str, base: int, until: int | None = None) -> list[Key]:
    """The first key of each message into which what changed after `base` (up to `until`) is cut, by kind and id."""
    values = {"site": site, "base": base, "until": until or _NEWEST, "envelope": _ENVELOPE}
    rows = await conn.execute(_STARTS, values | {"bytes": PART_BYTES, "items": PART_ITEMS})
    return [(row.kind, row.id) for row in rows]


async def part(conn: AsyncConnection, site: str, load: Load, number: int) -> list[Item]:
    """The items of one part as they are now: what changed since the load began comes again after it.

    Of a part that is `overgrown` only as many as it takes to see that.
    """
    (kind, name), end = load.range(number)
    values: dict[str, object] = {"site": site, "kind": kind, "id": name, "limit": 2 * PART_ITEMS + 1}
    if load.form == "delta":
        values |= {"base": load.base, "until": load.revision}
    if end is not None:
        values |= {"end_kind": end[0], "end_id": end[1]}
    rows = await conn.execute(_PARTS[load.form, end is None], values)
    return [_item(row) for row in rows]


async def leap(conn: AsyncConnection, site: str, held: int) -> None:
    """Go beyond a revision that a gateway holds though this database never reached it (it was restored)."""
    await conn.execute(_LEAP, {"site": site, "revision": held + 1})


def _item(row: StatementRow) -> Item:
    value = NOTHING if row.value is None else msgspec.Raw(row.value.encode())
    return Item(kind=row.kind, id=row.id, value=value)

"""PINs as the database holds them: sealed (`web.sealing`) with the hub's own key, apart for each site.

`credentials`, `blocks` and `desired_items` hold nothing else, so that whoever reads them (a dump, a replica, a copy of
the disk without the key's file) learns no PIN; that two PINs of one site are the same shows. Whoever has the
key too, as the running hub must, can open them: gateways compare what is typed with the PIN itself, and those before
this one know no other form. On the way to a gateway they are as secret as its connection (TLS).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import msgspec
from fastapi import Depends, Request
from sqlalchemy import Connection, text

from contract.desired import Item
from hub.database.rows import StatementRow
from hub.database.transactions import Database, database
from web.sealing import NotSealed, Seal, is_sealed

_Put = Callable[[str, str], str]

KINDS = frozenset({"credential", "block"})
"""Kinds of items of the desired state that may hold a PIN."""

_TABLES = ("credentials", "blocks")


class PinUnreadable(Exception):
    """A PIN that was sealed with another key than ours: the key's file is not the one of this database."""


class Pins:
    """Seals and opens the PINs of all sites."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._seals: dict[str, Seal] = {}

    def seal(self, site: str, value: str) -> str:
        """A PIN as it is kept."""
        return self._seal(site).seal(value)

    def opened(self, site: str, value: str) -> str:
        """A PIN as it is typed; raises `PinUnreadable`. One that lies open yet is that already."""
        if not is_sealed(value):
            return value
        try:
            return self._seal(site).open(value)
        except NotSealed as error:
            raise PinUnreadable(f"PINs of {site} were sealed with another key") from error

    def told(self, site: str, item: Item) -> Item:
        """An item of the desired state as a gateway is told it."""
        if item.kind not in KINDS or b'"pin"' not in bytes(item.value):
            return item
        found = msgspec.json.decode(item.value)
        if not isinstance(found, dict) or found.get("kind") != "pin":
            return item
        found["value"] = self.opened(site, found["value"])
        return msgspec.structs.replace(item, value=msgspec.Raw(msgspec.json.encode(found)))

    def seal_all(self, conn: Connection) -> None:
        """Seal every PIN that lies open in the database, in its transaction."""
        self._each(conn, lambda site, value: value if is_sealed(value) else self._seal(site).seal(value))

    def open_all(self, conn: Connection) -> None:
        """Lay every PIN open again: for who goes back to software that knows no sealed ones."""
        self._each(conn, self.opened)

    def _each(self, conn: Connection, put: _Put) -> None:
        for table in _TABLES:
            for row in conn.execute(text(f"SELECT site, id, value FROM {table} WHERE kind = 'pin'")).all():
                _move(conn, f"UPDATE {table} SET value = :value WHERE site = :site AND id = :id", row, put)
        found = conn.execute(
            text(
                "SELECT site, kind, id, value->>'value' AS value, CAST(value AS text) AS whole FROM desired_items"
                " WHERE kind = ANY(:kinds) AND value IS NOT NULL AND value->>'kind' = 'pin'"
            ),
            {"kinds": sorted(KINDS)},
        )
        for row in found.all():
            whole = msgspec.json.decode(row.whole) | {"value": put(row.site, row.value)}
            conn.execute(
                text(
                    "UPDATE desired_items SET value = CAST(:whole AS json)"
                    " WHERE site = :site AND kind = :kind AND id = :id"
                ),
                {
                    "site": row.site,
                    "kind": row.kind,
                    "id": row.id,
                    "whole": msgspec.json.encode(whole).decode(),
                },
            )

    def _seal(self, site: str) -> Seal:
        found = self._seals.get(site)
        if found is None:
            found = self._seals[site] = Seal(self._key, f"pin {site}")
        return found


_ANY = text("SELECT site, value FROM credentials WHERE kind = 'pin' LIMIT 1")


def any_pin(conn: Connection) -> bool:
    """Whether the database holds a PIN."""
    asked = " UNION ALL ".join(f"SELECT 1 FROM {table} WHERE kind = 'pin'" for table in _TABLES)
    return conn.execute(text(f"SELECT EXISTS ({asked})")).scalar_one() is True


async def sealed_otherwise(held: Database) -> str | None:
    """What to do about it, if the PINs of this database were sealed with another key than ours."""
    async with held.transaction() as conn:
        row = (await conn.execute(_ANY)).one_or_none()
    try:
        if row is not None:
            Pins(held.key).opened(row.site, row.value)
    except PinUnreadable:
        return (
            "PINs were sealed with another key than that of this hub: put the file that belongs to the database in"
            " place (GATEHOUSE_KEY_FILE)"
        )
    return None


def _move(conn: Connection, statement: str, row: StatementRow, put: _Put) -> None:
    value = put(row.site, row.value)
    if value != row.value:
        conn.execute(text(statement), {"site": row.site, "id": row.id, "value": value})


def _pins(request: Request) -> Pins:
    return Pins(database(request).key)


SealedPins = Annotated[Pins, Depends(_pins)]
"""Dependency: the company's PINs."""

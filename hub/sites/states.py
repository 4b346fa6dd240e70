"""How doors and lanes stand, from readings and events alike: of each aspect, the newest word counts.

Readings bring lock, contact, mode, barrier and loops as points `<door>.lock`, `<lane>.loop_before`, …; events are
sooner. Both come over different roads, so an aspect only ever moves forward in the gateway's time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.kinds import DoorModeSet, PlateSeen
from contract.readings import Value
from hub.db import outcome
from hub.events.stored import Projection, StoredEvent, to_datetime
from hub.telemetry.ingest import NewerReading
from web.moments import written

DOOR_ASPECTS = ("lock", "contact", "mode")
LANE_ASPECTS = ("barrier", "loop_before", "loop_under", "last_plate")
POINT_ASPECTS = frozenset({"lock", "contact", "mode", "barrier", "loop_before", "loop_under"})
"""The last part of those points whose readings say how a door or lane stands."""

_WORDS: dict[str, frozenset[str]] = {
    "lock": frozenset({"locked", "released"}),
    "contact": frozenset({"open", "closed"}),
    "mode": frozenset({"normal", "unlocked", "locked"}),
    "barrier": frozenset({"down", "moving", "up"}),
}

_PUT = text(
    "INSERT INTO place_states (site, place, aspect, value, at)"
    " VALUES (:site, :place, :aspect, CAST(:value AS json), :at)"
    " ON CONFLICT (site, place, aspect) DO UPDATE SET value = excluded.value, at = excluded.at"
    " WHERE place_states.at <= excluded.at"
)
_OF_SITES = text("SELECT site, place, aspect, value, at FROM place_states WHERE site IN :sites").bindparams(
    bindparam("sites", expanding=True)
)
_PLACES = text("SELECT layout->'doors' AS doors, layout->'lanes' AS lanes FROM sites WHERE id = :site")


class Aspect(NamedTuple):
    """One word on one place. `value`: a word of the aspect, a flag, a plate, or None for unknown."""

    place: str
    aspect: str
    value: Value
    at: datetime


Held = dict[tuple[str, str], tuple[Value, datetime]]
"""(place, aspect) → its value, and since when by the gateway's clock."""


class SiteView(NamedTuple):
    """The doors and lanes of a site, as its layout lists them."""

    id: str
    doors: Sequence[Mapping[str, Any]]
    lanes: Sequence[Mapping[str, Any]]


async def on_readings(conn: AsyncConnection, site: str, points: Sequence[NewerReading]) -> None:
    """Take over what readings say of doors and lanes; other points are passed over (a `telemetry.ingest.Latest`)."""
    said = [aspect for point in points if (aspect := _of_point(point)) is not None]
    await move(conn, site, said)


async def move(conn: AsyncConnection, site: str, said: Sequence[Aspect]) -> None:
    """Store what is newer than what is held, and tell the screens of each place that changed."""
    if not said:
        return
    view = await _view(conn, site)
    places = {place["id"] for place in (*view.doors, *view.lanes)}
    said = [aspect for aspect in said if aspect.place in places]
    if not said:
        return
    held = (await _held(conn, [site])).get(site, {})
    changed: set[str] = set()
    newest = {(aspect.place, aspect.aspect): aspect for aspect in sorted(said, key=lambda word: word.at)}
    # In one order, so that two transactions seldom wait for each other crosswise.
    for _, aspect in sorted(newest.items(), key=lambda item: item[0]):
        before, at = held.get((aspect.place, aspect.aspect), (None, None))
        if at is not None and at > aspect.at:
            continue
        row = {"site": site, "place": aspect.place, "aspect": aspect.aspect, "at": aspect.at}
        await conn.execute(_PUT, row | {"value": msgspec.json.encode(aspect.value).decode()})
        held[aspect.place, aspect.aspect] = (aspect.value, aspect.at)
        if before != aspect.value or at is None:
            changed.add(aspect.place)
    for kind, items in (("door", _doors(view, held)), ("lane", _lanes(view, held))):
        for item in items:
            if item["id"] in changed:
                outcome(conn).state({"kind": kind, **item})


async def doors_and_lanes(
    conn: AsyncConnection, views: Sequence[SiteView]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Every door and every lane of these sites as it stands, also those that nothing was heard of yet."""
    by_site = await _held(conn, [view.id for view in views])
    doors = [door for view in views for door in _doors(view, by_site.get(view.id, {}))]
    lanes = [lane for view in views for lane in _lanes(view, by_site.get(view.id, {}))]
    return doors, lanes


async def _view(conn: AsyncConnection, site: str) -> SiteView:
    row = (await conn.execute(_PLACES, {"site": site})).one_or_none()
    return SiteView(site, row.doors or (), row.lanes or ()) if row else SiteView(site, (), ())


async def _held(conn: AsyncConnection, sites: Sequence[str]) -> dict[str, Held]:
    by_site: dict[str, Held] = {}
    if sites:
        for row in (await conn.execute(_OF_SITES, {"sites": list(sites)})).all():
            by_site.setdefault(row.site, {})[row.place, row.aspect] = (row.value, row.at)
    return by_site


def _doors(view: SiteView, held: Held) -> list[dict[str, Any]]:
    return [
        {
            "id": door["id"],
            "site": view.id,
            "lock": _value(held, door["id"], "lock") or "unknown",
            "contact": _value(held, door["id"], "contact") or "unknown",
            "mode": _value(held, door["id"], "mode") or "normal",
            "at": _newest(held, door["id"], DOOR_ASPECTS),
        }
        for door in view.doors
    ]


def _lanes(view: SiteView, held: Held) -> list[dict[str, Any]]:
    return [
        {
            "id": lane["id"],
            "site": view.id,
            "barrier": _value(held, lane["id"], "barrier") or "unknown",
            "loops": {
                "before": _value(held, lane["id"], "loop_before"),
                "under": _value(held, lane["id"], "loop_under"),
            },
            "last_plate": _value(held, lane["id"], "last_plate"),
            "at": _newest(held, lane["id"], LANE_ASPECTS),
        }
        for lane in view.lanes
    ]


def _value(held: Held, place: str, aspect: str) -> Value:
    found = held.get((place, aspect))
    return found[0] if found else None


def _newest(held: Held, place: str, aspects: Sequence[str]) -> str | None:
    moments = [held[place, aspect][1] for aspect in aspects if (place, aspect) in held]
    return written(max(moments)) if moments else None


def _of_point(point: NewerReading) -> Aspect | None:
    place, _, aspect = point.id.rpartition(".")
    if aspect not in POINT_ASPECTS or not place:
        return None
    if point.quality != "good":
        return Aspect(place, aspect, None, point.at)
    words = _WORDS.get(aspect)
    if words is not None and point.value not in words:
        return Aspect(place, aspect, None, point.at)
    if words is None and not isinstance(point.value, bool | int | float):
        return Aspect(place, aspect, None, point.at)
    return Aspect(place, aspect, point.value if words else bool(point.value), point.at)


_MOVED: dict[str, tuple[str, str]] = {
    "door.opened": ("contact", "open"),
    "door.closed": ("contact", "closed"),
    "door.released": ("lock", "released"),
    "barrier.opened": ("barrier", "up"),
    "barrier.closed": ("barrier", "down"),
}
"""Event kind → what its source's aspect is from then on."""


async def _on_moved(conn: AsyncConnection, event: StoredEvent) -> None:
    aspect, value = _MOVED[event.kind]
    await _on_event(conn, event, aspect, value)


async def _on_mode(conn: AsyncConnection, event: StoredEvent) -> None:
    data = event.typed()
    assert isinstance(data, DoorModeSet)
    await _on_event(conn, event, "mode", data.mode)


async def _on_plate(conn: AsyncConnection, event: StoredEvent) -> None:
    data = event.typed()
    assert isinstance(data, PlateSeen)
    if data.plate and not data.replayed:
        await _on_event(conn, event, "last_plate", data.plate)


async def _on_event(conn: AsyncConnection, event: StoredEvent, aspect: str, value: Value) -> None:
    assert event.site is not None
    await move(conn, event.site, [Aspect(event.source, aspect, value, to_datetime(event.at))])


PROJECTIONS: dict[str, Projection] = {
    **dict.fromkeys(_MOVED, _on_moved),
    "door.mode_set": _on_mode,
    "plate.seen": _on_plate,
}

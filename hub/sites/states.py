"""How doors and lanes stand, from readings and events alike: of each aspect, the newest word counts.

Readings bring lock, contact, mode, barrier and loops as points `<door>.lock`, `<lane>.loop_before`, …; events are
sooner. Both come over different roads, so an aspect only ever moves forward in the gateway's time, which is never
later than the receipt. And both come in transactions of their own, with other locks: what they say is put off to the
end of each (`settle`), where one lock orders them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypedDict

import msgspec
from sqlalchemy import DateTime, Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.facts.entry import DoorModeSet, PlateSeen
from contract.readings import Value
from contract.standing import PlacesStated
from hub.database.event import Projection, StoredEvent, latest, present, to_datetime
from hub.database.transactions import outcome
from hub.sites.cars import CarGone, car_after, said_of_car
from hub.telemetry.ingest import NewerReading
from rules.commands import DOOR_COMMANDS, lane_commands
from web import shapes
from web.cars import StandingCar
from web.moments import written

DOOR_ASPECTS = ("lock", "contact", "mode")
TERM_ASPECTS = ("mode_since", "mode_until", "mode_by")
"""What events alone say of a mode: since when, until when, by whose name."""
LANE_ASPECTS = ("barrier", "loop_before", "loop_under", "last_plate", "car")
POINT_ASPECTS = frozenset({"lock", "contact", "mode", "barrier", "loop_before", "loop_under"})
"""The last part of those points whose readings say how a door or lane stands."""

_WORDS: dict[str, frozenset[str]] = {
    "lock": frozenset({"locked", "released"}),
    "contact": frozenset({"open", "closed"}),
    "mode": frozenset({"normal", "unlocked", "locked"}),
    "barrier": frozenset({"down", "moving", "up"}),
}

PLACES_LOCK = 0x706C_6163
"""Key of the advisory lock under which the states of places move: the last lock that any transaction takes."""

_PUT = text(
    "INSERT INTO place_states (site, place, aspect, value, at)"
    " SELECT site, place, aspect, CAST(value AS json), at"
    " FROM unnest(:sites, :places, :aspects, :values, :moments) AS new (site, place, aspect, value, at)"
    " ON CONFLICT (site, place, aspect) DO UPDATE SET value = excluded.value, at = excluded.at"
).bindparams(
    *(bindparam(name, type_=ARRAY(Text)) for name in ("sites", "places", "aspects", "values")),
    bindparam("moments", type_=ARRAY(DateTime(timezone=True))),
)
_OF_SITES = text("SELECT site, place, aspect, value, at FROM place_states WHERE site = ANY(:sites)")
_VIEWS = text(
    "SELECT id, layout->'doors' AS doors, layout->'lanes' AS lanes FROM sites WHERE id = ANY(:sites) ORDER BY id"
)


class Aspect(NamedTuple):
    """One word on one place. `value`: a word of the aspect, a flag, a plate, or None for unknown; of who stands before
    a barrier a `StandingCar`, or who is `CarGone`."""

    place: str
    aspect: str
    value: Value | StandingCar | CarGone
    at: datetime


Held = dict[tuple[str, str], tuple[Value | StandingCar | CarGone, datetime]]
"""(place, aspect) → its value, and since when by the gateway's clock."""


class SiteView(NamedTuple):
    """The doors and lanes of a site, as its layout lists them."""

    id: str
    doors: Sequence[Mapping[str, Any]]
    lanes: Sequence[Mapping[str, Any]]


async def on_readings(conn: AsyncConnection, site: str, points: Sequence[NewerReading], received: datetime) -> None:
    """Take over what readings say of doors and lanes; other points are passed over (a `telemetry.ingest.Latest`)."""
    for point in points:
        if (aspect := _of_point(point)) is not None:
            _say(conn, site, aspect, received)


async def settle(conn: AsyncConnection, said: Sequence[tuple[str, Aspect, datetime]]) -> None:
    """Store what is newer than what is held, and tell the screens of each place that changed.

    `said`: (site, aspect, its receipt), in the order in which it was said. What is held from the future gives way.
    Nothing may be locked after this.
    """
    await conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": PLACES_LOCK})
    sites = sorted({site for site, _, _ in said})
    views = [SiteView(row.id, row.doors or (), row.lanes or ()) for row in await conn.execute(_VIEWS, {"sites": sites})]
    known = {(view.id, place["id"]) for view in views for place in (*view.doors, *view.lanes)}
    lanes = {(view.id, lane["id"]) for view in views for lane in view.lanes}
    by_site = await _held(conn, sites)
    moved: dict[tuple[str, str, str], Aspect] = {}
    changed: set[tuple[str, str]] = set()
    for site, word, received in said:
        if word.aspect == "car" and (site, word.place) not in lanes:
            continue  # doors have passages too
        aspect = word._replace(at=min(word.at, latest(received)))
        held = by_site.setdefault(site, {})
        before = held.get((aspect.place, aspect.aspect))
        if (site, aspect.place) not in known or (before is not None and aspect.at < before[1] <= present(received)):
            continue
        if aspect.aspect == "car":
            aspect = aspect._replace(value=car_after(None if before is None else before[0], aspect.value))
        held[aspect.place, aspect.aspect] = aspect.value, aspect.at
        moved[site, aspect.place, aspect.aspect] = aspect
        if before is None or before[0] != aspect.value:
            changed.add((site, aspect.place))
    if not moved:
        return
    rows = {
        "sites": [site for site, _, _ in moved],
        "places": [place for _, place, _ in moved],
        "aspects": [name for _, _, name in moved],
        "values": [msgspec.json.encode(aspect.value).decode() for aspect in moved.values()],
        "moments": [aspect.at for aspect in moved.values()],
    }
    await conn.execute(_PUT, rows)
    for view in views:
        held = by_site.get(view.id, {})
        for kind, items in (("door", _doors(view, held)), ("lane", _lanes(view, held))):
            for item in items:
                if (view.id, item["id"]) in changed:
                    outcome(conn).state({"kind": kind, **item})


async def doors_and_lanes(
    conn: AsyncConnection, views: Sequence[SiteView]
) -> tuple[list[shapes.Door], list[shapes.Lane]]:
    """Every door and every lane of these sites as it stands, also those that nothing was heard of yet."""
    by_site = await _held(conn, [view.id for view in views])
    doors = [door for view in views for door in _doors(view, by_site.get(view.id, {}))]
    lanes = [lane for view in views for lane in _lanes(view, by_site.get(view.id, {}))]
    return doors, lanes


async def _held(conn: AsyncConnection, sites: Sequence[str]) -> dict[str, Held]:
    by_site: dict[str, Held] = {}
    if sites:
        for row in (await conn.execute(_OF_SITES, {"sites": list(sites)})).all():
            by_site.setdefault(row.site, {})[row.place, row.aspect] = (row.value, row.at)
    return by_site


def _say(conn: AsyncConnection, site: str, aspect: Aspect, received: datetime) -> None:
    outcome(conn).put_off(settle, (site, aspect, received))


def _doors(view: SiteView, held: Held) -> list[shapes.Door]:
    return [
        {
            "id": door["id"],
            "site": view.id,
            "lock": _value(held, door["id"], "lock") or "unknown",
            "contact": _value(held, door["id"], "contact") or "unknown",
            "mode": _value(held, door["id"], "mode") or "normal",
            **_term(held, door["id"]),
            "at": _newest(held, door["id"], DOOR_ASPECTS),
            "can": [*DOOR_COMMANDS],
        }
        for door in view.doors
    ]


def _lanes(view: SiteView, held: Held) -> list[shapes.Lane]:
    return [
        {
            "id": lane["id"],
            "site": view.id,
            "barrier": _value(held, lane["id"], "barrier") or "unknown",
            # Gateways from before this was said have one that is.
            "monitored": lane.get("monitored", True),
            "loops": {
                "before": _value(held, lane["id"], "loop_before"),
                "under": _value(held, lane["id"], "loop_under"),
            },
            "last_plate": _value(held, lane["id"], "last_plate"),
            "last_plate_at": _newest(held, lane["id"], ("last_plate",)),
            "car": _value(held, lane["id"], "car"),
            "at": _newest(held, lane["id"], LANE_ASPECTS),
            "can": lane_commands(lane["can_close"]),
        }
        for lane in view.lanes
    ]


class _Term(TypedDict):
    mode_since: str | None
    mode_until: str | None
    mode_by: str | None


def _term(held: Held, door: str) -> _Term:
    """Of the mode that its door is in now; the normal one has none."""
    if (_value(held, door, "mode") or "normal") == "normal":
        return {"mode_since": None, "mode_until": None, "mode_by": None}
    return {
        "mode_since": _value(held, door, "mode_since"),
        "mode_until": _value(held, door, "mode_until"),
        "mode_by": _value(held, door, "mode_by"),
    }


def _value(held: Held, place: str, aspect: str) -> Any:
    """One of the aspect's words, a flag, a plate (`_word`), or None."""
    found = held.get((place, aspect))
    return found[0] if found else None


def _newest(held: Held, place: str, aspects: Sequence[str]) -> str | None:
    moments = [held[place, aspect][1] for aspect in aspects if (place, aspect) in held]
    return written(max(moments)) if moments else None


def _of_point(point: NewerReading) -> Aspect | None:
    place, _, aspect = point.id.rpartition(".")
    if aspect not in POINT_ASPECTS or not place:
        return None
    value = _word(aspect, point.value) if point.quality == "good" else None
    return Aspect(place, aspect, value, point.at)


def _word(aspect: str, value: Value) -> Value:
    """The value as one of the aspect's words, or a flag; None if it says nothing of it."""
    words = _WORDS.get(aspect)
    if words is not None:
        return value if value in words else None
    return bool(value) if isinstance(value, bool | int | float) else None


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
    _on_event(conn, event, aspect, value)


async def _on_mode(conn: AsyncConnection, event: StoredEvent) -> None:
    data = event.typed()
    assert isinstance(data, DoorModeSet)
    _on_event(conn, event, "mode", data.mode)
    _on_event(conn, event, "mode_since", event.at)
    _on_event(conn, event, "mode_until", data.until)
    _on_event(conn, event, "mode_by", data.person.name if data.person else None)


async def _on_plate(conn: AsyncConnection, event: StoredEvent) -> None:
    data = event.typed()
    assert isinstance(data, PlateSeen)
    if data.plate and not data.replayed:
        _on_event(conn, event, "last_plate", data.plate)


async def _on_stated(conn: AsyncConnection, event: StoredEvent) -> None:
    data = event.typed()
    assert isinstance(data, PlacesStated)
    assert event.site is not None
    for standing in data.places:
        for aspect, value in standing.aspects.items():
            if aspect in POINT_ASPECTS:
                word = Aspect(standing.place, aspect, _word(aspect, value), to_datetime(event.at))
                _say(conn, event.site, word, event.received)
            elif aspect in TERM_ASPECTS and isinstance(value, str | None):
                word = Aspect(standing.place, aspect, value, to_datetime(event.at))
                _say(conn, event.site, word, event.received)


async def _on_car(conn: AsyncConnection, event: StoredEvent) -> None:
    said = said_of_car(event)
    if said is not None:
        _on_event(conn, event, "car", said)


def _on_event(conn: AsyncConnection, event: StoredEvent, aspect: str, value: Value | StandingCar | CarGone) -> None:
    assert event.site is not None
    _say(conn, event.site, Aspect(event.source, aspect, value, to_datetime(event.at)), event.received)


PROJECTIONS: dict[str, Projection] = {
    **dict.fromkeys(_MOVED, _on_moved),
    "door.mode_set": _on_mode,
    "plate.seen": _on_plate,
    "places.stated": _on_stated,
    **dict.fromkeys(("access.granted", "access.denied", "car.arrived", "car.left", "passage.made"), _on_car),
}

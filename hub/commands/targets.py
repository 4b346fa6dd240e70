"""Whether what a command is meant for is there: by the site's layout, its points and its alarms."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.commands import CommandKind, Subject

_PLACE = (
    "SELECT EXISTS (SELECT 1 FROM sites, json_array_elements(layout -> '{places}') AS place"
    " WHERE sites.id = :site AND place ->> 'id' = :target {also})"
)
_DOOR = text(_PLACE.format(places="doors", also=""))
_DOOR_OF_TERMS = text(_PLACE.format(places="doors", also="AND (place ->> 'modes_end')::boolean"))
_LANE = text(_PLACE.format(places="lanes", also=""))
_LANE_THAT_CLOSES = text(_PLACE.format(places="lanes", also="AND (place ->> 'can_close')::boolean"))
_PLACE_OF_HIT = text(
    "SELECT EXISTS (SELECT 1 FROM sites, json_array_elements(layout -> 'doors') AS place"
    " WHERE sites.id = :site AND place ->> 'id' = :target UNION ALL"
    " SELECT 1 FROM sites, json_array_elements(layout -> 'lanes') AS place"
    " WHERE sites.id = :site AND place ->> 'id' = :target)"
)
_HIT = text(
    "SELECT EXISTS (SELECT 1 FROM events WHERE site = :site AND source = :target AND stream = :stream AND seq = :seq"
    " UNION ALL SELECT 1 FROM event_places AS place JOIN events ON events.id = place.event"
    " WHERE place.stream = :stream AND place.seq = :seq AND site = :site AND source = :target)"
)
_ALARM = text("SELECT EXISTS (SELECT 1 FROM alarms WHERE site = :site AND id = :target)")
_DEVICE = text(_PLACE.format(places="devices", also=""))
_POINT = text("SELECT EXISTS (SELECT 1 FROM points WHERE site = :site AND id = :target AND writable)")

_QUERIES = {
    "door.unlock": _DOOR,
    "door.mode": _DOOR,
    "barrier.open": _LANE,
    "barrier.close": _LANE_THAT_CLOSES,
    "alarm.ack": _ALARM,
    "alarm.shelve": _ALARM,
    "alarm.unshelve": _ALARM,
    "point.write": _POINT,
    "reader.set_key": _DEVICE,
    "hit.acknowledge": _PLACE_OF_HIT,
}


async def exists(conn: AsyncConnection, site: str, kind: CommandKind, target: str) -> bool:
    """Whether `site` has a `target` that a command of `kind` can be meant for."""
    return bool((await conn.execute(_QUERIES[kind], {"site": site, "target": target})).scalar_one())


async def has_entry(conn: AsyncConnection, site: str, target: str, subject: Subject) -> bool:
    """Whether the history has an event of `target` at that place, or had it there before a fork."""
    values = {"site": site, "target": target, "stream": subject.stream, "seq": subject.seq}
    return bool((await conn.execute(_HIT, values)).scalar_one())


async def ends_modes(conn: AsyncConnection, site: str, door: str) -> bool:
    """Whether the door's gateway ends a mode by itself; one of before would leave the door as it is for ever."""
    return bool((await conn.execute(_DOOR_OF_TERMS, {"site": site, "target": door})).scalar_one())

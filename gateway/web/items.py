"""The JSON of events and points, as REST and the live stream show them: the shapes of the hub. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from contract.instants import Instant, instant
from contract.layout import PointLayout
from contract.readings import Reading, Value
from contract.rights import Viewer, data_seen, sees_event
from gateway.engine.desk.points import Latest
from gateway.journal import Recorded
from web import shapes
from web.live.screens import LiveEvent


class FirstPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a stream."""

    stream: str
    seq: int


class EventItem(msgspec.Struct, frozen=True, kw_only=True):
    """An event of this gateway's journal. It was not received from anybody, hence no `received_at`.

    `first`: where it was first recorded, if a fork has moved it since; other events may name it by that place.
    """

    id: int
    site: str
    gateway: str
    stream: str
    seq: int
    at: Instant
    received_at: None = None
    kind: str
    source: str
    clock: str
    data: msgspec.Raw
    first: FirstPlace | None = None


def event_item(event: Recorded, site: str, gateway: str) -> EventItem:
    """One event."""
    return EventItem(
        id=event.id,
        site=site,
        gateway=gateway,
        stream=event.stream,
        seq=event.seq,
        at=event.at,
        kind=event.kind,
        source=event.source,
        clock=event.clock,
        data=event.data,
        first=None if event.first is None else FirstPlace(stream=event.first.stream, seq=event.first.seq),
    )


def live_event(event: Recorded, site: str, gateway: str) -> LiveEvent:
    """One event for the live stream."""
    shown = event_item(event, site, gateway)

    def item(data: msgspec.Raw) -> bytes:
        return msgspec.json.encode(shown if data is shown.data else msgspec.structs.replace(shown, data=data))

    return LiveEvent(event.id, site, event.kind, event.source, event.data, item)


def seen_item(event: Recorded, site: str, gateway: str, viewer: Viewer) -> EventItem | None:
    """One event as they see it, None if they may not know of it."""
    if not sees_event(viewer, event.kind, event.source, event.data):
        return None
    return msgspec.structs.replace(event_item(event, site, gateway), data=data_seen(viewer, event.kind, event.data))


def point_item(layout: PointLayout, latest: Latest, site: str) -> shapes.Point:
    """A point and its latest reading."""
    return {
        "id": layout.id,
        "site": site,
        "name": shapes.text_of(layout.name),
        "type": layout.type,
        "unit": layout.unit,
        "labels": {code: shapes.text_of(name) for code, name in layout.labels.items()},
        "writable": layout.writable,
        "value": latest.value,
        "quality": latest.quality,
        "at": instant(latest.at) if latest.at else None,
    }


def reading_item(reading: Reading) -> shapes.Read:
    """One reading of a series."""
    return {"at": instant(reading.at), "value": reading.value, "quality": reading.quality}


def stepped(readings: Sequence[Reading], *, start_ms: int, step_ms: int, agg: str) -> list[shapes.Read]:
    """One value for each step that has good readings; steps begin at `start_ms`. Readings oldest first.

    `delta`: the last value of a step less the last one before it (its own first one, if there is none).
    """
    items: list[shapes.Read] = []
    before: Value = None
    group: list[Value] = []
    place = 0

    def close() -> None:
        nonlocal before
        if group:
            value = _aggregate(group, agg, before)
            items.append({"at": instant(start_ms + place * step_ms), "value": value, "quality": "good"})
            before = group[-1]

    for reading in readings:
        if reading.quality != "good" or reading.value is None:
            continue
        at = (reading.at - start_ms) // step_ms
        if at != place:
            close()
            group.clear()
            place = at
        group.append(reading.value)
    close()
    return items


def _aggregate(values: list[Value], agg: str, before: Value) -> Value:
    if agg == "last":
        return values[-1]
    numbers = [float(value) for value in values if isinstance(value, int | float)]
    if not numbers:
        return None
    flags = all(isinstance(value, bool) for value in values)
    match agg:
        case "min":
            return bool(min(numbers)) if flags else min(numbers)
        case "max":
            return bool(max(numbers)) if flags else max(numbers)
        case "delta":
            return numbers[-1] - (float(before) if isinstance(before, int | float) else numbers[0])
        case _:
            return sum(numbers) / len(numbers)

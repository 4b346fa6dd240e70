"""States what stands at the site, so that the hub has the same, whatever either side lost: open alarms, doors, lanes.

Wanted when the hub is met for the first time, when it or this journal turned out to be an older one, when facts were
lost on the way to the disk, and, not too often, whenever the line comes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from contract.readings import Value
from contract.standing import AlarmsStated, AlarmStanding, PlacesStated, PlaceStanding, TicketStanding
from gateway.engine.alarms.alarms import Alarms
from gateway.engine.alarms.episodes import Alarm
from gateway.engine.desk.desk import Desk
from gateway.engine.desk.record import Facts
from gateway.engine.desk.timers import Alarmclock
from gateway.engine.doors.doors import Doors
from gateway.engine.lanes.lanes import Lanes
from rules.alarms.episode import standing_of

Why = Literal["met", "parted", "lost"]
"""`met`: a line to the hub stands. `parted`: one side was an older one. `lost`: the other side lacks something."""

SETTLES_S = 5.0
"""After a start or a fork: until the first readings are in and both sides have agreed on the stream."""

MET_EVERY_S = 300.0
"""A line that comes and goes is worth one statement in so many seconds."""

PART_BYTES = 150_000
"""Bytes of one event's alarms after which the next event begins."""

PART_PLACES = 500
"""Doors and lanes in one event at the most."""


class Standing:
    """Waits a little after `wanted`, and for what the disk holds; then records `alarms.stated` and `places.stated` in
    one transaction."""

    def __init__(self, gateway: str, desk: Desk, alarms: Alarms, *, doors: Doors, lanes: Lanes) -> None:
        self._gateway = gateway
        self._alarms = alarms
        self._doors = doors
        self._lanes = lanes
        self._record = desk.record
        self._clock = desk.clock
        self._due = Alarmclock(desk.timers, self._state)
        self._due_at: float | None = None
        self._stated_at: float | None = None

    def wanted(self, why: Why) -> None:
        """Something happened after which both sides may differ."""
        now = self._clock.monotonic()
        at = now + SETTLES_S
        if why == "met" and self._stated_at is not None:
            at = max(at, self._stated_at + MET_EVERY_S)
        if self._due_at is not None:
            at = min(at, self._due_at)
        self._due_at = at
        self._due.arm(at - now)

    def _state(self) -> None:
        self._due_at = None
        if not self._record.state_known:
            # A memory that was never loaded would say that there is no alarm.
            self.wanted("parted")
            return
        self._stated_at = self._clock.monotonic()
        facts = Facts()
        open_alarms = (alarm for alarm in self._alarms.alarms.values() if alarm.state != "closed")
        for stated in alarms_stated(open_alarms):
            facts.say("alarms.stated", self._gateway, stated)
        places = [*map(self._door, self._doors.ids()), *map(self._lane, self._lanes.ids())]
        for start in range(0, len(places), PART_PLACES):
            facts.say("places.stated", self._gateway, PlacesStated(places=places[start : start + PART_PLACES]))
        self._record.append(facts)

    def _door(self, door: str) -> PlaceStanding:
        item = self._doors.item(door)
        aspects = {aspect: _known(item[aspect]) for aspect in ("lock", "contact", "mode")}
        if item["mode"] != "normal":
            aspects |= {"mode_since": item["mode_since"], "mode_until": item["mode_until"], "mode_by": item["mode_by"]}
        return PlaceStanding(place=door, aspects=aspects)

    def _lane(self, lane: str) -> PlaceStanding:
        item = self._lanes.item(lane)
        loops = item["loops"]
        aspects = {
            "barrier": _known(item["barrier"]),
            "loop_before": loops["before"],
            "loop_under": loops["under"],
        }
        return PlaceStanding(place=lane, aspects=aspects)


def alarms_stated(alarms: Iterable[Alarm]) -> Iterator[AlarmsStated]:
    """These alarms and no others: in several events if there are very many, each of a range of ids of its own."""
    part: list[AlarmStanding] = []
    after, size = "", 0
    for alarm in sorted(alarms, key=lambda alarm: alarm.id):
        standing = alarm_standing(alarm)
        bytes_more = len(msgspec.json.encode(standing))
        if part and size + bytes_more > PART_BYTES:
            upto = part[-1].alarm
            yield AlarmsStated(alarms=part, after=after, upto=upto)
            part, after, size = [], upto, 0
        part.append(standing)
        size += bytes_more
    yield AlarmsStated(alarms=part, after=after)


def alarm_standing(alarm: Alarm) -> AlarmStanding:
    """All that the hub must know of an alarm that is not closed."""
    cause = alarm.cause
    ticket = None
    if alarm.ticket is not None and alarm.ticketed and cause.title is not None:
        ticket = TicketStanding(ticket=alarm.ticket, title=cause.title, place=cause.place)
    return standing_of(alarm, ticket)


def _known(word: str) -> Value:
    return None if word == "unknown" else word

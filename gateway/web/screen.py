"""What every screen of this site shows: the snapshot, what was missed, and each change after its commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from contract.instants import instant
from gateway.engine.alarms.episodes import Alarm, alarm_item, ticket_item, urgency
from gateway.engine.desk.record import Thing
from gateway.journal import Recorded
from gateway.web.events import Asked, seen_events
from gateway.web.items import live_event, point_item
from gateway.web.served import Served
from web.errors import Refusal
from web.live.screens import LiveEvent, View, things_seen
from web.live.stream import Live, Snapshot

FEED = 50
"""Events of a snapshot, newest first."""


class SiteScreen:
    """As `web.live.stream.LiveSource`, from the journal and the engine's memory."""

    def __init__(self, gateway: Served) -> None:
        self._gateway = gateway
        self._points = {point.id: point for point in gateway.engine.layout.points}

    async def missed(self, view: View, after: int, limit: int) -> list[LiveEvent] | None:
        """Events with an id above `after`, oldest first; None if they are more than `limit`, or `after` is not ours."""
        gateway = self._gateway
        if after > gateway.journal.last_id:
            return None
        found: list[Recorded] = []
        while len(found) <= limit:
            try:
                page = await gateway.journal.events(after=found[-1].id if found else after, limit=500)
            except OSError:
                return None
            found += page
            if len(page) < 500:
                shown = (self._live(event).seen(view) for event in found)
                return [event for event in shown if event is not None] if len(found) <= limit else None
        return None

    async def snapshot(self, view: View) -> Snapshot:
        """The whole site as of one moment."""
        gateway = self._gateway
        engine = gateway.engine
        last_id = gateway.journal.last_id
        try:
            events, _ = await seen_events(gateway, view.viewer, Asked(before=last_id + 1), FEED)
        except Refusal:  # doors and alarms are worth seeing without their history
            events = []
        site = gateway.site
        alarms = open_alarms(list(engine.alarms.alarms.values()))
        tickets = (ticket_item(alarm, site) for alarm in alarms)
        body = {
            "as_of": instant(gateway.clock.wall_ms()),
            **things_seen(
                view.viewer,
                {
                    "door": [engine.doors.item(id) for id in engine.doors.ids()],
                    "lane": [engine.lanes.item(id) for id in engine.lanes.ids()],
                    "alarm": [alarm_item(alarm, site) for alarm in alarms],
                    "ticket": [item for item in tickets if item is not None],
                    "gateway": [gateway.gateway_item()],
                },
            ),
            "events": events,
        }
        return Snapshot(last_id, msgspec.json.encode(body))

    def follow(self, live: Live) -> None:
        """From now on `live` hears of every commit and every change, in this order."""
        journal, engine = self._gateway.journal, self._gateway.engine
        journal.subscribe(lambda events: live.publish(events=[self._live(event) for event in events]))
        engine.record.watch(lambda things: live.publish(states=self.states(things)) if live.watched else None)

    def states(self, things: Sequence[Thing]) -> list[dict[str, Any]]:
        """These things as they are now, for the live stream."""
        found: list[dict[str, Any]] = []
        for thing in things:
            item = self._item(thing)
            if item is None:
                continue
            if thing.kind == "command":  # which has a kind of its own
                item = {**item, "command": item["kind"]}
            found.append({**item, "kind": thing.kind})
        return found

    def _live(self, event: Recorded) -> LiveEvent:
        return live_event(event, self._gateway.site, self._gateway.engine.site.gateway)

    def _item(self, thing: Thing) -> Mapping[str, Any] | None:
        engine, site = self._gateway.engine, self._gateway.site
        match thing.kind:
            case "door":
                return engine.doors.item(thing.id)
            case "lane":
                return engine.lanes.item(thing.id)
            case "alarm":
                alarm = engine.alarms.alarms.get(thing.id)
                return None if alarm is None else alarm_item(alarm, site)
            case "ticket":
                alarms = engine.alarms.alarms.values()
                with_it = next((alarm for alarm in alarms if alarm.ticket == thing.id), None)
                return None if with_it is None else ticket_item(with_it, site)
            case "point":
                layout = self._points.get(thing.id)
                return None if layout is None else point_item(layout, engine.points.value(thing.id), site)
            case "command":
                return engine.commands.item(thing.id)
            case "gateway":
                return self._gateway.gateway_item()
            case _:
                return None


def open_alarms(alarms: list[Alarm]) -> list[Alarm]:
    """Those that are not closed, the most urgent first."""
    return sorted((alarm for alarm in alarms if alarm.state != "closed"), key=urgency)

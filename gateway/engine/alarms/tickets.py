"""Maintenance tickets: one for each episode of an alarm that asks for work, with the last ten minutes of its asset."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import structlog

from contract.facts.alarms import AlarmRaised
from contract.readings import Reading, Value
from gateway.engine.alarms.alarms import Alarms
from gateway.engine.alarms.episodes import Alarm
from gateway.engine.desk.desk import Desk
from gateway.engine.desk.record import Facts
from rules.tickets.steps import HISTORY_MS, raise_for

log = structlog.get_logger(__name__)

HistoryRow = tuple[str, int, Value]


class RemembersReadings(Protocol):
    """The readings' store as the engine needs it."""

    def add(self, readings: Sequence[Reading]) -> None:
        """Stores readings; returns at once."""

    async def histories(self, points: Collection[str], from_ms: int, to_ms: int) -> Mapping[str, Sequence[Reading]]:
        """What each of these points was worth between two moments, oldest first."""


class Tickets:
    """Raises the ticket right after its alarm was recorded; a restart in between raises it then."""

    def __init__(self, desk: Desk, alarms: Alarms, *, readings: RemembersReadings) -> None:
        self._alarms = alarms
        self._readings = readings
        self._points = desk.points
        self._record = desk.record
        self._errands = desk.errands
        self._clock = desk.clock
        alarms.on_ticket = self._wanted

    def _wanted(self, alarm: Alarm) -> None:
        self._errands.begin(self._raise(alarm))

    async def _raise(self, alarm: Alarm) -> None:
        cause = alarm.cause
        assert alarm.ticket is not None and cause.title is not None
        now = self._clock.wall_ms()
        raised = AlarmRaised(
            alarm=alarm.id,
            rule=cause.rule,
            severity=cause.severity,
            message=cause.message,
            asset=cause.asset,
            response=cause.response,
            values=alarm.values,
        )
        history = await self._history(cause.asset, now)
        ticket = raise_for(raised, cause.title, ticket=alarm.ticket, place=cause.place, history=history, now_ms=now)
        facts = Facts()
        facts.say("ticket.raised", cause.source, ticket)
        facts.touch("ticket", alarm.ticket)
        self._alarms.mark_ticketed(alarm, facts)
        await self._record.append(facts)

    async def _history(self, asset: str, now: int) -> list[HistoryRow]:
        """The asset's values in order of time; without them the ticket still stands."""
        try:
            found = await self._readings.histories(self._points.of_device(asset), now - HISTORY_MS, now)
        except OSError as error:
            log.warning("no history for the ticket", asset=asset, why=str(error))
            return []
        rows: list[HistoryRow] = []
        for point, readings in found.items():
            rows += thinned([(point, reading.at, reading.value) for reading in readings])
        return sorted(rows, key=lambda row: row[1])


def thinned(rows: list[HistoryRow], most: int = 60) -> list[HistoryRow]:
    """At most `most` rows of one point, evenly chosen, the last one always among them."""
    if len(rows) <= most:
        return rows
    every = len(rows) / most
    return [rows[min(len(rows) - 1, round((place + 1) * every) - 1)] for place in range(most)]

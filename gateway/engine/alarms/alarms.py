"""Alarms: rules looked at when their points change, by a timer only while a wait is pending; what people make of them.

Every change goes into the caller's `Facts`, so that an alarm and what led to it are one transaction. The shelf
belongs to the cause: one that comes back while it is shelved is shelved again at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from uuid import uuid4

import msgspec

from contract.commands import Person
from contract.facts.alarms import AlarmAcknowledged, AlarmCleared, AlarmRaised, AlarmShelved, AlarmUnshelved
from contract.instants import instant
from contract.readings import Value
from gateway.engine.alarms import episodes
from gateway.engine.alarms.causes import cause_of_rule
from gateway.engine.alarms.episodes import CLOSED_LIMIT, Alarm, Shelf
from gateway.engine.desk.desk import Desk
from gateway.engine.desk.record import Facts, Thing
from gateway.engine.desk.timers import Alarmclock
from rules.alarms.episode import Cause, Change, after
from rules.alarms.rule import AlarmMemory, AlarmRule, Raise, next_wake, state_after, step

TicketWanted = Callable[[Alarm], None]
"""Called after an episode began that asks for a ticket."""


class Alarms:
    """All alarms of the site that are not closed, the last closed ones, and what their rules remember."""

    def __init__(self, rules: Iterable[AlarmRule], desk: Desk) -> None:
        self.alarms: dict[str, Alarm] = {}
        self.on_ticket: TicketWanted | None = None
        self.on_late: Callable[[], None] | None = None
        """Called when the disk has brought alarms long after the start: the hub may have ended them."""
        self._open: dict[str, Alarm] = {}
        self._shelves: dict[str, Shelf] = {}
        self._not_there: set[str] = set()
        """Causes that were said to be gone while nobody knew of them."""
        self._points = desk.points
        self._names = desk.names
        self._record = desk.record
        self._clock = desk.clock
        self._rules = {rule.key: rule for rule in rules}
        self._by_point: dict[str, list[AlarmRule]] = {}
        for rule in self._rules.values():
            for point in rule.points:
                self._by_point.setdefault(point, []).append(rule)
        self._memories = {key: AlarmMemory() for key in self._rules}
        self._wakes: dict[str, float] = {}
        self._waiting = Alarmclock(desk.timers, self._wait_over)
        self._shelf_end = Alarmclock(desk.timers, self._shelves_over)

    # --- Start

    def start(self) -> None:
        """Remembers what was recorded before; causes whose rule or thing is gone end: nobody could clear them."""
        self._shelves |= self._record.load_state("shelf", Shelf, self._shelves_late)
        for alarm in _in_order(self._record.load_state("alarm", Alarm, self._alarms_late).values()):
            self._put(alarm)
        facts = Facts()
        for alarm in list(self._open.values()):
            if alarm.present and self._rule_is_gone(alarm):
                self._clear(alarm, {}, facts)
        for key in self._rules:
            known = self._open.get(key)
            if known is not None and known.present:
                self._memories[key] = AlarmMemory(active=True)
        if facts:
            self._record.append(facts)
        self._shelves_over()
        for alarm in list(self._open.values()):
            if alarm.present:
                self._want_missing_ticket(alarm)

    # --- Rules

    def points_changed(self, points: Sequence[str], facts: Facts) -> None:
        """These points have another value or quality: looks at every rule that names one of them."""
        rules: dict[str, AlarmRule] = {}
        for point in points:
            for rule in self._by_point.get(point, ()):
                rules[rule.key] = rule
        for rule in rules.values():
            self._look(rule, facts)
        if rules:
            self._arm()

    @property
    def failures(self) -> int:
        """How often a condition failed on good values: a mistake in a rule file."""
        return sum(memory.failures for memory in self._memories.values())

    # --- Causes that the engine sees itself

    def raise_cause(self, cause: Cause, facts: Facts, values: dict[str, Value] | None = None) -> None:
        """The fault is there; nothing if it was there already."""
        known = self._open.get(cause.key)
        if known is not None and known.present:
            return
        now = self._clock.wall_ms()
        self._not_there.discard(cause.key)
        shelf = self._shelves.get(cause.key)
        # A cause that people silenced already has its ticket.
        ticket = str(uuid4()) if cause.title is not None and shelf is None else None
        data = AlarmRaised(
            alarm=str(uuid4()) if known is None else known.id,
            rule=cause.rule,
            severity=cause.severity,
            message=cause.message,
            asset=cause.asset,
            response=cause.response,
            values={} if values is None else values,
        )
        facts.say("alarm.raised", cause.source, data)
        if known is None:
            alarm = episodes.raised(cause, data, now, ticket)
        else:
            alarm = episodes.raised_again(known, cause, data, now, ticket)
        self._change(alarm, facts)
        if shelf is not None:
            self._shelve(alarm, shelf, None, facts)
        elif ticket is not None and self.on_ticket is not None:
            self.on_ticket(alarm)

    def clear_cause(self, key: str, facts: Facts, values: dict[str, Value] | None = None) -> None:
        """The fault is gone; nothing if it was not there."""
        known = self._open.get(key)
        if known is not None and known.present:
            self._clear(known, values or {}, facts)
        elif known is None:
            self._not_there.add(key)

    def present(self, key: str) -> bool:
        """Whether the fault of this cause is there."""
        known = self._open.get(key)
        return known is not None and known.present

    # --- People

    def acknowledge(self, alarm: Alarm, by: Person, note: str, command: str, facts: Facts) -> None:
        """A person has seen it; a second time changes nothing."""
        if state_after(alarm.state, "alarm.acknowledged") != alarm.state:
            said = AlarmAcknowledged(alarm=alarm.id, by=by, note=note, command=command)
            self._say("alarm.acknowledged", alarm, said, facts)

    def shelve(self, alarm: Alarm, by: Person, note: str, *, for_s: float, command: str, facts: Facts) -> bool:
        """A person silences it for `for_s` seconds; shelved already, it is shelved anew. False if it is gone."""
        if alarm.state == "shelved":
            self._unshelve(alarm, by, facts)
            alarm = self.alarms[alarm.id]
        shelf = Shelf(until=self._clock.wall_ms() + round(for_s * 1000), by=by, note=note)
        if state_after(alarm.state, "alarm.shelved") == alarm.state:
            return False
        self._shelves[alarm.cause.key] = shelf
        facts.keep("shelf", alarm.cause.key, shelf)
        self._shelve(alarm, shelf, command, facts)
        self._arm_shelves()
        return True

    def unshelve(self, alarm: Alarm, by: Person, facts: Facts) -> None:
        """A person ends the silence early."""
        if alarm.state == "shelved":
            self._unshelve(alarm, by, facts)
        self._arm_shelves()

    def time_corrected(self, by_ms: int, facts: Facts) -> None:
        """Time went on or back by `by_ms` at once: what is silenced stays so for as long as people were told."""
        for key, shelf in self._shelves.items():
            moved = msgspec.structs.replace(shelf, until=shelf.until + by_ms)
            self._shelves[key] = moved
            facts.keep("shelf", key, moved)
            known = self._open.get(key)
            if known is not None and known.state == "shelved":
                self._shelve(known, moved, None, facts)
        self._arm_shelves()

    def mark_ticketed(self, alarm: Alarm, facts: Facts) -> None:
        """The episode's ticket is being recorded together with this."""
        self._change(msgspec.structs.replace(self.alarms[alarm.id], ticketed=True), facts)

    # --- What the disk brings long after the start

    def _shelves_late(self, found: dict[str, Shelf]) -> None:
        facts = Facts()
        self._shelves |= found
        for key, shelf in found.items():
            known = self._open.get(key)
            if known is not None and known.present and known.state != "shelved":
                self._shelve(known, shelf, None, facts)
        if facts:
            self._record.append(facts)
        self._shelves_over()

    def _alarms_late(self, found: dict[str, Alarm]) -> None:
        """One whose cause has another alarm by now, or is known to be gone, ends; the others go on."""
        facts, since = Facts(), set(self._open)
        self.alarms = {alarm.id: alarm for alarm in _in_order((*found.values(), *self.alarms.values()))}
        for alarm in _in_order(found.values()):
            key = alarm.cause.key
            self._put(alarm)
            if not alarm.present:
                continue
            if key in since or key in self._not_there or self._rule_is_gone(alarm):
                self._clear(alarm, {}, facts)
                continue
            if key in self._rules:
                self._memories[key] = AlarmMemory(active=True)
                self._look(self._rules[key], facts)
            if self.present(key):
                self._want_missing_ticket(alarm)
        self._arm()
        if facts:
            self._record.append(facts)
        self._record.tell([Thing("alarm", id) for id in found])
        if self.on_late is not None:
            self.on_late()

    # --- Inside

    def _look(self, rule: AlarmRule, facts: Facts) -> None:
        memory, effect = step(rule, self._memories[rule.key], self._points.observed, self._clock.monotonic())
        self._memories[rule.key] = memory
        wake = next_wake(rule, memory)
        if wake is None:
            self._wakes.pop(rule.key, None)
        else:
            self._wakes[rule.key] = wake
        if effect is None:
            return
        if isinstance(effect, Raise):
            self.raise_cause(cause_of_rule(rule, effect.values, self._names), facts, effect.values)
        else:
            self.clear_cause(rule.key, facts, effect.values)

    def _arm(self) -> None:
        wake = min(self._wakes.values(), default=None)
        self._waiting.arm(None if wake is None else wake - self._clock.monotonic())

    def _wait_over(self) -> None:
        now = self._clock.monotonic()
        facts = Facts()
        for key in [key for key, wake in self._wakes.items() if wake <= now]:
            self._look(self._rules[key], facts)
        if facts:
            self._record.append(facts)
        self._arm()

    def _clear(self, alarm: Alarm, values: dict[str, Value], facts: Facts) -> None:
        self._say("alarm.cleared", alarm, AlarmCleared(alarm=alarm.id, rule=alarm.cause.rule, values=values), facts)
        if alarm.ticket is not None:
            facts.touch("ticket", alarm.ticket)

    def _shelve(self, alarm: Alarm, shelf: Shelf, command: str | None, facts: Facts) -> None:
        said = AlarmShelved(alarm=alarm.id, by=shelf.by, until=instant(shelf.until), note=shelf.note, command=command)
        self._say("alarm.shelved", alarm, said, facts)

    def _unshelve(self, alarm: Alarm, by: Person | None, facts: Facts) -> None:
        self._shelves.pop(alarm.cause.key, None)
        facts.keep("shelf", alarm.cause.key, None)
        self._say("alarm.unshelved", alarm, AlarmUnshelved(alarm=alarm.id, by=by), facts)

    def _shelves_over(self) -> None:
        now = self._clock.wall_ms()
        facts = Facts()
        for key, shelf in list(self._shelves.items()):
            if shelf.until > now:
                continue
            del self._shelves[key]
            facts.keep("shelf", key, None)
            known = self._open.get(key)
            if known is not None and known.state == "shelved":
                self._unshelve(known, None, facts)
        if facts:
            self._record.append(facts)
        self._arm_shelves()

    def _arm_shelves(self) -> None:
        end = min((shelf.until for shelf in self._shelves.values()), default=None)
        self._shelf_end.arm(None if end is None else (end - self._clock.wall_ms()) / 1000)

    def _want_missing_ticket(self, alarm: Alarm) -> None:
        """The ticket of an episode that a crash let begin without it."""
        if alarm.ticket is not None and not alarm.ticketed and self.on_ticket is not None:
            self.on_ticket(alarm)

    def _say(self, kind: str, alarm: Alarm, said: Change, facts: Facts) -> None:
        """Something happened to a known alarm: as it is said, so it is."""
        facts.say(kind, alarm.cause.source, said)
        self._change(after(alarm, said, self._clock.wall_ms()), facts)

    def _change(self, alarm: Alarm, facts: Facts) -> None:
        self._put(alarm)
        facts.keep("alarm", alarm.id, alarm)
        facts.touch("alarm", alarm.id)
        closed = [known.id for known in self.alarms.values() if known.state == "closed"]
        for oldest in closed[: max(0, len(closed) - CLOSED_LIMIT)]:
            del self.alarms[oldest]
            facts.keep("alarm", oldest, None)

    def _put(self, alarm: Alarm) -> None:
        self.alarms[alarm.id] = alarm
        if alarm.state == "closed":
            if self._open.get(alarm.cause.key, alarm).id == alarm.id:
                self._open.pop(alarm.cause.key, None)
            return
        known = self._open.get(alarm.cause.key, alarm)
        if known.id == alarm.id or known.raised_at <= alarm.raised_at:
            self._open[alarm.cause.key] = alarm

    def _rule_is_gone(self, alarm: Alarm) -> bool:
        # A built-in cause has a dot in its name, a rule's id cannot: it is gone with the door or device it was about.
        if "." in alarm.cause.rule:
            return not self._names.knows(alarm.cause.source)
        return alarm.cause.key not in self._rules


def _in_order(alarms: Iterable[Alarm]) -> list[Alarm]:
    return sorted(alarms, key=lambda alarm: alarm.raised_at)

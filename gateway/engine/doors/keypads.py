"""PINs that somebody tries out at a reader: refused for a while, told as an alarm (`rules.access.attempts`)."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.engine.alarms.alarms import Alarms
from gateway.engine.alarms.causes import built_in, built_in_key
from gateway.engine.desk.desk import Desk
from gateway.engine.desk.record import Facts
from gateway.engine.desk.timers import Alarmclock, Timers
from rules.access.attempts import Guesses, after_wrong


class Keypads:
    """The readers of the site's doors, each counted for itself."""

    def __init__(self, readers: Iterable[str], desk: Desk, alarms: Alarms) -> None:
        self._guesses = {reader: Guesses() for reader in readers}
        self._alarms = alarms
        self._names = desk.names
        self._record = desk.record
        self._clock = desk.clock
        self._calm = {reader: self._alarmclock(reader, desk.timers) for reader in self._guesses}

    def start(self, facts: Facts) -> None:
        """Counts begin anew; what was raised before a restart ends with it."""
        for reader in self._guesses:
            self._alarms.clear_cause(built_in_key("reader.guessing", reader), facts)

    def refuses(self, reader: str) -> bool:
        """Whether no PIN is taken at this reader now, the right one neither."""
        return self._guesses[reader].refused(self._clock.monotonic())

    def wrong(self, reader: str, facts: Facts) -> None:
        """A PIN that is nobody's; one too many is an alarm."""
        now = self._clock.monotonic()
        guesses = self._guesses[reader] = after_wrong(self._guesses[reader], now)
        if guesses.refused(now):
            self._alarms.raise_cause(built_in("reader.guessing", reader, self._names), facts)
            self._calm[reader].arm(guesses.calm_at - now)

    def _alarmclock(self, reader: str, timers: Timers) -> Alarmclock:
        return Alarmclock(timers, lambda: self._over(reader))

    def _over(self, reader: str) -> None:
        facts = Facts()
        self._alarms.clear_cause(built_in_key("reader.guessing", reader), facts)
        if facts:
            self._record.append(facts)

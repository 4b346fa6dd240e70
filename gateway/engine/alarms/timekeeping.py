"""How the clock turns, as the site's history and alarms: doubts, corrections, a machine's clock that is wrong."""

from __future__ import annotations

import asyncio

from contract.facts.gateway import ClockCorrected, ClockDoubted, ClockTrusted
from contract.instants import instant
from gateway.clock import Corrected, Doubted, Measured, Trusted, Turn
from gateway.engine.alarms.alarms import Alarms
from gateway.engine.alarms.causes import built_in, built_in_key
from gateway.engine.desk.desk import Desk
from gateway.engine.desk.record import Facts
from gateway.engine.meters import Meters
from rules.clocks import how_far


class Timekeeping:
    """Records each turn of the clock, and mends what was timed by it."""

    def __init__(self, gateway: str, desk: Desk, alarms: Alarms, *, meters: Meters) -> None:
        self._gateway = gateway
        self._clock = desk.clock
        self._alarms = alarms
        self._meters = meters
        self._names = desk.names
        self._record = desk.record

    def start(self) -> None:
        """Says how the clock stands, and from now on how it turns."""
        self._clock.watch(self._turns)
        facts = Facts()
        if self._clock.doubt is not None:
            self._doubted(self._clock.doubt, facts)
        else:
            self._alarms.clear_cause(built_in_key("clock.doubtful", self._gateway), facts)
        if facts:
            self._record.append(facts)

    def _turns(self, turn: Turn) -> None:
        # It turns in the middle of being read, which may be in the middle of an append.
        asyncio.get_running_loop().call_soon(self._turned, turn)

    def _turned(self, turn: Turn) -> None:
        facts = Facts()
        match turn:
            case Doubted():
                self._doubted(turn, facts)
            case Trusted(wall_ms=wall_ms):
                facts.say("clock.trusted", self._gateway, ClockTrusted(wall=instant(wall_ms)))
                self._alarms.clear_cause(built_in_key("clock.doubtful", self._gateway), facts)
            case Corrected(from_ms=from_ms, to_ms=to_ms):
                corrected = ClockCorrected(since=instant(from_ms), now=instant(to_ms))
                facts.say("clock.corrected", self._gateway, corrected)
                self._alarms.time_corrected(to_ms - from_ms, facts)
            case Measured(error_ms=error_ms, wrong=True):
                cause = built_in("clock.error", self._gateway, self._names, self._gateway, why=how_far(error_ms))
                self._alarms.raise_cause(cause, facts)
            case Measured():
                self._alarms.clear_cause(built_in_key("clock.error", self._gateway), facts)
        facts.touch("gateway", self._gateway)
        self._record.append(facts)
        if isinstance(turn, Corrected):
            self._meters.time_corrected()

    def _doubted(self, doubt: Doubted, facts: Facts) -> None:
        doubted = ClockDoubted(last_known=instant(doubt.last_known_ms), wall=instant(max(0, doubt.wall_ms)))
        facts.say("clock.doubted", self._gateway, doubted)
        self._alarms.raise_cause(built_in("clock.doubtful", self._gateway, self._names), facts)

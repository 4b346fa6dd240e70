"""How far each plate camera's clock is off, and what it sends that is not of now. The rule is `rules.access.freshness`.

One read that is not of now may be a queue's; when it goes on, the camera's clock has to be set, or somebody plays
recorded reads: an alarm says so until none came for a while, or the camera's clock is known again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from contract.texts import Reason
from drivers.reports import ClockTold, PlateRead
from gateway.engine.alarms.alarms import Alarms
from gateway.engine.alarms.causes import built_in, built_in_key
from gateway.engine.desk.desk import Desk
from gateway.engine.desk.record import Facts
from gateway.engine.desk.timers import Alarmclock, Timers
from rules.access.freshness import CameraClock, Freshness, Judgement, judge, of_zone, recalled, shifted, unmeasured
from rules.clocks import how_far, how_long
from rules.reasons import reason

CLOCKS = "camera_clock"
"""Under which each camera's clock is kept."""

GOES_ON = 3
GOES_ON_S = 600.0
"""So many reads of one camera within so long that cannot be of now are an alarm."""

CALM_S = 600.0
"""The alarm ends when none came for so long."""

STEP_MS = 1_000
"""The gateway's own time was corrected if it went on by so much more or less than it took."""

_WHY: dict[Freshness, str] = {"late": "replayed_late", "old": "replayed_old", "ahead": "replayed_ahead"}


class _Kept(msgspec.Struct, frozen=True):
    """What is known of one camera's clock: after a restart nothing recorded is believed that was not before."""

    clock: CameraClock


@dataclass(slots=True)
class _Camera:
    """One camera. `calm`: rings when nothing odd came for long; `odd`: when something did, monotonic seconds."""

    tolerance_ms: int
    calm: Alarmclock
    clock: CameraClock = field(default_factory=CameraClock)
    odd: deque[float] = field(default_factory=lambda: deque(maxlen=GOES_ON))


class Timed(NamedTuple):
    """A read's time. `at`: the instant that its camera gives it, Unix ms; `replayed`: why it is not of now."""

    at: int | None = None
    replayed: Reason | None = None


class Cameras:
    """The plate cameras of the site's lanes. `tolerance_s`: by camera, how late a read may come."""

    def __init__(self, tolerance_s: Mapping[str, float], zone: ZoneInfo, desk: Desk, alarms: Alarms) -> None:
        self.replayed = dict.fromkeys(tolerance_s, 0)
        """Reads of each camera that were not of now, since the start."""
        self._zone = zone
        self._alarms = alarms
        self._names = desk.names
        self._record = desk.record
        self._clock = desk.clock
        self._cameras = {
            camera: _Camera(round(seconds * 1000), self._calm_of(camera, desk.timers))
            for camera, seconds in tolerance_s.items()
        }
        self._ahead_ms = self._ahead()

    def start(self) -> None:
        """Remembers how wrong each clock is; what was raised before a restart ends with it."""
        facts = Facts()
        self._remember(self._record.load_state(CLOCKS, _Kept, self._come_late, merges=True))
        for camera in self._cameras:
            self._alarms.clear_cause(built_in_key("camera.replayed", camera), facts)
        self._ahead_ms = self._ahead()
        if facts:
            self._record.append(facts)

    def _remember(self, found: dict[str, _Kept]) -> None:
        known = self._clock.state == "ok"
        for camera, kept in found.items():
            if camera in self._cameras:
                here = self._cameras[camera]
                here.clock = recalled(here.clock, kept.clock if known else unmeasured(kept.clock))

    def _come_late(self, found: dict[str, _Kept]) -> None:
        self._remember(found)
        facts = Facts()
        for camera in found.keys() & self._cameras.keys():
            self.keep(camera, facts)
        if facts:
            self._record.append(facts)

    def error_ms(self, camera: str) -> int | None:
        """How far its clock is ahead of the gateway's; None if that is not known."""
        return self._cameras[camera].clock.error_ms

    def timed(self, read: PlateRead, *, known: bool, facts: Facts) -> Timed:
        """When a read was, and whether that is now. `known`: it was decided upon before, and measures nothing."""
        at = self._instant(read.seen_at, local=read.local)
        if read.replayed or known:
            why = reason("replayed") if read.replayed else None
        else:
            why = None if at is None else self._judged(read.camera, at, facts)
        self.replayed[read.camera] += why is not None and not known
        return Timed(at, why)

    def told(self, told: ClockTold) -> None:
        """A sign of life with the camera's time."""
        if told.camera not in self._cameras:
            return
        at = self._instant(told.at, local=told.local)
        assert at is not None
        facts = Facts()
        before = self._cameras[told.camera].clock.error_ms
        self._measured(told.camera, at, facts, is_read=False)
        if before is None or abs((self.error_ms(told.camera) or 0) - before) > STEP_MS:
            self.keep(told.camera, facts)
        if facts:
            self._record.append(facts)

    def keep(self, camera: str, facts: Facts) -> None:
        """Adds what is known of the camera's clock to what is recorded."""
        facts.keep(CLOCKS, camera, _Kept(self._cameras[camera].clock))

    # --- Inside

    def _judged(self, camera: str, at: int, facts: Facts) -> Reason | None:
        found = self._measured(camera, at, facts, is_read=True)
        if found.freshness == "fresh":
            return None
        if found.freshness != "late":
            self._odd(camera, -found.off_ms if found.freshness == "old" else found.off_ms, facts)
        return reason(_WHY[found.freshness], by=how_long(found.off_ms))

    def _measured(self, camera: str, at: int, facts: Facts, *, is_read: bool) -> Judgement:
        self._follow_own_time()
        known = self._cameras[camera]
        before, now_ok = known.clock, self._clock.state == "ok"
        found = judge(before, at, self._clock.wall_ms(), known.tolerance_ms, now_ok=now_ok, is_read=is_read)
        known.clock = found.clock
        if found.freshness == "fresh":
            moved_ms = (found.clock.error_ms or 0) - (before.error_ms or 0)
            if abs(moved_ms) > known.tolerance_ms:  # it is known again where its clock stands
                self._over(camera, facts)
        return found

    def _follow_own_time(self) -> None:
        ahead = self._ahead()
        by_ms = ahead - self._ahead_ms
        if abs(by_ms) >= STEP_MS:
            self._ahead_ms = ahead
            for known in self._cameras.values():
                known.clock = shifted(known.clock, by_ms)

    def _ahead(self) -> int:
        """The wall clock less the monotonic one: it changes when the gateway's time is corrected."""
        return self._clock.wall_ms() - round(self._clock.monotonic() * 1000)

    def _instant(self, at: int | None, *, local: bool) -> int | None:
        return of_zone(at, self._zone, self._clock.wall_ms()) if local and at is not None else at

    # --- When it goes on

    def _odd(self, camera: str, off_ms: int, facts: Facts) -> None:
        known, now = self._cameras[camera], self._clock.monotonic()
        known.odd.append(now)
        told = self._alarms.present(built_in_key("camera.replayed", camera))
        if not told and (len(known.odd) < GOES_ON or now - known.odd[0] > GOES_ON_S):
            return
        if not told:
            cause = built_in("camera.replayed", camera, self._names, camera, why=how_far(off_ms))
            self._alarms.raise_cause(cause, facts)
        known.calm.arm(CALM_S)

    def _over(self, camera: str, facts: Facts) -> None:
        known = self._cameras[camera]
        known.odd.clear()
        known.calm.arm(None)
        self._alarms.clear_cause(built_in_key("camera.replayed", camera), facts)

    def _calm_of(self, camera: str, timers: Timers) -> Alarmclock:
        return Alarmclock(timers, lambda: self._calmed(camera))

    def _calmed(self, camera: str) -> None:
        facts = Facts()
        self._over(camera, facts)
        if facts:
            self._record.append(facts)

"""Whether what a camera says is of now: judged by the camera's own clock, whose error is measured from what it sends.

A read that was queued, or recorded by a stranger and sent once more, carries the time at which it was taken. Few
cameras' clocks are right, so a stamp is compared with the camera's measured error: the greatest lead of its stamps over
their receipt (delays only make it smaller), which sinks no faster than a quartz clock runs wrong, however many old
reads come. A stamp is of now if it agrees

- with the measured error, within the lane's tolerance;
- or with the gateway's own time, if the clock was behind: one that is put forward to the right time is believed at
  once, because nothing that was recorded or queued leads it;
- or, of a camera that was never measured, with the gateway's time within `FIRST_MS`.

Anything else moves nothing. A camera whose clock was set otherwise is believed again with the last of `AGREEING`
stamps in succession that agree among themselves to `AGREE_MS` and took `AGREE_OVER_MS` to come; one that agrees with
what was measured before ends the trial. What lies before the last that the camera told, while its clock was about
right, is believed in that way only if it is right: there lies what was recorded, also before this gateway ever heard
the camera. Otherwise such a camera has to be set right, or its clock to pass what it told. A clock that lost the time
stands long before anything was recorded here, and is believed. Pure; times are Unix ms, those of cameras by their own
clocks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

FIRST_MS: Final = 600_000
"""How wrong a camera's clock may be that was never measured, for its first read to be of now."""

AGREEING: Final = 3
AGREE_MS: Final = 5_000
AGREE_OVER_MS: Final = 30_000
"""Reads that show where a camera's clock stands now: so many, so alike, over so long."""

DRIFT: Final = 0.001
"""How fast a measured error may sink: a quartz clock is off by 0.0001 at the worst."""

ABOUT_RIGHT_MS: Final = 86_400_000
"""A clock that is less wrong than this tells the time; one that is more wrong has lost it (1970, 2000)."""

LOST_BEFORE_MS: Final = 1_704_067_200_000
"""Clocks that lost the time stand in 1970 or 2000; nothing that was recorded of a site of ours is older than 2024."""

Freshness = Literal["fresh", "late", "old", "ahead"]
"""`late`: not of now, but newer than all that its camera told: queued. `old`, `ahead`: of a time that cannot be."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Stamps in succession that agree among themselves: their lead, when the first came, the last stamp, how many."""

    lead_ms: int
    since_ms: int
    stamp_ms: int
    count: int = 1


@dataclass(frozen=True, slots=True)
class CameraClock:
    """What is known of a camera's clock. `error_ms`: how far it is ahead (behind: negative), None until measured.

    `measured_ms`: when it was measured last. `told_ms`: the last read that it stamped while it was about right, by its
    own clock. `trial`: what may become another error.
    """

    error_ms: int | None = None
    measured_ms: int = 0
    told_ms: int | None = None
    trial: Trial | None = None


class Judgement(NamedTuple):
    """Whether a stamp is of now, by how much it is off if it is not, and what is known of the clock after it."""

    freshness: Freshness
    off_ms: int
    clock: CameraClock


def judge(
    clock: CameraClock,
    stamp_ms: int,
    now_ms: int,
    tolerance_ms: int,
    *,
    now_ok: bool = True,
    is_read: bool = True,
) -> Judgement:
    """Whether what came at `now_ms` with this stamp is of now. `now_ok`: the gateway's own time can be trusted.

    `is_read` False: a sign of life with a time, which only tells where the clock stands.
    """
    lead = stamp_ms - now_ms
    if _agrees(clock, stamp_ms, lead, tolerance_ms, now_ok=now_ok):
        return Judgement("fresh", 0, _followed(clock, stamp_ms, now_ms, tolerance_ms, is_read=is_read))
    trial = _tried(clock.trial, stamp_ms, lead, now_ms)
    if _settles(trial, now_ms) and not _may_be_recorded(clock, stamp_ms, now_ms, tolerance_ms, now_ok=now_ok):
        unknown = replace(clock, error_ms=None)
        return Judgement("fresh", 0, _followed(unknown, stamp_ms, now_ms, tolerance_ms, is_read=is_read))
    off = lead - (clock.error_ms or 0)
    return Judgement(_what(clock, stamp_ms, off), abs(off), replace(clock, trial=trial))


def shifted(clock: CameraClock, by_ms: int) -> CameraClock:
    """The same when the gateway's own time was moved on by `by_ms`: all cameras are ahead by so much less."""
    trial = clock.trial
    return replace(
        clock,
        error_ms=None if clock.error_ms is None else clock.error_ms - by_ms,
        measured_ms=clock.measured_ms + by_ms,
        trial=None if trial is None else replace(trial, lead_ms=trial.lead_ms - by_ms, since_ms=trial.since_ms + by_ms),
    )


def unmeasured(clock: CameraClock) -> CameraClock:
    """What remains when the gateway does not know how late it is: what was told, not how wrong the clock is."""
    return replace(clock, error_ms=None, trial=None)


def recalled(clock: CameraClock, kept: CameraClock) -> CameraClock:
    """What is known when a disk brings late what was `kept`: what was measured meanwhile, and the last of all told."""
    if clock.error_ms is None:
        clock = replace(kept, told_ms=clock.told_ms)
    told = [at for at in (clock.told_ms, kept.told_ms) if at is not None]
    return replace(clock, told_ms=max(told, default=None))


def of_zone(local_ms: int, zone: ZoneInfo, now_ms: int) -> int:
    """The instant of a time that a camera told without its zone: that of the site, of two the one nearer to now.

    `local_ms`: the date and time as if they were UTC.
    """
    wall = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=local_ms)).replace(tzinfo=None)
    found = [round(wall.replace(tzinfo=zone, fold=fold).timestamp() * 1000) for fold in (0, 1)]
    return min(found, key=lambda at: abs(at - now_ms))


def _agrees(clock: CameraClock, stamp_ms: int, lead: int, tolerance_ms: int, *, now_ok: bool) -> bool:
    error = clock.error_ms
    if error is not None and abs(lead - error) <= tolerance_ms:
        return True
    if not now_ok:
        return False
    if error is not None:
        return lead > error and abs(lead) <= tolerance_ms
    return abs(lead) <= max(FIRST_MS, tolerance_ms) and (clock.told_ms is None or stamp_ms > clock.told_ms)


def _followed(clock: CameraClock, stamp_ms: int, now_ms: int, tolerance_ms: int, *, is_read: bool) -> CameraClock:
    """The clock after a stamp that was believed."""
    lead, error = stamp_ms - now_ms, clock.error_ms
    if error is None or lead > error or abs(lead - error) > tolerance_ms:
        error = lead
    else:
        error -= min(error - lead, round(max(0, now_ms - clock.measured_ms) * DRIFT))
    last = clock.told_ms
    if is_read and abs(error) <= ABOUT_RIGHT_MS:
        last = stamp_ms if last is None else max(last, stamp_ms)
    return CameraClock(error, now_ms, last)


def _tried(trial: Trial | None, stamp_ms: int, lead: int, now_ms: int) -> Trial:
    if trial is None or abs(lead - trial.lead_ms) > AGREE_MS or now_ms < trial.since_ms:
        return Trial(lead, now_ms, stamp_ms)
    if stamp_ms <= trial.stamp_ms:  # the same once more says nothing
        return trial
    return replace(trial, stamp_ms=stamp_ms, count=trial.count + 1)


def _settles(trial: Trial, now_ms: int) -> bool:
    return trial.count >= AGREEING and now_ms - trial.since_ms >= AGREE_OVER_MS


def _may_be_recorded(clock: CameraClock, stamp_ms: int, now_ms: int, tolerance_ms: int, *, now_ok: bool) -> bool:
    """Whether stamps that agree among themselves may be of reads that somebody recorded and plays as they came."""
    lead, last = stamp_ms - now_ms, clock.told_ms
    if stamp_ms < LOST_BEFORE_MS:
        return False
    if last is None:
        return now_ok and lead < -ABOUT_RIGHT_MS
    # A clock that was ahead has told what is still to come: put right by hand, it need not be so to the second.
    near = max(FIRST_MS, tolerance_ms) if last > now_ms + FIRST_MS else tolerance_ms
    return stamp_ms <= last and not (now_ok and abs(lead) <= near)


def _what(clock: CameraClock, stamp_ms: int, off: int) -> Freshness:
    if off > 0:
        return "ahead"
    return "late" if clock.told_ms is not None and stamp_ms > clock.told_ms else "old"

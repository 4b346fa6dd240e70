"""In which mode a door stands, since when, by whom and until when. Pure."""

from __future__ import annotations

import msgspec

from contract.commands import Person
from contract.instants import Instant, instant
from rules.passage.doors import Mode


class DoorSaved(msgspec.Struct, frozen=True):
    """What of a door outlives a restart. `since`, `until`: Unix ms; `for_s`: how long it was meant to last."""

    mode: Mode = "normal"
    since: int | None = None
    until: int | None = None
    for_s: float | None = None
    by: Person | None = None


def mode_asked(mode: Mode, by: Person, now_ms: int, for_s: float | None) -> DoorSaved:
    """A mode that somebody has just asked for. None: until somebody ends it."""
    until = None if for_s is None or mode == "normal" else now_ms + round(for_s * 1000)
    return DoorSaved(mode, now_ms, until, None if until is None else for_s, by)


def mode_left_s(saved: DoorSaved, now_ms: int) -> float | None:
    """Seconds until the mode ends by itself, None: it does not.

    After a restart with a clock that was never set it lasts as long as it was meant to, and no longer.
    """
    if saved.until is None:
        return None
    left = max(0.0, (saved.until - now_ms) / 1000)
    return left if saved.for_s is None else min(left, saved.for_s)


def mode_term(saved: DoorSaved) -> tuple[Instant | None, Instant | None, str | None]:
    """Since when, until when and by whose name a door is in another mode than the normal one."""
    if saved.mode == "normal":
        return None, None, None
    since = None if saved.since is None else instant(saved.since)
    return since, None if saved.until is None else instant(saved.until), None if saved.by is None else saved.by.name

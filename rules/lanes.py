"""What a plate read meets at a lane: granted, denied, or ignored because it is no arrival.

A read is ignored if the camera stored it while it was cut off (`replayed`), or if it is the same arrival again
(`repeated`: the same `plate_id`, or the same plate within `repeat_s`). A confident read after a doubtful one of the
same plate is no repeat: the camera has looked again and is sure now.

Entry: the block list, then the plate's own grants. A plate that is unknown, or whose holder has no grant for this
lane, meets the lane's rule for visitors. A plate whose limits are set and not met (revoked, expired, outside its
hours) is refused. Exit: nobody is kept inside by hours or grants; what is blocked, revoked or lost waits for the guard.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from contract.kinds import Direction
from contract.texts import Reason
from rules.access import Decision, OnClockDoubt, Request, decide
from rules.access_index import AccessIndex
from rules.reasons import reason
from rules.values import normal_plate

Visitors = Literal["admit", "ask", "refuse"]
Outcome = Literal["granted", "denied", "ignored"]

RECENT_LIMIT = 32
"""Reads that a lane remembers at the most."""

PLATE_ID_MS = 600_000
"""For how long a `plate_id` names one read; cameras count from the start again after a reboot."""

_VISITORS: dict[Visitors, tuple[bool, str]] = {
    "admit": (True, "visitor_admitted"),
    "ask": (False, "visitor_ask"),
    "refuse": (False, "visitor_refused"),
}
_HELD_AT_EXIT = frozenset({"blocked_plate", "revoked", "lost", "holder_unknown", "mode_locked"})


@dataclass(frozen=True, slots=True)
class LanePolicy:
    """What the site file says of a lane. `repeat_s`, `confidence` as there."""

    lane: str
    direction: Direction
    visitors: Visitors = "ask"
    confidence: float = 0.8
    repeat_s: float = 10.0
    on_clock_doubt: OnClockDoubt = "grant"


@dataclass(frozen=True, slots=True)
class PlateSight:
    """One read of a camera; `confidence` 0..1."""

    plate: str
    plate_id: str = ""
    confidence: float = 1.0
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class RecentRead:
    """A read that this lane has decided upon. `settled`: it was confident. `at_ms` as the lane's `now_ms`."""

    plate: str
    plate_id: str
    at_ms: int
    settled: bool


@dataclass(frozen=True, slots=True)
class LaneDecision:
    """What was decided, by which rule of which revision, and why. `plate` is normalised; "" if there was none."""

    outcome: Outcome
    plate: str
    holder: str | None
    rule: str
    revision: int
    reason: Reason

    @property
    def granted(self) -> bool:
        """Whether the barrier may lift."""
        return self.outcome == "granted"


def decide_plate(
    index: AccessIndex,
    policy: LanePolicy,
    sight: PlateSight,
    recent: Sequence[RecentRead],
    now_ms: int,
    *,
    clock_ok: bool = True,
) -> LaneDecision:
    """What `sight` meets at `now_ms` (Unix). `recent`: the lane's last reads (`remembered`)."""
    plate = normal_plate(sight.plate)
    confident = bool(plate) and sight.confidence >= policy.confidence

    def said(outcome: Outcome, rule: str, why: Reason, holder: str | None = None) -> LaneDecision:
        return LaneDecision(outcome, plate, holder, rule, index.revision, why)

    if sight.replayed:
        return said("ignored", "replayed", reason("replayed"))
    if any(_same_arrival(read, policy, plate, sight.plate_id, now_ms, confident=confident) for read in recent):
        return said("ignored", "repeated", reason("repeated"))
    if not plate:
        return said("denied", "no-plate", reason("no_plate"))
    if not confident:
        return said(
            "denied", "low-confidence", reason("low_confidence", percent=math.floor(round(sight.confidence * 100, 3)))
        )
    request = Request(
        policy.lane,
        "plate",
        plate,
        direction=policy.direction,
        clock_ok=clock_ok,
        on_clock_doubt=policy.on_clock_doubt,
        place_kind="lane",
    )
    granted, rule, why, holder = _weighed(policy, decide(index, request, now_ms))
    return said("granted" if granted else "denied", rule, why, holder)


def remembered(
    recent: Sequence[RecentRead], policy: LanePolicy, sight: PlateSight, decision: LaneDecision, now_ms: int
) -> tuple[RecentRead, ...]:
    """The lane's reads to keep after `decision`; an ignored read does not prolong the arrival that it repeats."""
    horizon = now_ms - max(PLATE_ID_MS, int(policy.repeat_s * 1000))
    kept = tuple(read for read in recent if horizon < read.at_ms <= now_ms)
    if decision.outcome != "ignored":
        settled = decision.rule not in {"no-plate", "low-confidence"}
        kept += (RecentRead(decision.plate, sight.plate_id, now_ms, settled),)
    return kept[-RECENT_LIMIT:]


def _same_arrival(
    read: RecentRead, policy: LanePolicy, plate: str, plate_id: str, now_ms: int, *, confident: bool
) -> bool:
    age_ms = now_ms - read.at_ms
    if age_ms < 0:  # time was corrected since: how long ago it was is not known
        return False
    if plate_id and read.plate_id == plate_id and age_ms < PLATE_ID_MS:
        return True
    return read.plate == plate and age_ms < policy.repeat_s * 1000 and (read.settled or not confident)


def _weighed(policy: LanePolicy, decision: Decision) -> tuple[bool, str, Reason, str | None]:
    """The lane's own say about what the plate's grants said: (granted, rule, why, holder)."""
    if decision.granted:
        return True, decision.rule, decision.reason, decision.holder
    code = decision.reason.code
    if policy.direction == "out" and decision.holder is not None and code not in _HELD_AT_EXIT:
        return True, "exit", reason("exit_registered"), decision.holder
    if code in {"unknown_plate", "no_grant"}:
        granted, word = _VISITORS[policy.visitors]
        if granted and policy.direction == "out":
            word = "exit_visitor"
        return granted, "visitor", reason(word), decision.holder
    return False, decision.rule, decision.reason, decision.holder

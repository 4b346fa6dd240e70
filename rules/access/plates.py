"""What a plate read meets at a lane: granted, denied, or ignored because it is no arrival.

A read is ignored if it is not of now (`replayed`: stored by the camera while it was cut off, or stamped so by
`rules.access.freshness`), or if it is the same arrival again (`repeated`: the same `plate_id`, or the same plate within
`repeat_s`). A confident read after a doubtful one of the same plate is no repeat: the camera has looked again and is
sure now. Reads are remembered by time. Memory is bounded, and what was denied never pushes out what was granted:
whoever can make a camera say nonsense cannot make the gateway forget whom it let in.

Entry: the block list, then the plate's own grants. A plate that is unknown, or whose holder has no grant for this
lane, meets the lane's rule for visitors. A plate whose limits are set and not met (revoked, expired, outside its
hours) is refused. Exit: nobody is kept inside by hours or grants; what is blocked, revoked or lost waits for the guard.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from contract.facts.entry import Direction
from contract.texts import Reason
from rules.access.decision import Decision, OnClockDoubt, Request, decide
from rules.access.index import AccessIndex
from rules.access.values import normal_plate
from rules.reasons import reason

Visitors = Literal["admit", "ask", "refuse"]
Outcome = Literal["granted", "denied", "ignored"]

GRANTED_LIMIT = 512
"""Granted reads that a lane remembers at the most: more cars than can drive through while they are remembered."""

OTHERS_LIMIT = 64
"""Other reads that it remembers at the most, beside those."""

PLATE_ID_MS = 600_000
"""For how long a `plate_id` names one read; cameras count from the start again after a reboot."""

UNSTAMPED_MS = 86_400_000
"""For how long it names the read of one plate, where a camera gives no time: nothing else says that it is old."""

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
    """One read of a camera; `confidence` 0..1. `replayed`: why it is not of now. `stamped`: it says when it was."""

    plate: str
    plate_id: str = ""
    confidence: float = 1.0
    replayed: Reason | None = None
    stamped: bool = False


@dataclass(frozen=True, slots=True)
class RecentRead:
    """A read that this lane has decided upon. `settled`: it was confident. `at_ms` as the lane's `now_ms`.

    `granted`, `stamped`: what was decided, and whether it said when it was (gateways of before did not keep it).
    """

    plate: str
    plate_id: str
    at_ms: int
    settled: bool
    granted: bool = False
    stamped: bool = True


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

    if is_known(sight, recent, now_ms):
        return said("ignored", "repeated", reason("repeated"))
    if sight.replayed is not None:
        return said("ignored", "replayed", sight.replayed)
    if any(_same_arrival(read, policy, plate, now_ms, confident=confident) for read in recent):
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
    kept = [read for read in recent if 0 <= now_ms - read.at_ms < _kept_ms(read, policy)]
    if decision.outcome != "ignored":
        settled = decision.rule not in {"no-plate", "low-confidence"}
        kept.append(
            RecentRead(decision.plate, sight.plate_id, now_ms, settled, granted=decision.granted, stamped=sight.stamped)
        )
    granted = [read for read in kept if read.granted][-GRANTED_LIMIT:]
    others = [read for read in kept if not read.granted][-OTHERS_LIMIT:]
    return tuple(sorted(granted + others, key=lambda read: read.at_ms))


def is_known(sight: PlateSight, recent: Sequence[RecentRead], now_ms: int) -> bool:
    """Whether this very read was decided upon: its camera, or somebody else, has sent it again."""
    return bool(sight.plate_id) and any(
        read.plate_id == sight.plate_id and 0 <= now_ms - read.at_ms < _named_ms(read, normal_plate(sight.plate))
        for read in recent
    )


def _named_ms(read: RecentRead, plate: str) -> int:
    """For how long its id names a read; time that was corrected since says nothing of how long ago it was."""
    return UNSTAMPED_MS if read.granted and not read.stamped and read.plate == plate else PLATE_ID_MS


def _kept_ms(read: RecentRead, policy: LanePolicy) -> int:
    named = _named_ms(read, read.plate) if read.plate_id else 0
    return max(named, int(policy.repeat_s * 1000))


def _same_arrival(read: RecentRead, policy: LanePolicy, plate: str, now_ms: int, *, confident: bool) -> bool:
    age_ms = now_ms - read.at_ms
    if age_ms < 0:  # time was corrected since: how long ago it was is not known
        return False
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

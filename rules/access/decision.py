"""Who may pass where and when. A decision looks at one holder's things only.

Order of the questions: is the place locked down · is the value blocked · whose is it · is it revoked or lost · are
credential and holder in their time · is there a grant for the place or one of its zones, in its time, in its hours.
A door in `unlocked` mode grants whatever was not refused for the credential's or holder's own sake. A door's reader on
the way out locks nobody in: what has ended, or does not hold at this hour, still leaves where it could once enter.

While the clock is in doubt it is never ahead of the truth (time goes on from the journal's last instant). So what has
expired by it has expired, what has begun has begun; everything else that time limits follows the place's own policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from contract.desired import Block, CredentialKind
from contract.facts.entry import Direction
from contract.texts import Reason
from rules.access.index import FOREVER, AccessIndex, HeldCredential, HeldGrant, Term, key_of
from rules.access.schedules import ALWAYS
from rules.reasons import NOUNS, PLACES, reason

DoorMode = Literal["normal", "unlocked", "locked"]
OnClockDoubt = Literal["grant", "deny"]
PlaceKind = Literal["door", "lane"]

_LAST_MS = 253_370_000_000_000
_BEST_FIRST = ("outside_hours", "clock_doubt", "grant_not_yet", "grant_expired", "schedule_unknown")
"""When several grants fail: which failure tells the holder most."""


_LEAVES = {
    "outside_hours": "exit_out_of_hours",
    "clock_doubt": "exit_out_of_hours",
    "schedule_unknown": "exit_out_of_hours",
    "grant_expired": "exit_ended",
    "expired": "exit_ended",
    "holder_expired": "exit_ended",
}
"""Failures with which whoever has or had a grant for a door may still go out by it, and what is said then.

Time keeps people out, never in. What a person did to a credential (blocked, revoked, lost) is no matter of time.
"""


@dataclass(frozen=True, slots=True)
class Request:
    """A credential presented at a place. `kind`, `value`: the credential's; `mode`: the door's."""

    place: str
    kind: CredentialKind
    value: str
    direction: Direction = "in"
    mode: DoorMode = "normal"
    clock_ok: bool = True
    on_clock_doubt: OnClockDoubt = "grant"
    place_kind: PlaceKind = "door"


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, by which rule (`contract.kinds.Access.rule`) of which revision, and why."""

    granted: bool
    holder: str | None
    rule: str
    revision: int
    reason: Reason


def decide(index: AccessIndex, request: Request, now_ms: int) -> Decision:
    """Whether `request` is granted at `now_ms` (Unix), and why."""
    key = key_of(request.kind, request.value)
    found = index.credentials.get(key, ())
    if request.mode == "locked":
        return _refusal(index, found, "mode:locked", reason("mode_locked"))
    blocks = index.blocks.get(key)
    if blocks is not None:
        return _refusal(index, found, f"block:{blocks[0].id}", _blocked(blocks[0]))
    if not found:
        if request.mode == "unlocked":
            return Decision(True, None, "mode:unlocked", index.revision, reason("mode_unlocked"))
        return Decision(False, None, "unknown", index.revision, reason(f"unknown_{request.kind}"))
    decisions = [_of_credential(index, request, credential, now_ms) for credential in found]
    return next((decision for decision in decisions if decision.granted), decisions[0])


def _of_credential(index: AccessIndex, request: Request, credential: HeldCredential, now_ms: int) -> Decision:
    own = _own_fault(index, request, credential, now_ms)
    if own is not None:
        rule, why = own
        had = _had_grant(index, request, credential, now_ms) if _goes_out(request, why) else None
        if had is not None:
            return Decision(True, credential.holder, had.id, index.revision, reason(_LEAVES[why.code]))
        return Decision(False, credential.holder, rule, index.revision, why)
    rule, granted, why = _by_grants(index, request, credential, now_ms)
    if not granted and request.mode == "unlocked":
        rule, granted, why = "mode:unlocked", True, reason("mode_unlocked")
    return Decision(granted, credential.holder, rule, index.revision, why)


def _own_fault(
    index: AccessIndex, request: Request, credential: HeldCredential, now_ms: int
) -> tuple[str, Reason] | None:
    """What is wrong with the credential or its holder, wherever it is presented: (rule, why)."""
    noun = NOUNS[request.kind]
    rule = f"credential:{credential.id}"
    if credential.state != "active":
        return rule, reason(credential.state, noun=noun)
    fault = _term_fault(index, request, credential.term, now_ms)
    if fault is not None:
        code, at = fault
        return rule, reason({"early": "not_yet_valid", "late": "expired"}.get(code, code), noun=noun, at=at)
    term = index.holder_term(credential.holder)
    if term is None:
        return rule, reason("holder_unknown", noun=noun)
    fault = _term_fault(index, request, term, now_ms)
    if fault is not None:
        code, at = fault
        return (
            f"holder:{credential.holder}",
            reason({"early": "holder_not_yet", "late": "holder_expired"}.get(code, code), at=at),
        )
    return None


def _by_grants(
    index: AccessIndex, request: Request, credential: HeldCredential, now_ms: int
) -> tuple[str, bool, Reason]:
    failures: dict[str, tuple[str, Reason]] = {}
    for grant in _grants_here(index, request, credential):
        granted, why = _by_grant(index, request, grant, now_ms)
        if granted:
            return grant.id, True, why
        failures.setdefault(why.code, (grant.id, why))
    for code in _BEST_FIRST:
        if code in failures and _goes_out(request, failures[code][1]):
            return failures[code][0], True, reason(_LEAVES[code])
    for code in _BEST_FIRST:
        if code in failures:
            rule, why = failures[code]
            return rule, False, why
    return "no-grant", False, reason("no_grant", place=PLACES[request.place_kind])


def _grants_here(index: AccessIndex, request: Request, credential: HeldCredential) -> list[HeldGrant]:
    """The holder's grants for the place, then those for its zones."""
    theirs = index.grants.get(credential.holder, ())
    places = (request.place, *index.zones.get(request.place, ()))
    return [grant for place in places for grant in theirs if place in grant.right.places]


def _goes_out(request: Request, why: Reason) -> bool:
    return request.direction == "out" and request.place_kind == "door" and why.code in _LEAVES


def _had_grant(index: AccessIndex, request: Request, credential: HeldCredential, now_ms: int) -> HeldGrant | None:
    """A grant for the place that has begun: with it the holder could once enter."""
    begun = (each for each in _grants_here(index, request, credential) if now_ms >= each.right.term.start)
    return next((each for each in begun if each.right.term.end > each.right.term.start), None)


def _by_grant(index: AccessIndex, request: Request, grant: HeldGrant, now_ms: int) -> tuple[bool, Reason]:
    fault = _term_fault(index, request, grant.right.term, now_ms)
    if fault is not None:
        code, at = fault
        return False, reason({"early": "grant_not_yet", "late": "grant_expired"}.get(code, code), at=at)
    doubted = not request.clock_ok and (grant.right.term.limited or grant.right.schedule != ALWAYS)
    if grant.right.schedule == ALWAYS:
        return True, reason("granted_clock_doubt" if doubted else "granted")
    hours = index.hours.get(grant.right.schedule)
    if hours is None:
        return False, reason("schedule_unknown", schedule=grant.right.schedule)
    if doubted:
        granted = request.on_clock_doubt == "grant"
        return granted, reason("granted_clock_doubt" if granted else "clock_doubt")
    local = index.local(now_ms)
    if hours.hold(local):
        return True, reason("granted_hours", hours=hours.describe(local.date()))
    return False, reason("outside_hours", hours=hours.describe(local.date()))


def _term_fault(
    index: AccessIndex, request: Request, term: Term, now_ms: int
) -> tuple[Literal["early", "late", "clock_doubt"], str] | None:
    """Why `term` does not hold: (what, the site's wall time of the limit)."""
    if now_ms >= term.end:
        return "late", _wall(index, term.end)
    if request.clock_ok:
        return ("early", _wall(index, term.start)) if now_ms < term.start else None
    open_question = now_ms < term.start or term.end < FOREVER
    return ("clock_doubt", "") if open_question and request.on_clock_doubt == "deny" else None


def _wall(index: AccessIndex, at_ms: int) -> str:
    # Clamped: the calendar ends at 9999, and "for ever" is often written as its last day.
    return index.local(min(max(at_ms, 0), _LAST_MS)).strftime("%Y-%m-%d %H:%M")


def _refusal(index: AccessIndex, found: tuple[HeldCredential, ...], rule: str, why: Reason) -> Decision:
    return Decision(False, found[0].holder if found else None, rule, index.revision, why)


def _blocked(block: Block) -> Reason:
    if block.kind == "plate":
        return reason("blocked_plate", why=block.reason)
    return reason("blocked", why=block.reason, noun=NOUNS[block.kind])

"""Who may pass where and when. The index is built once per revision; a decision looks at one holder's things only.

Order of the questions: is the place locked down · is the value blocked · whose is it · is it revoked or lost · are
credential and holder in their time · is there a grant for the place or one of its zones, in its time, in its hours.
A door in `unlocked` mode grants whatever was not refused for the credential's or holder's own sake.

While the clock is in doubt it is never ahead of the truth (time goes on from the journal's last instant). So what has
expired by it has expired, what has begun has begun; everything else that time limits follows the place's own policy.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from contract.desired import Block, Credential, CredentialKind, Grant, Holder, Schedule
from contract.instants import milliseconds
from contract.kinds import Direction
from contract.texts import Reason
from rules.reasons import NOUNS, PLACES, reason
from rules.schedules import ALWAYS, Hours
from rules.values import normal_value

DoorMode = Literal["normal", "unlocked", "locked"]
OnClockDoubt = Literal["grant", "deny"]
PlaceKind = Literal["door", "lane"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FOREVER = 1 << 62
_LAST_MS = 253_370_000_000_000
_BEST_FIRST = ("outside_hours", "clock_doubt", "grant_not_yet", "grant_expired", "schedule_unknown")
"""When several grants fail: which failure tells the holder most."""


_LEAVES = frozenset({"outside_hours", "clock_doubt", "grant_expired"})
"""Failures with which the holder of a grant may still go out."""


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


@dataclass(frozen=True, slots=True)
class _Term:
    """A validity window in Unix milliseconds, end exclusive."""

    start: int
    end: int

    @property
    def limited(self) -> bool:
        return self.start > -_FOREVER or self.end < _FOREVER


@dataclass(frozen=True, slots=True)
class _Held:
    """A grant prepared for asking."""

    id: str
    term: _Term
    schedule: str


@dataclass(frozen=True, slots=True)
class AccessIndex:
    """Everything that access decisions need, by value and by holder. Immutable; `of` builds one per revision.

    `mistakes` names items whose instants cannot be read; such an item is never valid.
    """

    revision: int
    zone: ZoneInfo
    blocks: Mapping[tuple[CredentialKind, str], Block]
    credentials: Mapping[tuple[CredentialKind, str], tuple[Credential, ...]]
    holders: Mapping[str, Holder]
    hours: Mapping[str, Hours]
    grants: Mapping[str, Mapping[str, tuple[_Held, ...]]]
    zones: Mapping[str, tuple[str, ...]]
    terms: Mapping[tuple[str, str], _Term]
    mistakes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        items: Iterable[msgspec.Struct],
        *,
        zones: Mapping[str, Sequence[str]],
        timezone: str,
        revision: int = 0,
    ) -> AccessIndex:
        """Sorts `items` (desired state; kinds without a say here are passed over). `zones`: place id → its zones."""
        sorter = _Sorter()
        for item in items:
            sorter.add(item)
        return cls(
            revision=revision,
            zone=ZoneInfo(timezone),
            blocks=sorter.blocks,
            # A value that was issued again stands under several credentials; those in force speak first.
            credentials={
                key: tuple(sorted(found, key=lambda each: (each.state != "active", each.id)))
                for key, found in sorter.credentials.items()
            },
            holders=sorter.holders,
            hours=sorter.hours,
            grants={
                holder: {place: tuple(grants) for place, grants in by_place.items()}
                for holder, by_place in sorter.grants.items()
            },
            zones={place: tuple(names) for place, names in zones.items()},
            terms=sorter.terms,
            mistakes=tuple(sorter.mistakes),
        )

    def local(self, now_ms: int) -> datetime:
        """The site's wall time at `now_ms`."""
        return (_EPOCH + timedelta(milliseconds=now_ms)).astimezone(self.zone)


def decide(index: AccessIndex, request: Request, now_ms: int) -> Decision:
    """Whether `request` is granted at `now_ms` (Unix), and why."""
    value = normal_value(request.kind, request.value)
    found = index.credentials.get((request.kind, value), ())
    if request.mode == "locked":
        return _refusal(index, found, "mode:locked", reason("mode_locked"))
    block = index.blocks.get((request.kind, value))
    if block is not None:
        return _refusal(index, found, f"block:{block.id}", _blocked(block))
    if not found:
        if request.mode == "unlocked":
            return Decision(True, None, "mode:unlocked", index.revision, reason("mode_unlocked"))
        return Decision(False, None, "unknown", index.revision, reason(f"unknown_{request.kind}"))
    decisions = [_of_credential(index, request, credential, now_ms) for credential in found]
    return next((decision for decision in decisions if decision.granted), decisions[0])


def _of_credential(index: AccessIndex, request: Request, credential: Credential, now_ms: int) -> Decision:
    own = _own_fault(index, request, credential, now_ms)
    if own is not None:
        return Decision(False, credential.holder, own[0], index.revision, own[1])
    rule, granted, why = _by_grants(index, request, credential, now_ms)
    if not granted and request.mode == "unlocked":
        rule, granted, why = "mode:unlocked", True, reason("mode_unlocked")
    return Decision(granted, credential.holder, rule, index.revision, why)


def _own_fault(index: AccessIndex, request: Request, credential: Credential, now_ms: int) -> tuple[str, Reason] | None:
    """What is wrong with the credential or its holder, wherever it is presented: (rule, why)."""
    noun = NOUNS[request.kind]
    rule = f"credential:{credential.id}"
    if credential.state != "active":
        return rule, reason(credential.state, noun=noun)
    fault = _term_fault(index, request, index.terms[("credential", credential.id)], now_ms)
    if fault is not None:
        code, at = fault
        return rule, reason({"early": "not_yet_valid", "late": "expired"}.get(code, code), noun=noun, at=at)
    if credential.holder not in index.holders:
        return rule, reason("holder_unknown", noun=noun)
    fault = _term_fault(index, request, index.terms[("holder", credential.holder)], now_ms)
    if fault is not None:
        code, at = fault
        return (
            f"holder:{credential.holder}",
            reason({"early": "holder_not_yet", "late": "holder_expired"}.get(code, code), at=at),
        )
    return None


def _by_grants(index: AccessIndex, request: Request, credential: Credential, now_ms: int) -> tuple[str, bool, Reason]:
    by_place = index.grants.get(credential.holder, {})
    failures: dict[str, tuple[str, Reason]] = {}
    for place in (request.place, *index.zones.get(request.place, ())):
        for grant in by_place.get(place, ()):
            granted, why = _by_grant(index, request, grant, now_ms)
            if granted:
                return grant.id, True, why
            failures.setdefault(why.code, (grant.id, why))
    for code in _BEST_FIRST:
        if code in failures:
            rule, why = failures[code]
            if request.direction == "out" and request.place_kind == "door" and code in _LEAVES:
                # Hours keep people out, never in: who may be behind this door at times may leave it at any time.
                return rule, True, reason("exit_out_of_hours")
            return rule, False, why
    return "no-grant", False, reason("no_grant", place=PLACES[request.place_kind])


def _by_grant(index: AccessIndex, request: Request, grant: _Held, now_ms: int) -> tuple[bool, Reason]:
    fault = _term_fault(index, request, grant.term, now_ms)
    if fault is not None:
        code, at = fault
        return False, reason({"early": "grant_not_yet", "late": "grant_expired"}.get(code, code), at=at)
    doubted = not request.clock_ok and (grant.term.limited or grant.schedule != ALWAYS)
    if grant.schedule == ALWAYS:
        return True, reason("granted_clock_doubt" if doubted else "granted")
    hours = index.hours.get(grant.schedule)
    if hours is None:
        return False, reason("schedule_unknown", schedule=grant.schedule)
    if doubted:
        granted = request.on_clock_doubt == "grant"
        return granted, reason("granted_clock_doubt" if granted else "clock_doubt")
    local = index.local(now_ms)
    if hours.hold(local):
        return True, reason("granted_hours", hours=hours.describe(local.date()))
    return False, reason("outside_hours", hours=hours.describe(local.date()))


def _term_fault(
    index: AccessIndex, request: Request, term: _Term, now_ms: int
) -> tuple[Literal["early", "late", "clock_doubt"], str] | None:
    """Why `term` does not hold: (what, the site's wall time of the limit)."""
    if now_ms >= term.end:
        return "late", _wall(index, term.end)
    if request.clock_ok:
        return ("early", _wall(index, term.start)) if now_ms < term.start else None
    open_question = now_ms < term.start or term.end < _FOREVER
    return ("clock_doubt", "") if open_question and request.on_clock_doubt == "deny" else None


def _wall(index: AccessIndex, at_ms: int) -> str:
    # Clamped: the calendar ends at 9999, and "for ever" is often written as its last day.
    return index.local(min(max(at_ms, 0), _LAST_MS)).strftime("%Y-%m-%d %H:%M")


def _refusal(index: AccessIndex, found: tuple[Credential, ...], rule: str, why: Reason) -> Decision:
    return Decision(False, found[0].holder if found else None, rule, index.revision, why)


def _blocked(block: Block) -> Reason:
    if block.kind == "plate":
        return reason("blocked_plate", why=block.reason)
    return reason("blocked", why=block.reason, noun=NOUNS[block.kind])


@dataclass(slots=True)
class _Sorter:
    """Collects items into the index's maps."""

    blocks: dict[tuple[CredentialKind, str], Block] = field(default_factory=dict)
    credentials: defaultdict[tuple[CredentialKind, str], list[Credential]] = field(
        default_factory=lambda: defaultdict(list)
    )
    holders: dict[str, Holder] = field(default_factory=dict)
    hours: dict[str, Hours] = field(default_factory=dict)
    grants: defaultdict[str, defaultdict[str, list[_Held]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    terms: dict[tuple[str, str], _Term] = field(default_factory=dict)
    mistakes: list[str] = field(default_factory=list)

    def add(self, item: msgspec.Struct) -> None:
        match item:
            case Block():
                self.blocks[item.kind, normal_value(item.kind, item.value)] = item
            case Credential():
                self.credentials[item.kind, normal_value(item.kind, item.value)].append(item)
                self.terms["credential", item.id] = self._term("credential", item)
            case Holder():
                self.holders[item.id] = item
                self.terms["holder", item.id] = self._term("holder", item)
            case Schedule():
                self.hours[item.id] = Hours.of(item)
            case Grant():
                held = _Held(item.id, self._term("grant", item), item.schedule)
                for place in dict.fromkeys(item.places):
                    self.grants[item.holder][place].append(held)
            case _:
                pass

    def _term(self, kind: str, item: Credential | Holder | Grant) -> _Term:
        try:
            start = -_FOREVER if item.valid_from is None else milliseconds(item.valid_from)
            end = _FOREVER if item.valid_to is None else milliseconds(item.valid_to)
        except ValueError as error:
            self.mistakes.append(f"{kind} {item.id}: {error}")
            return _Term(-_FOREVER, -_FOREVER)
        return _Term(start, end)

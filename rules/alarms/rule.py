"""Alarms: when a rule raises and clears one (`step`), and what people make of it after that (`ALARM_STATES`).

Rising and falling never mix: the machine alternates Raise and Clear, so that one cause has one episode at a time.
A condition that is unknown (what it needs is missing, stale or bad, or the expression fails) neither raises nor clears
and starts both waits again: `for_s` counts uninterrupted knowledge. Times are monotonic seconds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from contract.facts.alarms import Severity
from contract.readings import Value
from contract.texts import Text

if TYPE_CHECKING:
    from rules.alarms.conditions import Condition, Observed

AlarmState = Literal["active", "acknowledged", "cleared", "shelved", "closed"]

ALARM_STATES: dict[tuple[AlarmState, str], AlarmState] = {
    ("active", "alarm.acknowledged"): "acknowledged",
    ("active", "alarm.cleared"): "cleared",
    ("active", "alarm.shelved"): "shelved",
    ("acknowledged", "alarm.cleared"): "closed",
    ("acknowledged", "alarm.shelved"): "shelved",
    # Gone, but nobody has seen it; coming back it is the same alarm again, not a second one.
    ("cleared", "alarm.acknowledged"): "closed",
    ("cleared", "alarm.raised"): "active",
    # Whoever shelved it has seen it. At the end of the shelf time it asks for attention anew.
    ("shelved", "alarm.cleared"): "closed",
    ("shelved", "alarm.unshelved"): "active",
}
"""(state, kind of event) → state, after ISA-18.2. What is not here changes nothing; `closed` is the end."""

SHELVE_LIMIT_S = 8 * 3600
"""Nobody silences an alarm for longer than a shift at a time."""

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def state_after(state: AlarmState, kind: str) -> AlarmState:
    """The state of an alarm after an event of `kind`."""
    return ALARM_STATES.get((state, kind), state)


@dataclass(frozen=True, slots=True)
class TicketTemplate:
    """A fault that asks for work. The title may hold placeholders."""

    title: Text


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """One rule at one device. `key` names the cause in the whole site: `<rule>@<device>`.

    `when` raises after `for_s` seconds; `clear_when` (None: not `when`) clears after `clear_for_s`.
    The texts hold placeholders: `{name}`, `{place}` of the device, in `message` also points; `shown` are those points.
    """

    id: str
    device: str
    when: Condition
    severity: Severity
    message: Text
    response: Text | None = None
    for_s: float = 0.0
    clear_when: Condition | None = None
    clear_for_s: float = 0.0
    ticket: TicketTemplate | None = None
    shown: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The cause, unique in the site."""
        return f"{self.id}@{self.device}"

    @property
    def points(self) -> tuple[str, ...]:
        """Every `device.point` that the rule looks at or shows."""
        return tuple(dict.fromkeys((*self.decisive, *self.shown)))

    @property
    def decisive(self) -> tuple[str, ...]:
        """Every `device.point` in its conditions."""
        clear = self.clear_when.points if self.clear_when is not None else ()
        return tuple(dict.fromkeys((*self.when.points, *clear)))


@dataclass(frozen=True, slots=True)
class AlarmMemory:
    """What a rule remembers. `rising_since`, `falling_since`: monotonic seconds; they do not survive a restart.

    `failures`: how often the expression failed although every point was good.
    """

    active: bool = False
    rising_since: float | None = None
    falling_since: float | None = None
    unknown: bool = False
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Raise:
    """An episode begins; `values` are the points that the rule looked at."""

    rule: AlarmRule
    values: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Clear:
    """The episode ends."""

    rule: AlarmRule
    values: dict[str, Value]


def step(
    rule: AlarmRule, memory: AlarmMemory, observed: Mapping[str, Observed], now: float
) -> tuple[AlarmMemory, Raise | Clear | None]:
    """The memory after looking at `observed` (`device.point` → value and quality), and what begins or ends."""
    answer = _answer(rule, memory.active, observed)
    if answer is None:
        failed = all(_known(observed.get(point)) for point in rule.decisive)
        memory = replace(memory, rising_since=None, falling_since=None, unknown=True)
        return (replace(memory, failures=memory.failures + 1) if failed else memory), None
    memory = replace(memory, unknown=False)
    if memory.active:
        return _falling(rule, memory, observed, now, clear=answer)
    return _rising(rule, memory, observed, now, holds=answer)


def next_wake(rule: AlarmRule, memory: AlarmMemory) -> float | None:
    """When time alone will raise or clear, in monotonic seconds; None: only new values can."""
    if memory.active:
        return None if memory.falling_since is None else memory.falling_since + rule.clear_for_s
    return None if memory.rising_since is None else memory.rising_since + rule.for_s


def fill(text: Text, words: Mapping[str, Text | str]) -> Text:
    """`text` with its `{words}` filled in; a word that is not known stays as it is written."""

    def zh(match: re.Match[str]) -> str:
        word = words.get(match[1], match[0])
        return word.zh if isinstance(word, Text) else word

    def en(match: re.Match[str]) -> str:
        word = words.get(match[1], match[0])
        return word.en if isinstance(word, Text) else word

    return Text(_PLACEHOLDER.sub(zh, text.zh), _PLACEHOLDER.sub(en, text.en))


def placeholders(text: Text) -> tuple[str, ...]:
    """The words that `text` wants filled in, of both languages."""
    return tuple(dict.fromkeys((*_PLACEHOLDER.findall(text.zh), *_PLACEHOLDER.findall(text.en))))


def _answer(rule: AlarmRule, active: bool, observed: Mapping[str, Observed]) -> bool | None:
    if not active:
        return rule.when.answer(observed)
    if rule.clear_when is not None:
        return rule.clear_when.answer(observed)
    holds = rule.when.answer(observed)
    return None if holds is None else not holds


def _known(seen: Observed | None) -> bool:
    return seen is not None and seen.known


def _rising(
    rule: AlarmRule, memory: AlarmMemory, observed: Mapping[str, Observed], now: float, *, holds: bool
) -> tuple[AlarmMemory, Raise | None]:
    if not holds:
        return replace(memory, rising_since=None), None
    since = now if memory.rising_since is None else memory.rising_since
    if now < since + rule.for_s:
        return replace(memory, rising_since=since), None
    raised = Raise(rule, _values(rule, observed))
    return replace(memory, active=True, rising_since=None, falling_since=None), raised


def _falling(
    rule: AlarmRule, memory: AlarmMemory, observed: Mapping[str, Observed], now: float, *, clear: bool
) -> tuple[AlarmMemory, Clear | None]:
    if not clear:
        return replace(memory, falling_since=None), None
    since = now if memory.falling_since is None else memory.falling_since
    if now < since + rule.clear_for_s:
        return replace(memory, falling_since=since), None
    return replace(memory, active=False, rising_since=None, falling_since=None), Clear(rule, _values(rule, observed))


def _values(rule: AlarmRule, observed: Mapping[str, Observed]) -> dict[str, Value]:
    return {
        point: seen.value if seen.known else None for point in rule.points if (seen := observed.get(point)) is not None
    }

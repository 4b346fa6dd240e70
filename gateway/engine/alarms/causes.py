"""The words of an alarm: a rule's or a built-in cause's texts, with names and values of the moment filled in. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from contract.facts.alarms import Severity
from contract.readings import Value
from contract.texts import Text
from gateway.engine.desk.layout import NOWHERE, Names
from rules.alarms.causes import BUILT_IN, BuiltInCause
from rules.alarms.conditions import identifier
from rules.alarms.episode import Cause
from rules.alarms.rule import AlarmRule, fill


def cause_of_rule(rule: AlarmRule, values: Mapping[str, Value], names: Names) -> Cause:
    """What a rule's alarm is about, at the moment when it begins."""
    words = _words(rule.device, names)
    for point in rule.points:
        device, _, name = point.partition(".")
        text = names.value(point, values.get(point))
        words[f"{identifier(device)}.{name}"] = text
        if device == rule.device:
            words[name] = text
    return Cause(
        rule=rule.id,
        source=rule.device,
        asset=rule.device,
        severity=rule.severity,
        message=fill(rule.message, words),
        response=None if rule.response is None else fill(rule.response, words),
        title=None if rule.ticket is None else fill(rule.ticket.title, words),
        place=names.place(rule.device).zh,
    )


def built_in(
    cause: BuiltInCause,
    source: str,
    names: Names,
    asset: str | None = None,
    *,
    why: Text = NOWHERE,
    place: Text | None = None,
    ticketed: bool = True,
    severity: Severity | None = None,
) -> Cause:
    """What a built-in alarm is about. `asset`: the thing to be maintained, if it is not `source` itself.

    `why`: what that thing answered. `place`: where to look, if it is not where `source` is. `severity`: if it is not
    the cause's own here. `ticketed` False: another alarm's ticket is already about the same fault.
    """
    texts = BUILT_IN[cause]
    words = _words(source, names)
    if asset is not None:
        words |= {"device": names.name(asset), "why": why}
    if place is not None:
        words["place"] = place
    return Cause(
        rule=cause,
        source=source,
        asset=source if asset is None else asset,
        severity=texts.severity if severity is None else severity,
        message=fill(texts.message, words),
        response=fill(texts.response, words),
        title=None if texts.ticket is None or not ticketed else fill(texts.ticket, words),
        place=names.place(source).zh,
    )


def built_in_key(cause: BuiltInCause, source: str) -> str:
    """The key of a built-in cause at `source`."""
    return f"{cause}@{source}"


def _words(id: str, names: Names) -> dict[str, Text | str]:
    return {"name": names.name(id), "place": names.place(id)}

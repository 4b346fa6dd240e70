"""The rule file: which conditions of machines are alarms. The shape; what its names mean is `config.check_rules`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from config.site import Id, Name, Part
from contract.facts.alarms import Severity

Duration = Annotated[float, Field(ge=0, le=86_400)]


class TicketPart(Part):
    """The maintenance ticket that an episode of the alarm raises."""

    title: Name
    """What is wanted. May hold `{name}` and `{place}`."""


class RulePart(Part):
    """One alarm. It stands for itself at every device that `device`, `devices` or `profile` name."""

    device: Id | None = None
    """The one device that the rule watches."""

    devices: list[Id] = Field(default_factory=list)
    """Several devices, each watched for itself."""

    profile: str | None = None
    """Every device of this profile, each watched for itself."""

    when: Annotated[str, Field(min_length=1, max_length=1000)]
    """The condition in CEL over points: `flow < 2.0 && rotating`; of another device `pump_1.flow`.

    Numbers are doubles: sums need `1.0`, not `1`.
    """

    for_s: Duration = 0.0
    """Seconds for which the condition must hold without a break before the alarm rises."""

    clear_when: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    """The condition that clears the alarm (hysteresis); without it, as soon as `when` holds no longer."""

    clear_for_s: Duration = 0.0
    """Seconds for which the clearing condition must hold."""

    severity: Severity
    """critical: people in danger, act at once · major: act in minutes · minor: act in this shift · warning: know it."""

    message: Name
    """What the guard reads. May hold `{name}`, `{place}` and points: `{flow}`, `{pump_1.flow}`."""

    response: Name | None = None
    """What to do, step by step. May hold `{name}` and `{place}`."""

    ticket: TicketPart | None = None
    """Raise a maintenance ticket with the alarm."""


class RuleFile(Part):
    """A file of alarm rules."""

    rules: dict[Id, RulePart]
    """The rules by id; ids are unique among all rule files of a site."""

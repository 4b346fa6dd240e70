"""Commands: who may ask for what, and whether a command may still be carried out."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Literal

from contract.commands import Command, CommandKind, Subject
from contract.desired import Role
from contract.instants import milliseconds
from contract.texts import Reason
from rules.alarms.rule import ALARM_STATES, SHELVE_LIMIT_S, AlarmState
from rules.reasons import reason

Verdict = Literal["go", "repeated", "expired", "refused"]

COMMAND_ROLES: dict[CommandKind, frozenset[Role]] = {
    "door.unlock": frozenset({"guard", "installer", "manager", "admin"}),
    "door.mode": frozenset({"guard", "manager", "admin"}),
    "barrier.open": frozenset({"guard", "installer", "manager", "admin"}),
    "barrier.close": frozenset({"guard", "installer", "manager", "admin"}),
    "alarm.ack": frozenset({"guard", "maintenance", "installer", "manager", "admin"}),
    "alarm.shelve": frozenset({"maintenance", "installer", "manager", "admin"}),
    "alarm.unshelve": frozenset({"maintenance", "installer", "manager", "admin"}),
    "point.write": frozenset({"maintenance", "installer", "admin"}),
    "reader.set_key": frozenset({"installer", "admin"}),
    "hit.acknowledge": frozenset({"guard", "installer", "manager", "admin"}),
}
"""Which roles may ask for what, at the hub and at the gateway alike."""

_ALARM_EVENTS: dict[CommandKind, str] = {
    "alarm.ack": "alarm.acknowledged",
    "alarm.shelve": "alarm.shelved",
    "alarm.unshelve": "alarm.unshelved",
}
"""What becomes of an alarm by a command."""

DOOR_COMMANDS: tuple[CommandKind, ...] = ("door.unlock", "door.mode")
"""The commands that a door takes, however it stands."""

MODE_LIMIT_S = 7 * 86_400
"""A mode with an end ends within a week; what shall last longer is ended by somebody."""

DOOR_MODES = ("normal", "unlocked", "locked")

AHEAD_MS = 60_000
"""A command from this far in the future shows that the clocks disagree: its expiry would come too late."""

LIFE_MS = 15 * 60_000
"""No command lives longer: what was wanted a quarter of an hour ago has to be asked for again."""


@dataclass(frozen=True, slots=True)
class CommandAdmission:
    """Whether to carry a command out. `reason` says why not."""

    verdict: Verdict
    reason: Reason | None = None


def may_ask(role: str, kind: str) -> bool:
    """Whether a person of `role` may ask for a command of `kind`; unknown kinds and roles may not."""
    return any(kind == known and role in roles for known, roles in COMMAND_ROLES.items())


def lane_commands(can_close: bool) -> list[CommandKind]:
    """The commands that a lane's barrier takes."""
    return ["barrier.open", "barrier.close"] if can_close else ["barrier.open"]


def alarm_commands(state: AlarmState) -> list[CommandKind]:
    """The commands that mean anything to an alarm in that state."""
    return [kind for kind, event in _ALARM_EVENTS.items() if (state, event) in ALARM_STATES]


def admissible(command: Command, executed: Container[str], now_ms: int, *, clock_ok: bool = True) -> CommandAdmission:
    """Whether `command` may be carried out at `now_ms` (Unix). `executed`: ids that were carried out before.

    `clock_ok`: whether `now_ms` can be compared with the asker's clock; for one asked at this very gateway it can.
    """
    if command.id in executed:
        return CommandAdmission("repeated", reason("command_repeated"))
    try:
        issued, expires = milliseconds(command.issued_at), milliseconds(command.expires_at)
    except ValueError:
        return CommandAdmission("refused", reason("command_times"))
    if now_ms >= min(expires, issued + LIFE_MS):
        return CommandAdmission("expired", reason("command_expired"))
    if expires <= issued:
        return CommandAdmission("refused", reason("command_times"))
    if not clock_ok:
        return CommandAdmission("refused", reason("command_clock"))
    if issued - now_ms > AHEAD_MS:
        return CommandAdmission("refused", reason("command_ahead", seconds=AHEAD_MS // 1000))
    if not may_ask(command.by.role, command.kind):
        return CommandAdmission("refused", reason("command_role"))
    fault = args_fault(command.kind, command.args) or subject_fault(command.kind, command.subject)
    return CommandAdmission("go") if fault is None else CommandAdmission("refused", fault)


def subject_fault(kind: str, subject: Subject | None) -> Reason | None:
    """What is wrong with the entry that a command of `kind` is about, or None."""
    return reason("subject_missing") if kind == "hit.acknowledge" and subject is None else None


def args_fault(kind: str, args: dict[str, str | int | float | bool | None]) -> Reason | None:
    """What is wrong with the arguments of a command of `kind`, or None."""
    match kind:
        case "door.mode":
            if args.get("mode") not in DOOR_MODES:
                return reason("command_args", what=f"mode = {' | '.join(DOOR_MODES)}")
            for_s = args.get("for_s")
            if for_s is not None and (
                isinstance(for_s, bool | str) or args["mode"] == "normal" or not 60 <= for_s <= MODE_LIMIT_S
            ):
                return reason("command_args", what=f"for_s = 60…{MODE_LIMIT_S}, not with mode = normal")
        case "alarm.shelve":
            for_s = args.get("for_s")
            if isinstance(for_s, bool) or not isinstance(for_s, int | float) or not 60 <= for_s <= SHELVE_LIMIT_S:
                return reason("command_args", what=f"for_s = 60…{SHELVE_LIMIT_S}")
        case "barrier.open":
            if not isinstance(args.get("despite", ""), str):
                return reason("command_args", what="despite")
        case "point.write":
            if args.get("value") is None:
                return reason("command_args", what="value")
        case _:
            pass
    return None

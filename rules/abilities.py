"""What a person of a role may do at a server, in the words that routes ask by and that the console draws by.

Commands follow `rules.commands`, what is shown `contract.rights`; what none of
them knows has its roles here. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from contract.desired import Role
from contract.rights import SIGHTS
from rules.commands import COMMAND_ROLES
from rules.tickets.steps import ANSWERING

Ability = Literal[
    "watch",
    "open",
    "door.mode",
    "alarms.ack",
    "alarms.shelve",
    "tickets.read",
    "tickets.create",
    "tickets.comment",
    "tickets.work",
    "tickets.reopen",
    "tickets.answer",
    "points.read",
    "points.write",
    "meters.read",
    "meters.record",
    "devices.read",
    "readers.key",
    "wires.watch",
    "people.read",
    "people.write",
    "sites.read",
    "posts.write",
    "company.write",
    "accounts.write",
    "accounts.lock",
    "seal.renew",
    "changes.read",
    "changes.accounts",
    "jobs.run",
]

Server = Literal["hub", "gateway"]

_EVERYBODY = frozenset(SIGHTS)
_KEEPERS: frozenset[Role] = frozenset({"manager", "admin"})

ABILITY_ROLES: Mapping[Ability, frozenset[Role]] = {
    "watch": frozenset(role for role, sights in SIGHTS.items() if "passing" in sights),
    "open": COMMAND_ROLES["barrier.open"] & COMMAND_ROLES["barrier.close"] & COMMAND_ROLES["door.unlock"],
    "door.mode": COMMAND_ROLES["door.mode"],
    "alarms.ack": COMMAND_ROLES["alarm.ack"],
    "alarms.shelve": COMMAND_ROLES["alarm.shelve"] & COMMAND_ROLES["alarm.unshelve"],
    "tickets.read": _EVERYBODY,
    "tickets.create": _EVERYBODY,
    "tickets.comment": _EVERYBODY,
    "tickets.work": _EVERYBODY - {"guard"},
    "tickets.reopen": frozenset({"maintenance", "manager", "admin"}),
    "tickets.answer": ANSWERING,
    "points.read": _EVERYBODY,
    "points.write": COMMAND_ROLES["point.write"],
    "meters.read": _EVERYBODY,
    "meters.record": _EVERYBODY - {"guard"},
    "devices.read": _EVERYBODY,
    "readers.key": COMMAND_ROLES["reader.set_key"],
    "wires.watch": _EVERYBODY - {"guard"},
    "people.read": frozenset({"guard", "installer", "manager", "admin"}),
    "people.write": _KEEPERS,
    # The page that compares sites; what stands in it, each of its own, everybody may read.
    "sites.read": _KEEPERS,
    "posts.write": _KEEPERS,
    "company.write": frozenset({"admin"}),
    "accounts.write": _KEEPERS,
    # The night guard is whom the colleague with the stolen phone can reach.
    "accounts.lock": frozenset({"guard", "manager", "admin"}),
    "seal.renew": _KEEPERS,
    "changes.read": _KEEPERS,
    "changes.accounts": frozenset({"admin"}),
    "jobs.run": frozenset({"admin"}),
}
"""Ability → who has it."""

COMPANY_WIDE: frozenset[Ability] = frozenset({"company.write", "jobs.run"})
"""What is of no site: for whom every site is theirs."""

_HUB_ALONE: frozenset[Ability] = frozenset(
    {
        "tickets.create",
        "tickets.comment",
        "tickets.work",
        "tickets.reopen",
        "tickets.answer",
        "meters.read",
        "people.read",
        "people.write",
        "sites.read",
        "posts.write",
        "company.write",
        "accounts.write",
        "changes.read",
        "changes.accounts",
        "jobs.run",
    }
)
"""What a gateway does not keep: people, accounts, other sites, and what happens to a ticket after it was raised."""

_GATEWAY_ALONE: frozenset[Ability] = frozenset({"wires.watch", "meters.record", "accounts.lock", "seal.renew"})


def able(role: str, ability: Ability, *, sees_all: bool) -> bool:
    """Whether a person of that role may do it, at a server that has it. `sees_all`: whether every site is theirs."""
    return role in ABILITY_ROLES[ability] and (sees_all or ability not in COMPANY_WIDE)


def abilities(role: str, server: Server, *, sees_all: bool) -> list[Ability]:
    """All that a person of that role may do at that server."""
    elsewhere = _HUB_ALONE if server == "gateway" else _GATEWAY_ALONE
    return [name for name in ABILITY_ROLES if name not in elsewhere and able(role, name, sees_all=sees_all)]

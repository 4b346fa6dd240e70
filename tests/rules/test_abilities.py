"""Abilities: who has which, and that they say what the rules themselves say."""

from __future__ import annotations

from typing import get_args

import pytest

from contract.desired import Role
from rules.abilities import ABILITY_ROLES, Ability, Server, abilities, able

EVERYBODY = "guard maintenance installer manager admin"

TABLE: dict[Ability, str] = {
    "watch": "guard installer manager admin",
    "open": "guard installer manager admin",
    "door.mode": "guard manager admin",
    "alarms.ack": EVERYBODY,
    "alarms.shelve": "maintenance installer manager admin",
    "tickets.read": EVERYBODY,
    "tickets.create": EVERYBODY,
    "tickets.comment": EVERYBODY,
    "tickets.work": "maintenance installer manager admin",
    "tickets.reopen": "maintenance manager admin",
    "tickets.answer": "manager admin",
    "points.read": EVERYBODY,
    "points.write": "maintenance installer admin",
    "meters.read": EVERYBODY,
    "devices.read": EVERYBODY,
    "readers.key": "installer admin",
    "people.read": "guard installer manager admin",
    "people.write": "manager admin",
    "sites.read": "manager admin",
    "company.write": "admin",
    "accounts.write": "manager admin",
    "accounts.lock": "guard manager admin",
    "seal.renew": "manager admin",
    "changes.read": "manager admin",
    "changes.accounts": "admin",
    "jobs.run": "admin",
}


COMPANY = {"company.write", "jobs.run"}


def test_the_tables_name_every_ability() -> None:
    assert list(ABILITY_ROLES) == list(get_args(Ability)) == list(TABLE)


@pytest.mark.parametrize("ability", TABLE)
def test_who_has_it(ability: Ability) -> None:
    assert {role for role in get_args(Role) if able(role, ability, sees_all=True)} == set(TABLE[ability].split())
    of_some_sites = {role for role in get_args(Role) if able(role, ability, sees_all=False)}
    assert of_some_sites == (set() if ability in COMPANY else set(TABLE[ability].split()))
    assert not able("stranger", ability, sees_all=True)


@pytest.mark.parametrize(
    ("role", "server", "has", "has_not"),
    [
        ("manager", "hub", "people.write sites.read meters.read tickets.answer", "accounts.lock seal.renew"),
        ("manager", "gateway", "open alarms.shelve seal.renew accounts.lock", "people.write sites.read tickets.work"),
        (
            "guard",
            "gateway",
            "watch open door.mode accounts.lock tickets.read",
            "seal.renew tickets.create people.read",
        ),
        ("maintenance", "hub", "tickets.work points.write", "watch open people.read accounts.write"),
        ("stranger", "hub", "", " ".join(TABLE)),
    ],
)
def test_what_somebody_may_do_at_a_server(role: str, server: Server, has: str, has_not: str) -> None:
    found = set(abilities(role, server, sees_all=True))
    assert set(has.split()) <= found
    assert found.isdisjoint(has_not.split())
    assert set(abilities(role, server, sees_all=False)) == found - COMPANY

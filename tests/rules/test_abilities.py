"""Abilities: who has which, and that they say what the rules themselves say."""

from __future__ import annotations

import ast
from pathlib import Path
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
    "meters.record": "maintenance installer manager admin",
    "devices.read": EVERYBODY,
    "readers.key": "installer admin",
    "wires.watch": "maintenance installer manager admin",
    "people.read": "guard installer manager admin",
    "people.write": "manager admin",
    "sites.read": "manager admin",
    "posts.write": "manager admin",
    "company.write": "admin",
    "accounts.write": "manager admin",
    "accounts.lock": "guard manager admin",
    "seal.renew": "manager admin",
    "changes.read": "manager admin",
    "changes.accounts": "admin",
    "jobs.run": "admin",
}


COMPANY = {"company.write", "jobs.run"}


ROOT = Path(__file__).parents[2]
WHO_ASKS = {"user", "by", "viewer", "person"}


def test_who_may_do_what_stands_in_the_rules_alone() -> None:
    """A role by its word, where it is asked what somebody may do: `user.role == "guard"`, `Allowed("admin")`."""
    files = [file for package in ("gateway", "hub", "web") for file in (ROOT / package).rglob("*.py")]
    outside = [
        file for file in files if ROOT / "web" / "session" not in file.parents and "node_modules" not in file.parts
    ]
    assert len(outside) > 200
    found = [f"{file.relative_to(ROOT)}:{line}" for file in outside for line in roles_by_word(file.read_text())]
    assert found == []


def roles_by_word(text: str) -> list[int]:
    """The lines where somebody who asks is allowed or refused something by the word of their role."""
    words = set(get_args(Role))
    found: list[int] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Compare):
            parts = [node.left, *node.comparators]
            asks = any(
                isinstance(part, ast.Attribute)
                and part.attr == "role"
                and isinstance(part.value, ast.Name)
                and part.value.id in WHO_ASKS
                for part in parts
            )
            said = {each.value for part in parts for each in ast.walk(part) if isinstance(each, ast.Constant)}
            if asks and said & words:
                found.append(node.lineno)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Allowed":
            found.append(node.lineno)
    return found


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('if user.role == "guard":\n    pass', [1]),
        ('\nok = by.role not in {"manager", "admin"}', [2]),
        ('Keeper = Annotated[User, Depends(Allowed("admin"))]', [1]),
        ('if able(user.role, "jobs.run") or row.role == "admin":\n    pass', []),
        ("if user.role not in rules.ANSWERING:\n    pass", []),
    ],
)
def test_a_role_by_its_word_is_found(text: str, lines: list[int]) -> None:
    assert roles_by_word(text) == lines


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
        ("manager", "hub", "people.write sites.read posts.write tickets.answer", "accounts.lock meters.record"),
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

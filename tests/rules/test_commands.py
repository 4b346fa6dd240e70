"""Commands: once, never late, by those who may."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.commands import COMMAND_KINDS, Command, Person
from contract.desired import Role
from contract.instants import instant
from rules.commands import AHEAD_MS, COMMAND_ROLES, LIFE_MS, admissible, args_fault, may_ask

NOW = 1_780_000_000_000
ID = "00000000-0000-4000-8000-000000000001"


def command(issued: int = NOW, expires: int = NOW + 30_000, **fields: Any) -> Command:
    return Command(
        **{
            "id": ID,
            "kind": "barrier.open",
            "target": "gate-in",
            "by": Person(id="u-1", name="保安", role="guard"),
            "reason": "送货车",
            "issued_at": instant(issued),
            "expires_at": instant(expires),
            **fields,
        }
    )


GUARD = Person(id="u-1", name="x", role="guard")
CASES = [
    ("in time", command(), NOW, set[str](), True, "go"),
    ("the last moment", command(), NOW + 29_999, set[str](), True, "go"),
    ("at its expiry", command(), NOW + 30_000, set[str](), True, "expired"),
    ("carried out before", command(), NOW, {ID}, True, "repeated"),
    ("carried out before and expired", command(), NOW + 60_000, {ID}, True, "repeated"),
    ("a command that lives too long", command(expires=NOW + 86_400_000), NOW + LIFE_MS, set[str](), True, "expired"),
    ("expires before it was issued", command(expires=NOW - 1), NOW - 10, set[str](), True, "refused"),
    (
        "from the future",
        command(issued=NOW + AHEAD_MS + 1, expires=NOW + AHEAD_MS * 2),
        NOW,
        set[str](),
        True,
        "refused",
    ),
    (
        "a clock that is a little late",
        command(issued=NOW + AHEAD_MS, expires=NOW + AHEAD_MS * 2),
        NOW,
        set[str](),
        True,
        "go",
    ),
    ("the clock is in doubt", command(), NOW, set[str](), False, "refused"),
    ("expired by a clock in doubt", command(), NOW + 30_000, set[str](), False, "expired"),
    ("a role that may not", command(kind="point.write", args={"value": 1}, by=GUARD), NOW, set[str](), True, "refused"),
    ("a role that nobody has", command(by=Person(id="u", name="x", role="root")), NOW, set[str](), True, "refused"),
    ("without its argument", command(kind="door.mode"), NOW, set[str](), True, "refused"),
    ("an instant of no calendar", command(expires_at="2026-02-31T00:00:00.000Z"), NOW, set[str](), True, "refused"),
]


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_a_case(case: tuple[str, Command, int, set[str], bool, str]) -> None:
    _, command, now, executed, clock_ok, verdict = case
    found = admissible(command, executed, now, clock_ok=clock_ok)
    assert found.verdict == verdict
    assert (found.reason is None) == (verdict == "go")


@pytest.mark.parametrize(
    ("kind", "args", "fits"),
    [
        ("door.mode", {"mode": "locked"}, True),
        ("door.mode", {"mode": "open"}, False),
        ("door.mode", {"mode": "unlocked", "for_s": 3600}, True),
        ("door.mode", {"mode": "unlocked", "for_s": None}, True),
        ("door.mode", {"mode": "unlocked", "for_s": 5}, False),
        ("door.mode", {"mode": "unlocked", "for_s": 30 * 86_400}, False),
        ("door.mode", {"mode": "unlocked", "for_s": "3600"}, False),
        ("door.mode", {"mode": "normal", "for_s": 3600}, False),
        ("alarm.shelve", {"for_s": 3600}, True),
        ("alarm.shelve", {"for_s": 10}, False),
        ("alarm.shelve", {"for_s": 30 * 86_400}, False),
        ("alarm.shelve", {"for_s": True}, False),
        ("alarm.shelve", {"for_s": "600"}, False),
        ("alarm.shelve", {}, False),
        ("point.write", {"value": False}, True),
        ("point.write", {}, False),
        ("barrier.open", {}, True),
    ],
)
def test_arguments(kind: str, args: dict[str, Any], fits: bool) -> None:
    assert (args_fault(kind, args) is None) is fits


def test_every_kind_has_its_roles_and_the_guard_his_gates() -> None:
    assert set(COMMAND_ROLES) == set(COMMAND_KINDS)
    assert all(roles <= set(get_args(Role)) for roles in COMMAND_ROLES.values())
    assert {kind for kind in COMMAND_KINDS if may_ask("guard", kind)} == {
        "door.unlock",
        "door.mode",
        "barrier.open",
        "barrier.close",
        "alarm.ack",
        "hit.acknowledge",
    }
    assert not may_ask("guard", "gateway.erase")


@given(st.integers(-(10**8), 10**8), st.integers(-(10**8), 10**8), st.integers(-(10**8), 10**8), st.booleans())
def test_never_after_its_expiry(issued: int, expires: int, now: int, clock_ok: bool) -> None:
    found = admissible(command(NOW + issued, NOW + expires), (), NOW + now, clock_ok=clock_ok)
    if found.verdict == "go":
        assert now < expires
        assert now - issued < LIFE_MS
        assert clock_ok


@given(st.integers(-(10**6), 10**6))
def test_never_twice(now: int) -> None:
    assert admissible(command(), {ID}, NOW + now).verdict == "repeated"

"""Who may pass: a table of cases, then what must hold whatever else is true."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.desired import Block, Credential, Grant, Holder, Schedule
from contract.instants import instant
from contract.texts import Text
from rules.access.decision import Request, decide
from rules.access.index import AccessIndex
from tests.rules.people import CARD, HOLDER, LOBBY, NIGHT, NOON, OFFICE, PLATE, ZONE, ZONES, at, index

REQUEST = Request("lobby", "card", "04A1B2C3D4E5F6")
PAST, FUTURE = instant(NOON - 86_400_000), instant(NOON + 86_400_000)
BLOCK = Block(id="b-9", kind="card", value="04A1B2C3D4E5F6", reason=Text("复制卡", "cloned"))


def changed(item: Any, **fields: Any) -> Any:
    return msgspec.structs.replace(item, **fields)


OFFICE_GRANT = changed(LOBBY, schedule="office")

Case = tuple[str, list[msgspec.Struct], Request, int, bool, str, str]
CASES: list[Case] = [
    # name, items, request, now, granted, rule, code
    ("a grant for the door", [HOLDER, CARD, LOBBY], REQUEST, NOON, True, "g-1", "granted"),
    ("a grant for its zone", [HOLDER, CARD, changed(LOBBY, places=["block-a"])], REQUEST, NOON, True, "g-1", "granted"),
    (
        "the second zone of a door",
        [HOLDER, CARD, changed(LOBBY, places=["block-a"])],
        replace(REQUEST, place="cellar"),
        NOON,
        True,
        "g-1",
        "granted",
    ),
    ("within hours", [HOLDER, CARD, OFFICE, OFFICE_GRANT], REQUEST, NOON, True, "g-1", "granted_hours"),
    ("outside hours", [HOLDER, CARD, OFFICE, OFFICE_GRANT], REQUEST, NIGHT, False, "g-1", "outside_hours"),
    (
        "out of the door outside hours",
        [HOLDER, CARD, OFFICE, OFFICE_GRANT],
        replace(REQUEST, direction="out"),
        NIGHT,
        True,
        "g-1",
        "exit_out_of_hours",
    ),
    (
        "out of a door that one was never let into",
        [HOLDER, CARD],
        replace(REQUEST, direction="out"),
        NIGHT,
        False,
        "no-grant",
        "no_grant",
    ),
    (
        "out with a revoked card",
        [HOLDER, changed(CARD, state="revoked"), OFFICE, OFFICE_GRANT],
        replace(REQUEST, direction="out"),
        NIGHT,
        False,
        "credential:c-1",
        "revoked",
    ),
    ("a schedule that nobody sent", [HOLDER, CARD, OFFICE_GRANT], REQUEST, NOON, False, "g-1", "schedule_unknown"),
    (
        "a grant for another door",
        [HOLDER, CARD, LOBBY],
        replace(REQUEST, place="garage"),
        NOON,
        False,
        "no-grant",
        "no_grant",
    ),
    ("no grant at all", [HOLDER, CARD], REQUEST, NOON, False, "no-grant", "no_grant"),
    ("an unknown card", [HOLDER, LOBBY], REQUEST, NOON, False, "unknown", "unknown_card"),
    (
        "the same value as a PIN",
        [HOLDER, CARD, LOBBY],
        replace(REQUEST, kind="pin"),
        NOON,
        False,
        "unknown",
        "unknown_pin",
    ),
    (
        "a revoked card",
        [HOLDER, changed(CARD, state="revoked"), LOBBY],
        REQUEST,
        NOON,
        False,
        "credential:c-1",
        "revoked",
    ),
    ("a lost card", [HOLDER, changed(CARD, state="lost"), LOBBY], REQUEST, NOON, False, "credential:c-1", "lost"),
    ("blocked before everything", [HOLDER, CARD, LOBBY, BLOCK], REQUEST, NOON, False, "block:b-9", "blocked"),
    ("expired", [HOLDER, changed(CARD, valid_to=PAST), LOBBY], REQUEST, NOON, False, "credential:c-1", "expired"),
    (
        "valid to exactly now is over",
        [HOLDER, changed(CARD, valid_to=instant(NOON)), LOBBY],
        REQUEST,
        NOON,
        False,
        "credential:c-1",
        "expired",
    ),
    (
        "valid from exactly now",
        [HOLDER, changed(CARD, valid_from=instant(NOON)), LOBBY],
        REQUEST,
        NOON,
        True,
        "g-1",
        "granted",
    ),
    (
        "not yet valid",
        [HOLDER, changed(CARD, valid_from=FUTURE), LOBBY],
        REQUEST,
        NOON,
        False,
        "credential:c-1",
        "not_yet_valid",
    ),
    (
        "the lease has ended",
        [changed(HOLDER, valid_to=PAST), CARD, LOBBY],
        REQUEST,
        NOON,
        False,
        "holder:h-1",
        "holder_expired",
    ),
    (
        "the lease begins later",
        [changed(HOLDER, valid_from=FUTURE), CARD, LOBBY],
        REQUEST,
        NOON,
        False,
        "holder:h-1",
        "holder_not_yet",
    ),
    ("nobody's card", [CARD, LOBBY], REQUEST, NOON, False, "credential:c-1", "holder_unknown"),
    (
        "the grant has ended",
        [HOLDER, CARD, changed(LOBBY, valid_to=PAST)],
        REQUEST,
        NOON,
        False,
        "g-1",
        "grant_expired",
    ),
    (
        "the grant begins later",
        [HOLDER, CARD, changed(LOBBY, valid_from=FUTURE)],
        REQUEST,
        NOON,
        False,
        "g-1",
        "grant_not_yet",
    ),
    ("locked down", [HOLDER, CARD, LOBBY], replace(REQUEST, mode="locked"), NOON, False, "mode:locked", "mode_locked"),
    ("unlocked, with a grant", [HOLDER, CARD, LOBBY], replace(REQUEST, mode="unlocked"), NOON, True, "g-1", "granted"),
    (
        "unlocked, without a grant",
        [HOLDER, CARD],
        replace(REQUEST, mode="unlocked"),
        NOON,
        True,
        "mode:unlocked",
        "mode_unlocked",
    ),
    ("unlocked, unknown", [], replace(REQUEST, mode="unlocked"), NOON, True, "mode:unlocked", "mode_unlocked"),
    (
        "unlocked, revoked",
        [HOLDER, changed(CARD, state="revoked")],
        replace(REQUEST, mode="unlocked"),
        NOON,
        False,
        "credential:c-1",
        "revoked",
    ),
    (
        "unlocked, blocked",
        [HOLDER, CARD, BLOCK],
        replace(REQUEST, mode="unlocked"),
        NOON,
        False,
        "block:b-9",
        "blocked",
    ),
    (
        "written with marks",
        [HOLDER, changed(CARD, value="04:a1:b2:c3:d4:e5:f6"), LOBBY],
        REQUEST,
        NOON,
        True,
        "g-1",
        "granted",
    ),
    (
        "a card issued again: the one in force counts",
        [HOLDER, changed(CARD, id="c-0", state="revoked", holder="h-0"), CARD, LOBBY],
        REQUEST,
        NOON,
        True,
        "g-1",
        "granted",
    ),
    (
        "the door's own grant fails, the zone's holds",
        [HOLDER, CARD, changed(LOBBY, valid_to=PAST), changed(LOBBY, id="g-9", places=["block-a"])],
        REQUEST,
        NOON,
        True,
        "g-9",
        "granted",
    ),
    (
        "of several failures, the hours say most",
        [HOLDER, CARD, OFFICE, changed(LOBBY, id="g-0", valid_to=PAST), OFFICE_GRANT],
        REQUEST,
        NIGHT,
        False,
        "g-1",
        "outside_hours",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_a_case(case: Case) -> None:
    _, items, request, now, granted, rule, code = case
    decision = decide(index(*items), request, now)
    assert (decision.granted, decision.rule, decision.reason.code) == (granted, rule, code)
    assert decision.revision == 7


SENTENCES = [
    (
        [HOLDER, CARD, OFFICE, OFFICE_GRANT],
        NIGHT,
        "不在允许时段（工作日 07:00–22:00）",
        "Outside permitted hours (weekdays 07:00–22:00)",
    ),
    ([HOLDER, changed(CARD, state="lost"), LOBBY], NOON, "卡已挂失", "Card is reported lost"),
    ([HOLDER, CARD], NOON, "没有此门的通行权限", "No access to this door"),
    ([BLOCK], NOON, "黑名单卡：复制卡", "Card is blocked: cloned"),
    (
        [HOLDER, changed(CARD, valid_to="2026-02-28T16:00:00.000Z"), LOBBY],
        NOON,
        "卡已过期（2026-03-01 00:00 止）",
        "Card expired 2026-03-01 00:00",
    ),
]


@pytest.mark.parametrize(("items", "now", "zh", "en"), SENTENCES)
def test_what_a_guard_reads(items: list[msgspec.Struct], now: int, zh: str, en: str) -> None:
    decision = decide(index(*items), REQUEST, now)
    assert (decision.reason.zh, decision.reason.en) == (zh, en)


def test_the_holder_is_named_even_when_refused() -> None:
    for request in (REQUEST, replace(REQUEST, mode="locked"), replace(REQUEST, place="garage")):
        assert decide(index(HOLDER, CARD, LOBBY), request, NOON).holder in {"h-1"}
    assert decide(index(HOLDER, CARD, LOBBY, BLOCK), REQUEST, NOON).holder == "h-1"


@pytest.mark.parametrize("policy", ["grant", "deny"])
def test_with_the_clock_in_doubt_timed_grants_follow_the_door(policy: Any) -> None:
    doubted = replace(REQUEST, clock_ok=False, on_clock_doubt=policy)
    timed = [
        [HOLDER, CARD, OFFICE, OFFICE_GRANT],
        [HOLDER, CARD, changed(LOBBY, valid_to=FUTURE)],
        [HOLDER, CARD, changed(LOBBY, valid_from=FUTURE)],
    ]
    for items in timed:
        decision = decide(index(*items), doubted, NIGHT)
        assert decision.granted is (policy == "grant")
        assert decision.reason.code == ("granted_clock_doubt" if policy == "grant" else "clock_doubt")
    assert decide(index(HOLDER, CARD, LOBBY), doubted, NIGHT).reason.code == "granted"
    # What has expired by a clock that is never ahead has expired.
    assert not decide(index(HOLDER, CARD, changed(LOBBY, valid_to=PAST)), doubted, NOON).granted
    assert not decide(index(HOLDER, changed(CARD, valid_to=PAST), LOBBY), doubted, NOON).granted
    # What has begun has begun.
    assert (
        decide(index(HOLDER, CARD, changed(LOBBY, valid_from=PAST)), replace(doubted, on_clock_doubt="deny"), NOON).rule
        == "g-1"
    )


def test_an_instant_that_no_calendar_knows_is_never_valid_and_is_told() -> None:
    broken = changed(LOBBY, valid_to="2026-02-31T00:00:00.000Z")
    built = index(HOLDER, CARD, broken)
    assert not decide(built, REQUEST, NOON).granted
    assert built.mistakes
    assert "g-1" in built.mistakes[0]


def test_for_ever_may_be_written_as_the_calendars_last_day() -> None:
    items = [HOLDER, changed(CARD, valid_from="9999-12-31T23:59:59.999Z"), LOBBY]
    assert decide(index(*items), REQUEST, NOON).reason.code == "not_yet_valid"


def test_items_without_a_say_are_passed_over() -> None:
    assert decide(index(HOLDER, CARD, LOBBY, Text("x", "x")), REQUEST, NOON).granted


# --- Whatever else holds

holder_ids = st.sampled_from(["h-1", "h-2", "h-3"])
instants = st.none() | st.sampled_from([PAST, FUTURE, instant(NOON), instant(NIGHT)])
schedules = st.sampled_from(["always", "office", "nowhere"])
places = st.lists(
    st.sampled_from(["lobby", "cellar", "block-a", "plant", "gate-in", "elsewhere"]), min_size=1, max_size=3
)
grants = st.lists(
    st.builds(
        Grant,
        id=st.uuids().map(str),
        holder=holder_ids,
        places=places,
        schedule=schedules,
        valid_from=instants,
        valid_to=instants,
    ),
    max_size=8,
)
requests = st.builds(
    Request,
    place=st.sampled_from(["lobby", "cellar", "gate-in", "elsewhere"]),
    kind=st.just("card"),
    value=st.sampled_from(["04A1B2C3D4E5F6", "04000000000002", "04000000000003", "FFFFFFFF"]),
    mode=st.sampled_from(["normal", "unlocked", "locked"]),
    clock_ok=st.booleans(),
    on_clock_doubt=st.sampled_from(["grant", "deny"]),
)
nows = st.sampled_from([NOON, NIGHT, at("2026-03-07 10:00"), at("2030-01-01 00:00")])
HOLDERS = [Holder(id=f"h-{n}", name="n") for n in (1, 2, 3)]
CARDS = [CARD, *(Credential(id=f"c-{n}0", kind="card", value=f"0400000000000{n}", holder=f"h-{n}") for n in (2, 3))]


def whole(grants: list[Grant], *more: msgspec.Struct, cards: list[Credential] = CARDS) -> AccessIndex:
    return AccessIndex.of([*HOLDERS, OFFICE, *cards, *grants, *more], zones=ZONES, timezone=ZONE)


@given(grants, requests, nows, st.sampled_from(["revoked", "lost"]))
def test_revoked_is_never_granted(grants: list[Grant], request: Request, now: int, state: Any) -> None:
    cards = [changed(card, state=state) for card in CARDS]
    decision = decide(whole(grants, cards=cards), request, now)
    assert not decision.granted or (decision.rule == "mode:unlocked" and decision.holder is None)


@given(grants, requests, nows)
def test_blocked_is_never_granted(grants: list[Grant], request: Request, now: int) -> None:
    block = Block(id="b", kind="card", value=request.value, reason=Text("x", "x"))
    assert not decide(whole(grants, block), request, now).granted


@given(grants, requests, nows, st.integers(0, 10**9))
def test_expired_is_never_granted(grants: list[Grant], request: Request, now: int, ago: int) -> None:
    cards = [changed(card, valid_to=instant(now - ago)) for card in CARDS]
    decision = decide(whole(grants, cards=cards), request, now)
    assert not decision.granted or (decision.rule == "mode:unlocked" and decision.holder is None)


@given(grants, requests, nows)
def test_locked_is_locked_and_normal_needs_a_grant(grants: list[Grant], request: Request, now: int) -> None:
    assert not decide(whole(grants), replace(request, mode="locked"), now).granted
    decision = decide(whole(grants), replace(request, mode="normal"), now)
    assert decision.granted == any(grant.id == decision.rule for grant in grants if decision.granted)


@given(grants, requests, nows)
def test_other_holders_things_decide_nothing(grants: list[Grant], request: Request, now: int) -> None:
    decision = decide(whole(grants), request, now)
    owner = next((card.holder for card in CARDS if card.value == request.value), None)
    own = [grant for grant in grants if grant.holder == owner]
    alone = AccessIndex.of(
        [*(h for h in HOLDERS if h.id == owner), *(c for c in CARDS if c.holder == owner), OFFICE, *own],
        zones=ZONES,
        timezone=ZONE,
    )
    assert decide(alone, request, now) == decision


@given(grants, requests, nows)
def test_every_decision_explains_itself(grants: list[Grant], request: Request, now: int) -> None:
    reason = decide(whole(grants), request, now).reason
    assert reason.zh
    assert reason.en
    assert "{" not in reason.zh + reason.en


@given(grants, requests, nows)
def test_more_grants_never_take_away(grants: list[Grant], request: Request, now: int) -> None:
    few = decide(whole(grants[: len(grants) // 2]), request, now)
    assert not few.granted or decide(whole(grants), request, now).granted


def test_always_is_a_schedule_that_nobody_sends() -> None:
    pinned = Schedule(id="always", name=Text("x", "x"), windows=[])
    assert decide(index(HOLDER, CARD, LOBBY, pinned), REQUEST, NIGHT).granted


def test_a_plate_at_a_lane_is_spoken_of_as_a_lane() -> None:
    request = Request("gate-in", "plate", "沪A·12345", place_kind="lane")
    decision = decide(index(HOLDER, PLATE, LOBBY), request, NOON)
    assert decision.reason.zh == "没有此车道的通行权限"

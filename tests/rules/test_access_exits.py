"""A reader on the way out locks nobody in: time keeps people out, never in; revoked, lost and blocked stay refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from contract.desired import Block, Grant
from contract.instants import instant
from contract.texts import Text
from rules.access.decision import Request, decide
from tests.rules.people import CARD, HOLDER, LOBBY, NOON, OFFICE, index

OUT = Request("lobby", "card", CARD.value, direction="out")
PAST, FUTURE = instant(NOON - 86_400_000), instant(NOON + 86_400_000)
BLOCK = Block(id="b-9", kind="card", value=CARD.value, reason=Text("复制卡", "cloned"))
COMING = Grant(id="g-0", holder="h-1", places=["lobby"], valid_from=FUTURE)


def changed(item: Any, **fields: Any) -> Any:
    return msgspec.structs.replace(item, **fields)


OVER = changed(CARD, valid_to=PAST)
ENDED = changed(LOBBY, valid_to=PAST)
UNBEGUN = changed(LOBBY, valid_from=FUTURE)

LET_OUT: list[tuple[str, list[msgspec.Struct], str]] = [
    ("the card has expired", [HOLDER, OVER, LOBBY], "exit_ended"),
    ("a visitor's stay has ended", [changed(HOLDER, kind="visitor", valid_to=PAST), CARD, LOBBY], "exit_ended"),
    ("the grant has ended", [HOLDER, CARD, ENDED], "exit_ended"),
    ("all has ended", [changed(HOLDER, valid_to=PAST), OVER, ENDED], "exit_ended"),
    ("another grant is still to come", [HOLDER, CARD, ENDED, COMING], "exit_ended"),
    ("its schedule is gone", [HOLDER, CARD, changed(LOBBY, schedule="nowhere")], "exit_out_of_hours"),
]


@pytest.mark.parametrize(("what", "items", "code"), LET_OUT, ids=[case[0] for case in LET_OUT])
def test_whoever_could_once_enter_is_let_out(what: str, items: list[msgspec.Struct], code: str) -> None:
    assert what
    decision = decide(index(*items, OFFICE), OUT, NOON)
    assert (decision.granted, decision.rule, decision.reason.code) == (True, "g-1", code)
    # On the way in the same is refused, and so is a car at a lane's exit: the lane has its own rule for that.
    assert not decide(index(*items, OFFICE), replace(OUT, direction="in"), NOON).granted
    assert not decide(index(*items, OFFICE), replace(OUT, place_kind="lane"), NOON).granted


def test_a_clock_in_doubt_locks_nobody_in() -> None:
    doubted = replace(OUT, clock_ok=False, on_clock_doubt="deny")
    for items in ([HOLDER, changed(CARD, valid_to=FUTURE), LOBBY], [changed(HOLDER, valid_to=FUTURE), CARD, LOBBY]):
        assert decide(index(*items), doubted, NOON).granted
        assert not decide(index(*items), replace(doubted, direction="in"), NOON).granted


KEPT: list[tuple[str, list[msgspec.Struct], Request, str]] = [
    ("revoked", [HOLDER, changed(CARD, state="revoked"), LOBBY], OUT, "revoked"),
    ("lost, and expired", [HOLDER, changed(OVER, state="lost"), LOBBY], OUT, "lost"),
    ("blocked", [HOLDER, OVER, LOBBY, BLOCK], OUT, "blocked"),
    ("a door that it never opened", [HOLDER, OVER, LOBBY], replace(OUT, place="garage"), "expired"),
    ("a grant that never began", [HOLDER, CARD, UNBEGUN], OUT, "grant_not_yet"),
    ("over before its grant began", [HOLDER, OVER, UNBEGUN], OUT, "expired"),
    ("locked down", [HOLDER, OVER, LOBBY], replace(OUT, mode="locked"), "mode_locked"),
]


@pytest.mark.parametrize(("what", "items", "request_", "code"), KEPT, ids=[case[0] for case in KEPT])
def test_what_is_no_matter_of_time_stays_refused(
    what: str, items: list[msgspec.Struct], request_: Request, code: str
) -> None:
    assert what
    decision = decide(index(*items), request_, NOON)
    assert (decision.granted, decision.reason.code) == (False, code)

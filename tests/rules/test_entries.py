"""What an event says of an entry: one table for the servers and the console."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from contract.kinds import decode_data
from contract.texts import Reason
from rules import reasons
from rules.access.entries import NAMES, REFUSALS, entry_of, outcome_of

CASES: list[dict[str, Any]] = msgspec.json.decode(
    (Path(__file__).parent.parent / "contract/golden/entries.json").read_bytes()
)


@pytest.mark.parametrize("case", CASES)
def test_an_event_and_its_entry(case: dict[str, Any]) -> None:
    data = decode_data(case["kind"], msgspec.Raw(msgspec.json.encode(case["data"])))
    found = entry_of(case["kind"], case["source"], data)
    if case["entry"] is None:
        assert found is None
    else:
        assert found is not None
        assert {name: getattr(found, name) for name in case["entry"]} == case["entry"]


def test_every_outcome_is_in_the_table() -> None:
    assert {case["entry"]["outcome"] for case in CASES if case["entry"]} == set(NAMES)


def test_numbers_are_kept_of_plates_and_cards_alone() -> None:
    for kind, value, kept in (("plate", "沪a·12345", "沪A12345"), ("card", "04A1", "04A1"), ("pin", "1234", "")):
        said = {"credential": {"kind": kind, "value": value}, "holder": None, "rule": "x", "revision": 1,
                "reason": msgspec.to_builtins(Reason("x", "x", "x"))}  # fmt: skip
        data = decode_data("access.denied", msgspec.Raw(msgspec.json.encode(said)))
        found = entry_of("access.denied", "gate-in", data)
        assert found is not None and found.number == kept


def test_the_codes_that_make_an_outcome_are_reasons() -> None:
    for code, granted, outcome in (
        ("visitor_admitted", True, "visitor"), ("exit_visitor", True, "visitor"), ("visitor_ask", False, "waiting"),
        ("no_plate", False, "waiting"), ("low_confidence", False, "waiting"), ("blocked_plate", False, "blocked"),
    ):  # fmt: skip
        assert code in Path(reasons.__file__).read_text()
        assert outcome_of(granted, "x", code) == outcome


def test_what_grants_nothing_is_a_refusal() -> None:
    """The overview counts it, and leads to these."""
    codes = [*reasons.REASONS, "of another release"]
    found = {outcome_of(False, rule, code) for rule in ("block:b-1", "visitor", "grant-1", "") for code in codes}
    assert found == set(REFUSALS)

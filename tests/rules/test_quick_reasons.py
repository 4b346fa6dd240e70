"""Quick reasons: every code in both languages, offered for something, and what is made of it."""

from __future__ import annotations

import re

import pytest

from contract.commands import COMMAND_KINDS
from rules.quick_reasons import OFFERED, QUICK_REASONS, code_fault, in_own_words, words_of


def test_every_code_is_offered_for_something_and_none_is_missing() -> None:
    assert {code for codes in OFFERED.values() for code in codes} == set(QUICK_REASONS)
    assert set(OFFERED) <= set(COMMAND_KINDS)
    # They are picked by one digit.
    assert all(len(codes) == len(set(codes)) <= 9 for codes in OFFERED.values())


@pytest.mark.parametrize("code", QUICK_REASONS)
def test_a_code_has_words_in_both_languages(code: str) -> None:
    assert re.search(r"[\u4e00-\u9fff]", QUICK_REASONS[code].zh)
    assert not re.search(r"[\u4e00-\u9fff]", QUICK_REASONS[code].en)


def test_a_code_counts_only_for_what_it_is_offered_for() -> None:
    assert code_fault("barrier.open", None) is None
    assert code_fault("barrier.open", "delivery") is None
    for kind, code in (("barrier.open", "fire_drill"), ("barrier.open", "nonsense"), ("point.write", "delivery")):
        fault = code_fault(kind, code)
        assert fault is not None
        assert code in fault.en


@pytest.mark.parametrize(
    ("said", "code", "words", "own"),
    [
        ("", None, "", False),
        ("", "delivery", "快递、外卖、送货", False),
        ("快递、外卖、送货", "delivery", "快递、外卖、送货", False),
        ("Courier or delivery", "delivery", "Courier or delivery", False),
        (" 301 搬家 ", None, "301 搬家", True),
        ("送到 3 号楼", "delivery", "送到 3 号楼", True),
    ],
)
def test_what_a_command_says(said: str, code: str | None, words: str, own: bool) -> None:
    assert words_of(said, code) == words
    assert in_own_words(words, code) is own

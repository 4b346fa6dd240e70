"""Every reason has its sentence, and every sentence its words."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import rules
from contract.texts import Text
from rules.reasons import REASONS, reason

SOURCES = sorted(Path(rules.__file__).parent.rglob("*.py"))


@pytest.mark.parametrize("code", REASONS)
def test_both_languages_want_the_same_words(code: str) -> None:
    zh, en = (set(re.findall(r"\{(\w+)\}", text)) for text in (REASONS[code].zh, REASONS[code].en))
    # A place or a noun may be needed in one language only, but never a fact.
    assert (zh ^ en) <= {"noun"}
    assert REASONS[code].zh.strip() == REASONS[code].zh
    assert not REASONS[code].en.endswith(".")


@pytest.mark.parametrize("code", REASONS)
def test_chinese_is_chinese(code: str) -> None:
    assert re.search(r"[\u4e00-\u9fff]", REASONS[code].zh)
    assert not re.search(r"[\u4e00-\u9fff]", REASONS[code].en)


def test_every_code_that_is_written_somewhere_exists() -> None:
    assert len(SOURCES) > 15
    written = set()
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "reason":
                written |= {each.value for each in ast.walk(node.args[0]) if isinstance(each, ast.Constant)}
    assert {code for code in written if isinstance(code, str)} - {"unknown_", "early", "late", "finish"} <= set(REASONS)


def test_a_word_fills_each_language_with_its_own() -> None:
    said = reason("blocked_plate", why=Text("多次冲闸", "broke the barrier"))
    assert (said.code, said.zh, said.en) == (
        "blocked_plate",
        "黑名单车辆：多次冲闸",
        "Blocked vehicle: broke the barrier",
    )


def test_a_missing_word_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        reason("expired")

"""One thing has one name in everything that a person reads: tests/words.yaml says which, in both languages."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest
import yaml

ROOT = Path(__file__).parents[1]
SAID = ("contract", "config", "drivers", "gateway", "hub", "rules", "simulators", "web")
CHINESE = re.compile("[一-鿿]")
Tongue = Literal["zh", "en"]


class Word(NamedTuple):
    """What a thing is called, and expressions of the names that it no longer has."""

    tongue: Tongue
    say: str
    was: tuple[str, ...]
    where: tuple[str, ...]
    but: tuple[str, ...]


class Said(NamedTuple):
    """A sentence that a person may read, and where it stands."""

    at: str
    text: str


def _words() -> list[Word]:
    table = yaml.safe_load((ROOT / "tests" / "words.yaml").read_text())
    return [
        Word(tongue, row["say"], tuple(row["not"]), tuple(row["where"]), tuple(row.get("but", ())))
        for tongue in ("zh", "en")
        for row in table[tongue]
    ]


WORDS = _words()


def _leaves(node: Any, at: str) -> Iterator[Said]:
    if isinstance(node, str):
        yield Said(at, node)
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _leaves(value, f"{at}.{key}")
    elif isinstance(node, list):
        for value in node:
            yield from _leaves(value, at)


@cache
def _screens(tongue: Tongue) -> list[Said]:
    file = ROOT / f"web/console/src/locales/{tongue}.json"
    return list(_leaves(json.loads(file.read_text()), file.name))


def _plain(node: ast.AST) -> str:
    """The text of a constant or an f-string, its fields left out as {}."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return ""


def _pairs(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    """Sentences that stand beside their other language: Text("…", "…"), say("…", "…"), either first."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call | ast.Tuple):
            continue
        inside = node.args if isinstance(node, ast.Call) else node.elts
        said = [_plain(each) for each in inside[:2]]
        if len(said) == 2 and all(said) and (CHINESE.search(said[0]) is None) != (CHINESE.search(said[1]) is None):
            zh, en = said if CHINESE.search(said[0]) else reversed(said)
            yield node.lineno, zh, en


def _named(node: Any, tongue: Tongue, at: str) -> Iterator[Said]:
    """Every `zh:` or `en:` of a YAML file."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == tongue and isinstance(value, str):
                yield Said(at, value)
            yield from _named(value, tongue, at)
    elif isinstance(node, list):
        for value in node:
            yield from _named(value, tongue, at)


@cache
def _texts(tongue: Tongue) -> list[Said]:
    return _texts_of_both()[tongue]


@cache
def _texts_of_both() -> dict[Tongue, list[Said]]:
    found: dict[Tongue, list[Said]] = {"zh": [], "en": []}
    for file in (file for top in SAID for file in sorted((ROOT / top).rglob("*")) if "console" not in file.parts):
        at = str(file.relative_to(ROOT))
        if file.suffix == ".py":
            for line, zh, en in _pairs(ast.parse(file.read_text())):
                found["zh"].append(Said(f"{at}:{line}", zh))
                found["en"].append(Said(f"{at}:{line}", en))
        elif file.suffix == ".yaml" and "examples" not in file.parts:
            said = yaml.safe_load(file.read_text())
            for tongue, texts in found.items():
                texts.extend(_named(said, tongue, at))
    return found


@cache
def _docs(tongue: Tongue) -> list[Said]:
    chinese = {*(ROOT / "docs").glob("*.zh.md")}
    read = chinese if tongue == "zh" else {ROOT / "docs" / f"{file.name.split('.')[0]}.md" for file in chinese}
    lines = [
        Said(f"{file.relative_to(ROOT)}:{number}", re.sub(r"`[^`]*`", "", line))
        for file in sorted({*read, ROOT / "README.md"})
        for number, line in enumerate(file.read_text().splitlines(), 1)
    ]
    return [said for said in lines if (CHINESE.search(said.text) is not None) == (tongue == "zh")]


READ = {"screens": _screens, "texts": _texts, "docs": _docs}


def test_what_people_read_is_found() -> None:
    counts = {(place, tongue): len(read(tongue)) for place, read in READ.items() for tongue in ("zh", "en")}
    assert counts["screens", "zh"] > 900
    assert counts["texts", "zh"] > 1200
    assert counts["texts", "en"] > 1200
    assert counts["docs", "zh"] > 200


@pytest.mark.parametrize("word", WORDS, ids=lambda word: f"{word.tongue} {word.say}")
def test_no_old_word_comes_back(word: Word) -> None:
    old = re.compile("|".join(f"(?:{was})" for was in word.was), re.IGNORECASE)
    may = re.compile("|".join(map(re.escape, word.but))) if word.but else None
    said = [
        f"{one.at}: {one.text}"
        for place in word.where
        for one in READ[place](word.tongue)
        if old.search(may.sub("", one.text) if may else one.text)
    ]
    assert said == []

"""YAML with lines: what it reads, where everything stands, and that no text can upset it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config import SiteErrors, load_site
from config.document import Document
from tests.config.sites import RULES, SITE


def read(text: str) -> Document:
    return Document(text.encode(), "f.yaml")


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("yes", "yes"),
        ("No", "No"),
        ("on", "on"),
        ("true", True),
        ("12:30", "12:30"),
        ("2026-01-01", "2026-01-01"),
        ("0123", "0123"),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("-7", -7),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("~", None),
        ("", None),
        ("'7'", "7"),
    ],
)
def test_a_word_is_read_by_the_rules_of_yaml_1_2(written: str, value: Any) -> None:
    assert read(f"a: {written}").data == {"a": value}


def test_keys_are_words_and_everything_has_its_line() -> None:
    document = read("on:\n  1: a\n  b: [x,\n    y]\n'q': \"z\"\n")
    assert document.data == {"on": {"1": "a", "b": ["x", "y"]}, "q": "z"}
    places = {("on",): 1, ("on", "1"): 2, ("on", "b"): 3, ("on", "b", 1): 4, ("q",): 5}
    assert {place: document.line(place) for place in places} == places
    assert document.line(("on", "b", 7, "nothing")) == 3
    assert document.written(("q",)) == "'z'"
    assert document.written(("on", "1")) == "a"


def test_lines_of_defaults_may_be_shared() -> None:
    document = read("base: &base {a: 1, b: 2}\none:\n  <<: *base\n  b: 3\n")
    assert document.data["one"] == {"a": 1, "b": 3}
    assert not document.mistakes


def test_a_key_twice_is_told_with_both_lines() -> None:
    document = read("a: 1\nb: 2\na: 3\n")
    assert [mistake.say() for mistake in document.mistakes] == [
        "f.yaml:3: a: found a; already in line 1: a key stands once"
    ]


@pytest.mark.parametrize("text", ["[" * 500_000, "- " * 500_000, "{a: " * 100_000])
def test_what_is_nested_without_end_is_refused(text: str) -> None:
    assert "too deep" in str(read(text).mistakes[0])


def test_an_open_quote_is_told_where_it_begins() -> None:
    document = read("a: 1\nb: 'open\nc: 2\nd: 3\n")
    assert document.mistakes[0].line == 2


signs = st.sampled_from([*"{}[]:,#&*!|>'\"%@`\n\t -0aé无\x00\x85", "<<", "true", "- "])
changes = st.lists(st.tuples(st.booleans(), st.integers(0, 5000), st.integers(0, 30), signs), min_size=1, max_size=4)


@settings(max_examples=150, deadline=None)
@given(changes)
def test_a_spoilt_site_is_explained_never_a_crash(spoilt: list[tuple[bool, int, int, str]]) -> None:
    texts = {"site.yaml": SITE + "rules: [rules.yaml]\n", "rules.yaml": RULES}
    for of_site, at, cut, sign in spoilt:
        name = "site.yaml" if of_site else "rules.yaml"
        place = at % len(texts[name])
        texts[name] = texts[name][:place] + sign + texts[name][place + cut :]
    with tempfile.TemporaryDirectory() as folder:
        for name, text in texts.items():
            (Path(folder) / name).write_bytes(text.encode())
        try:
            load_site(Path(folder) / "site.yaml")
        except SiteErrors as errors:
            assert errors.mistakes
            assert all(mistake.line >= 1 for mistake in errors.mistakes)
            assert errors.say("zh") != errors.say("en")

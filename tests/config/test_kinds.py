"""Files of kinds of work: what people write in them, and what they are told."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from config.document import Document
from config.load_kinds import SHIPPED, kind_of, load_kinds
from config.mistakes import Mistake, SiteErrors
from rules.tickets.kinds import Kind

GOOD = """\
kind: parcel
name: {zh: 快递代收, en: Parcel}
prefix: B
fields:
  shelf: {name: {zh: 货架, en: Shelf}, type: choice, required: true, choices: {a: {zh: 甲, en: A}, b: {zh: 乙, en: B}}}
  weight: {name: {zh: 重量, en: Weight}, type: number, least: 0, most: 50}
checklist:
  - {id: whole, name: {zh: 外观完好, en: Undamaged}}
start: here
states:
  here: {name: {zh: 待取, en: here}, class: open}
  gone: {name: {zh: 已取, en: fetched}, class: ended}
steps:
  fetch: {name: {zh: 取走, en: Fetch}, from: [here], to: gone, who: [guard], asks: [shelf, weight], needs: [checklist]}
"""


def read(text: str) -> tuple[Kind | None, list[Mistake]]:
    mistakes: list[Mistake] = []
    return kind_of(Document(text.encode(), "parcel.yaml"), mistakes), mistakes


def test_a_company_writes_a_kind_of_its_own() -> None:
    kind, mistakes = read(GOOD)
    assert not mistakes
    assert kind is not None
    assert [step.id for step in kind.steps_from("here")] == ["fetch"]
    assert kind.fields["shelf"].choices[1][0] == "b"
    assert kind.checklist[0].name.zh == "外观完好"


@pytest.mark.parametrize(
    ("line", "instead", "told"),
    [
        (
            "to: gone",
            "to: gon",
            ":14: steps.fetch.to: found gon; expected a state of this file: here, gone; did you mean",
        ),
        ("from: [here]", "from: [there]", ":14: steps.fetch.from.0: found there; expected a state of this file"),
        ("start: here", "start: elsewhere", ":9: start: found elsewhere; expected a state of this file: here, gone"),
        ("[shelf, weight]", "[shelf, size]", ":14: steps.fetch.asks.1: found size; expected a field of this file"),
        ("[shelf, weight]", "[weight]", ":5: fields.shelf: it is required, but gone is reached by a way that never"),
        ("who: [guard]", "who: [executor]", ":14: steps.fetch.who: nobody can ever take this step"),
        ("who: [guard]", "who: [guards]", ":14: steps.fetch.who.0: found guards; expected one of: guard, maintenance"),
        ("least: 0, most: 50", "least: 60, most: 50", ":6: fields.weight.least: found 60; must not exceed most, 50"),
        ("type: number", "type: date", ":6: fields.weight.least: found 0; only a number or a text has bounds"),
        ("type: choice", "type: text", ":5: fields.shelf.choices: a choice, and nothing else, has choices"),
        ("class: ended", "class: finished", ":12: states.gone.class: found finished; expected one of"),
        ("prefix: B", "prefix: parcel", ":3: prefix: found parcel;"),
        ("[checklist]}", "[checklist], does: [assign, release]}", ":14: steps.fetch.does: assign, take_over and"),
        ("{id: whole,", "{id: whole, weight: 3,", "there is no such word here"),
    ],
)
def test_a_mistake_is_told_with_its_line(line: str, instead: str, told: str) -> None:
    assert line in GOOD
    kind, mistakes = read(GOOD.replace(line, instead))
    assert kind is None
    said = [mistake.say("en") for mistake in mistakes]
    assert any(told in each for each in said), said
    assert all(mistake.say("zh") != mistake.say("en") for mistake in mistakes)


def test_two_files_of_one_id(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(GOOD)
    with pytest.raises(SiteErrors, match="another file has this id already"):
        load_kinds(tmp_path)


def test_what_ships() -> None:
    """Each by the name of its file, with numbers that nobody mistakes for another's."""
    kinds = load_kinds()
    assert {kind.id for kind in kinds} == {path.stem for path in SHIPPED.glob("*.yaml")}
    assert {kind.id for kind in kinds} >= {
        *("repair", "task", "inspection", "patrol", "cleaning", "complaint"),
        *("suggestion", "approval", "stage", "handover"),
    }
    assert len({kind.prefix for kind in kinds}) == len(kinds)


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_file_without_one_of_its_steps_is_read_or_explained(path: Path) -> None:
    """Whatever somebody strikes out, they get a kind that can be worked by, or lines that say why not."""
    whole = yaml.safe_load(path.read_text())
    for step in whole["steps"]:
        less = {**whole, "steps": {id_: part for id_, part in whole["steps"].items() if id_ != step}}
        kind, mistakes = read(yaml.safe_dump(less, allow_unicode=True, sort_keys=False))
        assert (kind is None) is bool(mistakes), step
        assert all(mistake.line > 1 or mistake.where for mistake in mistakes)

"""Reads files of kinds of work, and lets in only what can be worked by: names that exist, a flow that is sound.

Every mistake is told at once, with its line, like those of a site file.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from config.document import Document, Place
from config.kindfile import CheckLinePart, FieldPart, KindFile, StepPart
from config.mistakes import Mistake, SiteErrors, one_of
from config.shape import validated
from config.site import Name
from contract.texts import Text
from rules.tickets.kinds import CheckLine, Kind, WorkField, WorkState, WorkStep
from rules.tickets.soundness import flaws

SHIPPED = Path(__file__).parent / "kinds"
"""The kinds that every company begins with."""

_STATE, _FIELD = (
    Text("本文件 states 中的一个状态", "a state of this file"),
    Text("本文件 fields 中的一项", "a field of this file"),
)

_BOUNDED = frozenset({"number", "text"})


def load_kinds(folder: Path = SHIPPED) -> list[Kind]:
    """The kinds of all files of a folder, by id. Raises `SiteErrors`."""
    found: dict[str, Kind] = {}
    mistakes: list[Mistake] = []
    for path in sorted(folder.glob("*.yaml")):
        document = Document.read(path)
        kind = kind_of(document, mistakes)
        if kind is None:
            continue
        if kind.id in found:
            mistakes.append(
                document.mistake(("kind",), Text("另一个文件已有此编号", "another file has this id already"))
            )
        found[kind.id] = kind
    if not found and not mistakes:
        mistakes.append(Mistake(str(folder), 1, "", "", Text("没有工单类型文件", "expected files of kinds of work")))
    if mistakes:
        raise SiteErrors(mistakes)
    return [found[id_] for id_ in sorted(found)]


def kind_of(document: Document, mistakes: list[Mistake]) -> Kind | None:
    """The kind in a document; None with what is wrong added to `mistakes`."""
    before = len(mistakes)
    mistakes += document.mistakes
    if document.data is None:
        return None
    file = validated(KindFile, document, (), mistakes)
    if not isinstance(file, KindFile) or len(mistakes) > before:
        return None
    mistakes += _unknown(document, file)
    mistakes += _fields(document, file)
    if len(mistakes) > before:
        return None  # a flow with names that nobody knows cannot be walked
    kind = _kind(file)
    mistakes += [document.mistake(flaw.place, flaw.expected, "") for flaw in flaws(kind)]
    return None if len(mistakes) > before else kind


def _unknown(document: Document, file: KindFile) -> Iterator[Mistake]:
    """Names of states and fields that the file does not have."""

    def look(place: Place, name: str, what: Text, known: dict[str, object]) -> Iterator[Mistake]:
        if name not in known:
            yield document.mistake(place, one_of(what, known, name))

    states: dict[str, object] = dict(file.states)
    fields: dict[str, object] = dict(file.fields)
    yield from look(("start",), file.start, _STATE, states)
    for id_, step in file.steps.items():
        place = ("steps", id_)
        for index, state in enumerate(step.start):
            yield from look((*place, "from", index), state, _STATE, states)
        if step.to is not None:
            yield from look((*place, "to"), step.to, _STATE, states)
        for index, field in enumerate(step.asks):
            yield from look((*place, "asks", index), field, _FIELD, fields)
    lines = [line.id for line in file.checklist]
    for index, line in enumerate(lines):
        if line in lines[:index]:
            expected = Text("清单中已有此编号", "the checklist has a line of this id already")
            yield document.mistake(("checklist", index, "id"), expected)


def _fields(document: Document, file: KindFile) -> Iterator[Mistake]:
    """Fields that nobody could fill in."""
    for id_, field in file.fields.items():
        place: Place = ("fields", id_)
        if (field.type == "choice") != bool(field.choices):
            expected = Text("choice 类型才有选项，且至少一个", "a choice, and nothing else, has choices")
            yield document.mistake((*place, "choices"), expected, "")
        if field.type not in _BOUNDED and (field.least is not None or field.most is not None):
            expected = Text("只有数字和文字可以有上下限", "only a number or a text has bounds")
            yield document.mistake((*place, "least" if field.least is not None else "most"), expected)
        yield from _bounds(document, place, field)
    for index, line in enumerate(file.checklist):
        yield from _bounds(document, ("checklist", index), line)


def _bounds(document: Document, place: Place, part: FieldPart | CheckLinePart) -> Iterator[Mistake]:
    if part.least is not None and part.most is not None and part.least > part.most:
        yield document.mistake(
            (*place, "least"), Text(f"不能大于 most（{part.most:g}）", f"must not exceed most, {part.most:g}")
        )


def _kind(file: KindFile) -> Kind:
    return Kind(
        id=file.kind,
        name=_text(file.name),
        prefix=file.prefix,
        origins=frozenset(file.origins),
        start=file.start,
        states={id_: WorkState(id_, _text(state.name), state.is_) for id_, state in file.states.items()},
        steps=tuple(_step(id_, step) for id_, step in file.steps.items()),
        fields={id_: _field(id_, field) for id_, field in file.fields.items()},
        checklist=tuple(
            CheckLine(line.id, _text(line.name), line.unit, line.least, line.most) for line in file.checklist
        ),
    )


def _step(id_: str, step: StepPart) -> WorkStep:
    return WorkStep(
        id=id_,
        name=_text(step.name),
        start=frozenset(step.start),
        to=step.to,
        who=frozenset(step.who),
        never=frozenset(step.never),
        asks=tuple(step.asks),
        says=step.says,
        needs=frozenset(step.needs),
        does=frozenset(step.does),
        on=step.on,
    )


def _field(id_: str, field: FieldPart) -> WorkField:
    choices = tuple((code, _text(name)) for code, name in field.choices.items())
    return WorkField(id_, _text(field.name), field.type, field.required, field.least, field.most, choices)


def _text(name: Name) -> Text:
    return Text(name.zh, name.en)

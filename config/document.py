"""A YAML file with the line of everything in it.

Read by the rules of YAML 1.2 where they differ from the parser's 1.1: `no`, `on` and `yes` are words, 12:30 and
2026-01-01 are texts, and keys are always texts. What YAML lets pass and people never mean (a key twice, an alias of
itself) is a mistake.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import yaml

from config.mistakes import Mistake
from contract.texts import Text

Place = tuple[str | int, ...]
"""The keys that lead to something."""

SIZE_LIMIT = 2_000_000
_NODES_LIMIT = 200_000
_DEPTH_LIMIT = 40

_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml, where the wheel has it


class _Loader(_Parser):  # type: ignore[misc]  # one of two classes, chosen at import
    """The parser with the words of YAML 1.2's core schema."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^(?:[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+)$"), list("-+0123456789")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"^(?:[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
    ),
    list("-+0123456789."),
)
_Loader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"^<<$"), ["<"])


class Document:
    """One file: its data, the line of every place, and what is wrong with it as YAML (`mistakes`)."""

    def __init__(self, text: bytes, file: str) -> None:
        self.file = file
        self.data: Any = None
        self.mistakes: list[Mistake] = []
        self._lines: dict[Place, int] = {}
        self._written: dict[Place, str] = {}
        self._nodes = 0
        if len(text) > SIZE_LIMIT:
            self._wrong(
                1, "", Text(f"文件过大（上限 {SIZE_LIMIT} 字节）", f"the file is larger than {SIZE_LIMIT} bytes")
            )
            return
        try:
            self._parse(text.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            line = text[: error.start].count(b"\n") + 1
            self._wrong(
                line, repr(text[error.start : error.start + 8]), Text("文件应以 UTF-8 保存", "expected UTF-8 text")
            )
        except yaml.YAMLError as error:
            self._not_yaml(error, text)

    @classmethod
    def read(cls, path: Path) -> Document:
        """The file at `path`; that it cannot be read is a mistake like any other."""
        try:
            return cls(path.read_bytes(), str(path))
        except OSError as error:
            document = cls(b"{}", str(path))
            document.data = None
            document.mistakes.append(
                Mistake(
                    str(path), 1, "", "", Text(f"无法读取文件：{error.strerror}", f"cannot be read: {error.strerror}")
                )
            )
            return document

    def line(self, place: Place) -> int:
        """The line of a place, or of the nearest part that contains it."""
        while place and place not in self._lines:
            place = place[:-1]
        return self._lines.get(place, 1)

    def written(self, place: Place) -> str:
        """What stands at a place, as it is written; "" for what is no plain value."""
        return self._written.get(place, "")

    def at(self, place: Place) -> Any:
        """The data at a place, None if there is none."""
        found = self.data
        for step in place:
            if isinstance(found, dict):
                found = found.get(step)
            elif isinstance(found, list) and isinstance(step, int) and step < len(found):
                found = found[step]
            else:
                return None
        return found

    def place_of(self, loc: tuple[Any, ...]) -> Place:
        """The place of a validator's location: steps that are no key of the file (names of choices) are left out."""
        place: Place = ()
        for step in loc:
            if (*place, step) in self._lines:
                place = (*place, step)
        return place

    def mistake(self, place: Place, expected: Text, found: str | None = None) -> Mistake:
        """A mistake at a place; `found` is what is written there unless it is given."""
        where = ".".join(str(step) for step in place)
        return Mistake(self.file, self.line(place), where, self.written(place) if found is None else found, expected)

    def _parse(self, text: str) -> None:
        _refuse_depth(text)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                self._wrong(1, "", Text("文件是空的", "the file is empty"))
                return
            self.data = self._value(loader, node, (), node.start_mark.line + 1)
        finally:
            loader.dispose()

    def _value(self, loader: yaml.SafeLoader, node: yaml.Node, place: Place, line: int) -> Any:
        self._nodes += 1
        if self._nodes > _NODES_LIMIT or len(place) > _DEPTH_LIMIT:
            raise yaml.MarkedYAMLError(problem="too deep, or an alias of itself", problem_mark=node.start_mark)
        self._lines[place] = line
        if isinstance(node, yaml.MappingNode):
            return self._mapping(loader, node, place)
        if isinstance(node, yaml.SequenceNode):
            return [
                self._value(loader, item, (*place, index), item.start_mark.line + 1)
                for index, item in enumerate(node.value)
            ]
        assert isinstance(node, yaml.ScalarNode)
        self._written[place] = repr(node.value) if node.style else node.value
        return loader.construct_object(node)

    def _mapping(self, loader: yaml.SafeLoader, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        found: dict[str, Any] = {}
        own: dict[str, int] = {}
        for key_node, value_node in _merged_first(node):
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key must be one word", problem_mark=key_node.start_mark)
            line = key_node.start_mark.line + 1
            if key_node.tag.endswith(":merge"):
                for part in value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]:
                    if not isinstance(part, yaml.MappingNode):
                        raise yaml.MarkedYAMLError(problem="<< needs a mapping", problem_mark=part.start_mark)
                    found |= self._mapping(loader, part, place)
                continue
            key = key_node.value
            if key in own:
                first = own[key]
                self._wrong(
                    line,
                    key,
                    Text(f"同一处只能写一次；第 {first} 行已有", f"already in line {first}: a key stands once"),
                    (*place, key),
                )
            own[key] = line
            found[key] = self._value(loader, value_node, (*place, key), line)
        return found

    def _wrong(self, line: int, found: str, expected: Text, place: Place = ()) -> None:
        where = ".".join(str(step) for step in place)
        self.mistakes.append(Mistake(self.file, line, where, found, expected))

    def _not_yaml(self, error: yaml.YAMLError, text: bytes) -> None:
        mark = getattr(error, "problem_mark", None)
        why = str(getattr(error, "problem", None) or error)
        if "end of stream" in why:
            # Where it was noticed is the end of the file; where it began is what helps.
            mark = getattr(error, "context_mark", None) or mark
        lines = text.split(b"\n")
        line = lines[mark.line] if mark is not None and mark.line < len(lines) else b""
        if b"\t" in line[: len(line) - len(line.lstrip())]:
            words = Text("缩进要用空格，不能用制表符", "indent with spaces, not with tabs")
        else:
            words = Text(f"不是有效的 YAML：{why}", f"not YAML: {why}")
        self._wrong(1 if mark is None else mark.line + 1, "", words)


def _refuse_depth(text: str) -> None:
    """Composing is recursive in C: what is nested too deeply must be seen before it."""
    depth = 0
    events: Iterator[Any] = yaml.parse(text, _Loader)
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEPTH_LIMIT:
            raise yaml.MarkedYAMLError(problem="too deep", problem_mark=event.start_mark)


def _merged_first(node: yaml.MappingNode) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    pairs: list[tuple[yaml.Node, yaml.Node]] = node.value
    yield from (pair for pair in pairs if pair[0].tag.endswith(":merge"))
    yield from (pair for pair in pairs if not pair[0].tag.endswith(":merge"))

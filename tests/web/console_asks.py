"""What the console asks of a server, read from its sources: paths, and the query parameters beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from fastapi import FastAPI

from tests.web.walking import routes

SOURCES = Path(__file__).parents[2] / "web" / "console" / "src"

_READS = re.compile(r"(?:api\.get|withQuery)(?:<[^()]*>)?\(\s*$")
_OPENING, _CLOSING = "{[(", "}])"


class Ask(NamedTuple):
    """`path`: `{}` where a value goes; `names`: of query parameters; `file`: where it is written."""

    path: str
    names: frozenset[str]
    file: str


def console_asks(sources: Path = SOURCES) -> list[Ask]:
    """Every address of the API that is written in the console. Spread objects are not looked into."""
    files = sorted(file for file in sources.rglob("*") if file.suffix in {".ts", ".vue"})
    return [Ask(path, names, file.name) for file in files for path, names in asks_in(file.read_text())]


def unknown_asks(app: FastAPI) -> list[str]:
    """What the console asks with a parameter that no route of that path has: `<file>: <path> <name>`."""
    known = [
        (path, {each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"})
        for _, path, operation in routes(app)
    ]
    found = []
    for ask in console_asks():
        # A path of the other server alone has no route here.
        of_path = [names for path, names in known if _same(path, ask.path)]
        if of_path:
            found += [f"{ask.file}: {ask.path} {name}" for name in sorted(ask.names.difference(*of_path))]
    return found


def asks_in(source: str) -> Iterator[tuple[str, frozenset[str]]]:
    """(path, names of query parameters) of each address in a source."""
    for start in re.finditer(r"[\"`]/api/", source):
        end = _end_of_text(source, start.start())
        written = source[start.start() + 1 : end - 1]
        names = set(re.findall(r"[?&](\w+)=", written))
        if _READS.search(source[: start.start()]) and (rest := re.match(r",\s*\{", source[end:])):
            names |= _keys(source, end + rest.end() - 1)
        yield _path(written), frozenset(names)


def _end_of_text(source: str, start: int) -> int:
    """Behind the closing quote of the text that begins at `start`; a template may hold expressions with templates."""
    quote, at = source[start], start + 1
    while source[at] != quote:
        at = _end_of_group(source, at + 1) if quote == "`" and source.startswith("${", at) else at + 1
    return at + 1


def _end_of_group(source: str, start: int) -> int:
    """Behind the bracket that closes the one at `start`."""
    depth, at = 0, start
    while True:
        if source[at] in "\"'`":
            at = _end_of_text(source, at)
            continue
        depth += (source[at] in _OPENING) - (source[at] in _CLOSING)
        at += 1
        if depth == 0:
            return at


def _path(written: str) -> str:
    path, at = "", 0
    while at < len(written) and written[at] not in "?#":
        if written.startswith("${", at):
            path, at = f"{path}{{}}", _end_of_group(written, at + 1)
        else:
            path, at = path + written[at], at + 1
    return path


def _keys(source: str, start: int) -> set[str]:
    """Names of the object that begins at `start`."""
    found, at, end = set(), start + 1, _end_of_group(source, start) - 1
    while at < end:
        if name := re.compile(r"\s*(\w+)").match(source, at, end):
            found.add(name[1])
        while at < end and source[at] != ",":
            at = _end_of_group(source, at) if source[at] in _OPENING + "\"'`" else at + 1
        at += 1
    return found


def _same(route: str, asked: str) -> bool:
    ours, theirs = route.split("/"), asked.split("/")
    return len(ours) == len(theirs) and all(
        one == other or "{" in one or "{" in other for one, other in zip(ours, theirs, strict=True)
    )

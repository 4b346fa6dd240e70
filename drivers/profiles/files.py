"""Reads profile files. Every mistake of a file is told at once, with its line and what was expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from drivers.errors import DriverError
from drivers.profiles.form import FaultyFile, Form
from drivers.profiles.head import Place
from drivers.profiles.profile import Profile
from drivers.protocols import PROTOCOLS, Protocol

FOLDER = Path(__file__).parent
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml, where the wheel has it


class Mistake(NamedTuple):
    """One thing wrong in a profile file. `place`: the keys that lead there, joined by dots; `line`: 1-based."""

    file: Path
    line: int
    place: str
    message: str

    def __str__(self) -> str:
        where = f" {self.place}:" if self.place else ""
        return f"{self.file.name}:{self.line}:{where} {self.message}"


class ProfileErrors(DriverError):
    """A profile file that cannot be used: all its mistakes."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes


class UnknownProfile(DriverError):
    """No file describes this product."""

    def __init__(self, profile: str, known: list[str]) -> None:
        super().__init__(f"no profile is called {profile}; there are {', '.join(known)}")
        self.profile = profile
        self.known = known


@cache
def load_all(folder: Path = FOLDER) -> Mapping[str, Profile]:
    """Every profile below `folder`, by id. Raises `ProfileErrors` with the mistakes of all files."""
    profiles: dict[str, Profile] = {}
    mistakes: list[Mistake] = []
    for path in sorted(folder.rglob("*.yaml")):
        try:
            profile = read(path)
        except ProfileErrors as wrong:
            mistakes += wrong.mistakes
            continue
        if profile.id != path.stem:
            mistakes.append(Mistake(path, 1, "id", f"the file of {profile.id} must be called {profile.id}.yaml"))
        elif profile.id in profiles:
            mistakes.append(Mistake(path, 1, "id", f"{profile.id} is described twice"))
        profiles[profile.id] = profile
    if mistakes:
        raise ProfileErrors(mistakes)
    return profiles


@cache
def load(profile: str, folder: Path = FOLDER) -> Profile:
    """One profile by its id; reads only its file. Raises `UnknownProfile`, `ProfileErrors`."""
    for path in folder.rglob("*.yaml"):
        if path.stem == profile:
            return read(path)
    raise UnknownProfile(profile, sorted(path.stem for path in folder.rglob("*.yaml")))


def read(path: Path) -> Profile:
    """The profile in a file. Raises `ProfileErrors`."""
    return parse(path.read_bytes(), path)


def parse(text: bytes, path: Path) -> Profile:
    """The profile in a file's text; `path` is for the mistakes. Raises `ProfileErrors`."""
    yaml_file = _Reader(text, path)
    if yaml_file.mistakes:
        raise ProfileErrors(yaml_file.mistakes)
    lines = yaml_file.lines
    protocol = _protocol_of(yaml_file.document, path)
    try:
        profile = protocol.part("form", Form).read(yaml_file.document)
    except ValidationError as wrong:
        raise ProfileErrors([_mistake(path, lines, error) for error in wrong.errors()]) from None
    except FaultyFile as wrong:
        mistakes = [Mistake(path, _line(lines, place), _dotted(place), why) for place, why in wrong.faults]
        raise ProfileErrors(mistakes) from None
    return replace(profile, bus_kinds=protocol.wires.kinds)


def _protocol_of(document: object, path: Path) -> Protocol:
    """The protocol that a file names: only its form is loaded."""
    found = f" (found {document!r:.60})"
    if not isinstance(document, dict):
        wrong = "Input should be a valid dictionary or object to extract fields from"
    elif "protocol" not in document:
        wrong = "Unable to extract tag using discriminator 'protocol'"
    elif (named := str(document["protocol"])) in PROTOCOLS:
        return PROTOCOLS[named]
    else:
        expected = ", ".join(map(repr, PROTOCOLS))
        wrong = f"Input tag '{named}' found using 'protocol' does not match any of the expected tags: {expected}"
    raise ProfileErrors([Mistake(path, 1, "", wrong + found)])


def _mistake(path: Path, lines: Mapping[Place, int], error: ErrorDetails) -> Mistake:
    place: Place = tuple(error["loc"])
    if place and place[-1] == "[key]":
        place = place[:-1]
    found = "" if error["type"] in {"missing", "extra_forbidden"} else f" (found {error['input']!r:.60})"
    return Mistake(path, _line(lines, place), _dotted(place), error["msg"] + found)


def _line(lines: Mapping[Place, int], place: Place) -> int:
    """The line of a place, or of the nearest part that contains it."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)


def _dotted(place: Place) -> str:
    return ".".join(str(step) for step in place)


# --- YAML with lines. PyYAML keeps the last of two equal keys: here that is a mistake.


class _Reader:
    """A YAML text, the line of each key, and the keys that come twice."""

    def __init__(self, text: bytes, path: Path) -> None:
        self.document: object = None
        self.lines: dict[Place, int] = {}
        self.mistakes: list[Mistake] = []
        self._path = path
        try:
            self._loader = _Loader(text)
            node = self._loader.get_single_node()
            if node is None:
                self.mistakes.append(Mistake(path, 1, "", "the file is empty"))
                return
            self._walk(node, ())
            self.document = self._loader.construct_document(node)
        except (yaml.YAMLError, UnicodeDecodeError) as wrong:
            mark = getattr(wrong, "problem_mark", None)
            why = getattr(wrong, "problem", None) or wrong
            self.mistakes.append(Mistake(path, mark.line + 1 if mark else 1, "", f"not YAML: {why}"))

    def _walk(self, node: yaml.Node, place: Place) -> None:
        self.lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            for key_node, value_node in node.value:
                self._key(key_node, value_node, place)
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self._walk(item, (*place, index))

    def _key(self, key_node: yaml.Node, value_node: yaml.Node, place: Place) -> None:
        if not isinstance(key_node, yaml.ScalarNode):
            raise yaml.MarkedYAMLError(problem="a key must be a word or a number", problem_mark=key_node.start_mark)
        key = self._loader.construct_object(key_node)
        step, line = (*place, key), key_node.start_mark.line + 1
        if step in self.lines:
            self.mistakes.append(
                Mistake(self._path, line, _dotted(step), f"{key} is already in line {self.lines[step]}")
            )
        self.lines[step] = line
        self._walk(value_node, step)

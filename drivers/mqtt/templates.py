"""The few value templates of Home Assistant that only say where a value stands. Pure.

Grammar (home-assistant.io, "Templating", and Jinja's expressions), nothing beyond it is guessed at:

    {{ value }}   {{ value_json }}   with steps .name  .0  ['name']  ["name"]  [0]   and filters | float | int | round
"""

from __future__ import annotations

import re
from typing import NamedTuple

from contract.texts import Text
from drivers.errors import DriverError

LIMIT = 500
STEPS_LIMIT = 16

_FRAME = re.compile(r"\{\{-?\s*(?P<inside>[^{}]*?)\s*-?\}\}", re.ASCII)
_ROOT = re.compile(r"(value_json|value)(?![A-Za-z0-9_])", re.ASCII)
_STEP = re.compile(
    r"\s*(?:\.(?P<name>[A-Za-z_][A-Za-z0-9_]*|[0-9]{1,6})|\[\s*(?:'(?P<single>[^'\\]+)'|\"(?P<double>[^\"\\]+)\""
    r"|(?P<index>[0-9]{1,6}))\s*\])",
    re.ASCII,
)
_FILTER = re.compile(r"\s*\|\s*(?P<name>float|int|round)(?![A-Za-z0-9_])(?:\s*\(\s*-?[0-9.]{0,12}\s*\))?", re.ASCII)


class NotUnderstood(DriverError):
    """Something in a stranger's announcement that is more than this project reads; `text` says what."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.text = Text(zh=zh, en=en)


class Template(NamedTuple):
    """Where a value stands (a path in the payload's JSON), and whether it is made a number of."""

    path: tuple[str, ...]
    number: bool


WHOLE = Template((), number=False)


def read_template(text: str) -> Template:
    """What a value template says. Raises `NotUnderstood` for everything that is more than a place."""
    frame = _FRAME.fullmatch(text.strip()) if _is_sane(text) else None
    if frame is None:
        raise _refused(text)
    inside = frame["inside"]
    root = _ROOT.match(inside)
    if root is None:
        raise _refused(text)
    at, path = root.end(), []
    while (step := _STEP.match(inside, at)) is not None:
        path.append(step["name"] or step["single"] or step["double"] or step["index"])
        at = step.end()
    number = False
    while (applied := _FILTER.match(inside, at)) is not None:
        number = True
        at = applied.end()
    if inside[at:].strip() or len(path) > STEPS_LIMIT or (path and root[1] == "value"):
        raise _refused(text)
    return Template(tuple(path), number)


def read_command_template(text: str) -> str:
    """A payload with `{value}` in the place of `{{ value }}`. Raises `NotUnderstood` for everything else."""
    parts = _FRAME.split(text) if _is_sane(text) else []
    if len(parts) != 3 or "{{" in parts[0] + parts[2] or "{%" in text or "{#" in text:
        raise _refused(text)
    before, inside, after = parts
    place = read_template("{{ " + inside + " }}")
    if place.path or not inside.startswith("value") or inside.startswith("value_json"):
        raise _refused(text)
    return f"{before}{{value}}{after}"


def _is_sane(text: str) -> bool:
    return len(text) <= LIMIT and text.strip().isprintable()


def _refused(text: str) -> NotUnderstood:
    shown = text if len(text) <= 80 else f"{text[:80]}…"
    return NotUnderstood(
        f"模板 {shown!r} 不只是指明取值位置", f"the template {shown!r} does more than say where a value is"
    )

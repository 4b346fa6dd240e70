"""Who may catch everything: the top of a loop or of a task, which logs and goes on; and few others, each by name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.test_architecture import PACKAGES, ROOT, python_files

BROAD = {"Exception", "BaseException"}

MAY: dict[str, str] = {
    "gateway/engine/commands.py Commands._go": "a fault of ours is the command's answer",
    "gateway/engine/site.py SiteEngine.report": "the one sink of all drivers: it never raises",
    "gateway/journal/writer.py Writer._do": "a job's own fault goes to whoever asked for it",
    "gateway/listeners.py Listeners.tell": "who listens hurts nobody who speaks",
    "hub/database/transactions.py Database._tell": "who listens hurts no commit",
    "hub/database/transactions.py Outcome.apart": "a savepoint: the error is its answer",
    "hub/ingest/worker.py Ingest._or_apart": "the message that a transaction fails of is found",
    "web/errors.py LastResort.__call__": "the outermost of every request",
    "drivers/lines/bus.py LineBus._take": "called by the event loop with bytes",
    "drivers/mbus/records.py _parsed": "native code whose panic is no Exception",
    "drivers/osdp/bus.py OsdpBus._safely": "called by the event loop with bytes, and at a line's moments",
    "drivers/osdp/panel.py Panel._told": "called by the library's C code",
}
"""File and function → why it catches everything although it is no top of a loop or a task. Twelve at the most."""

MOST_NAMED = 12

STARTS = {"create_task", "ensure_future", "start", "begin"}
"""What makes a task of a coroutine: `asyncio`'s, a task group's, an engine's errands."""


class Catch(NamedTuple):
    """One broad except."""

    place: str
    line: int
    top: bool
    told: bool


def test_whoever_catches_everything_is_the_top_of_a_loop_or_a_task_or_has_a_name() -> None:
    found = [catch for package in (*PACKAGES, "deploy") for path in python_files(package) for catch in catches(path)]
    assert [f"{catch.place}:{catch.line} says no reason" for catch in found if not catch.told] == []
    below = {catch.place for catch in found if not catch.top}
    assert sorted(below) == sorted(MAY)
    assert len([catch for catch in found if not catch.top]) <= MOST_NAMED


def catches(path: Path) -> Iterator[Catch]:
    text = path.read_text()
    tree, lines = ast.parse(text), text.splitlines()
    tasks = {
        argument.func.attr
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in STARTS
        for argument in call.args
        if isinstance(argument, ast.Call) and isinstance(argument.func, ast.Attribute)
    }
    yield from _in(tree, [], tasks, lines, str(path.relative_to(ROOT)))


def _in(node: ast.AST, above: list[ast.AST], tasks: set[str], lines: list[str], file: str) -> Iterator[Catch]:
    if isinstance(node, ast.ExceptHandler) and _broad(node.type):
        names = [each.name for each in above if isinstance(each, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)]
        told = "#" in lines[node.lineno - 1] or lines[node.lineno].lstrip().startswith("#")
        yield Catch(f"{file} {'.'.join(names)}", node.lineno, _top(above, tasks), told)
    for child in ast.iter_child_nodes(node):
        yield from _in(child, [*above, node], tasks, lines, file)


def _top(above: list[ast.AST], tasks: set[str]) -> bool:
    """Whether the `try` (the last of `above`) stands in a loop without an end, or outermost in a task's function."""
    for node in above[-2::-1]:
        if isinstance(node, ast.While | ast.AsyncFor):
            return True
        if isinstance(node, ast.AsyncFunctionDef):
            return node.name in tasks
        if not isinstance(node, ast.Try | ast.With | ast.AsyncWith):
            return False
    return False


def _broad(what: ast.expr | None) -> bool:
    """`except:`, `except Exception:`, and a tuple with one of those in it."""
    names = what.elts if isinstance(what, ast.Tuple) else [what]
    return any(name is None or (isinstance(name, ast.Name) and name.id in BROAD) for name in names)

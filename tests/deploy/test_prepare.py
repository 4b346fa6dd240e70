"""What tests look for is what `deploy/prepare tests` brings, and a test that misses a tool says so, or fails in CI."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import tools

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
STARTS = {"run", "Popen", "check_output", "check_call", "create_subprocess_exec", "which"}
PLAIN = {"umount", "/bin/sh"}
"""Of a package that is listed for another program of its; what every machine has at that place."""


def test_what_tests_start_is_what_the_fresh_machine_gets() -> None:
    text = (ROOT / "deploy" / "prepare").read_text()
    brought = re.findall(r"^ +need (\S+) command -v (\S+)$", text.split("  tests)")[1], re.MULTILINE)
    assert {program: package for package, program in brought} == tools.TOOLS


def test_no_test_starts_a_program_by_a_bare_name() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{call.lineno}: {word}"
        for path in sorted(TESTS.rglob("*.py"))
        if TESTS / "bench" not in path.parents and path != Path(tools.__file__)
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and _starts(call.func) and (word := _program(call)) and word not in PLAIN
    ]
    assert found == [], "tests.tools.tool(name) finds it, or leaves the test out"


def _starts(func: ast.expr) -> bool:
    """Whether it is `subprocess.run` or one like it."""
    return (
        isinstance(func, ast.Attribute)
        and func.attr in STARTS
        and isinstance(func.value, ast.Name)
        and func.value.id in {"subprocess", "asyncio", "shutil"}
    )


def _program(call: ast.Call) -> str | None:
    """The first word of what is started, where it stands there as a text."""
    words: ast.AST = call.args[0] if call.args else call
    while isinstance(words, ast.List | ast.Tuple) and words.elts:
        words = words.elts[0]
    if isinstance(words, ast.Starred) and isinstance(words.value, ast.Tuple | ast.List):
        words = words.value.elts[0]
    return words.value if isinstance(words, ast.Constant) and isinstance(words.value, str) else None


@pytest.mark.parametrize(("ci", "outcome"), [("", "3 skipped"), ("true", "1 failed, 2 errors")])
def test_whoever_misses_a_tool_is_left_out_and_in_ci_has_failed(tmp_path: Path, ci: str, outcome: str) -> None:
    missing = "from tests.tools import tool\n{}tool('mbpoll')\n"
    (tmp_path / "test_in_a_test.py").write_text(missing.format("def test_it():\n    "))
    (tmp_path / "test_in_a_fixture.py").write_text(
        "import pytest\n"
        + missing.format("@pytest.fixture\ndef found():\n    ")
        + "def test_it(found):\n    pass\n"
    )  # fmt: skip
    (tmp_path / "test_whole_file.py").write_text(
        "import pytest, shutil\nif not shutil.which('mbpoll'):\n    pytest.skip('none', allow_module_level=True)\n"
    )
    environment = {**os.environ, "CI": ci, "PATH": str(tmp_path), "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "-c", os.devnull,
         "--continue-on-collection-errors", "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert outcome in run.stdout, run.stdout + run.stderr

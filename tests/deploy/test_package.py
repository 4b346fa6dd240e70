"""What is installed is all that runs: files beside the code go into the package too."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
PACKAGES = ("contract", "rules", "drivers", "config", "gateway", "hub", "web", "simulators")
EXAMPLES = tuple(ROOT / "config" / name for name in ("sites", "rules", "examples"))
"""Sites to begin from: whoever installs has one of their own."""
CONSOLE = ROOT / "web" / "console"


def packed() -> set[Path]:
    return {
        path
        for package, patterns in TOOLS["package-data"].items()
        for pattern in patterns
        for path in (ROOT / package.replace(".", "/")).glob(pattern)
        if path.is_file()
    }


def test_files_beside_the_code_are_packed() -> None:
    beside = {
        path
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix not in {".py", ".pyc"} and not {CONSOLE, *EXAMPLES} & {*path.parents}
    }
    beside.discard(ROOT / "hub" / "migrations" / "script.py.mako")  # only for who writes a migration
    assert len(beside) > 60
    assert beside - packed() == set()


def test_the_console_is_packed_as_it_was_built() -> None:
    built = {path for path in (CONSOLE / "dist").rglob("*") if path.is_file()}
    assert built - packed() == set()
    assert not any("node_modules" in path.parts or "src" in path.parts for path in packed())

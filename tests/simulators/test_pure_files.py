"""The simulators' pure files import no clock, no network and no disk: their time and their chance are given to them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulators.stage import ROOT
from tests.test_architecture import CLOCK_CALLS, IO_MODULES

PURE = sorted(
    [
        *(ROOT / "simulators" / "world").glob("*.py"),
        *(ROOT / "simulators" / "parts").glob("*.py"),
        *(ROOT / "simulators" / name for name in ("site.py", "device.py", "faults.py", "rhythm.py")),
        *(ROOT / "simulators" / "modbus" / f"{name}.py" for name in ("frames", "slave", "image", "numbers", "wrongs")),
        ROOT / "simulators" / "lines" / "text.py",
        ROOT / "simulators" / "mqtt" / "payload.py",
        *(ROOT / "simulators" / "camera" / f"{name}.py" for name in ("push", "makes", "hikvision", "dahua", "frigate")),
    ]
)


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # A seeded Random that somebody hands over is data; the module's own dice are not.
            yield from (f"{node.module}.{alias.name}" for alias in node.names if node.module)


@pytest.mark.parametrize("path", PURE, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_pure_file_asks_nobody(path: Path) -> None:
    tree = ast.parse(path.read_text())
    names = {name for name in imported(tree) if name != "random.Random"}
    assert not {name for name in names if name.split(".")[0] in IO_MODULES}
    calls = {n.func.attr for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)}
    assert not calls & CLOCK_CALLS

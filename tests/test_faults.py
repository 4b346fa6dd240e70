"""docs/faults.md names tests: each is there, by that name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NAMED = re.compile(r"`((?:tests|web/console/tests)/[\w/.]+?\.(?:py|ts))(?:::(\w+))?`")
FAULTS = sorted(set(NAMED.findall((ROOT / "docs" / "faults.md").read_text())) - {("tests/test_faults.py", "")})


@pytest.mark.parametrize(("file", "test"), FAULTS)
def test_a_fault_has_its_test(file: str, test: str) -> None:
    text = (ROOT / file).read_text()
    assert test == "" or re.search(rf"^\s*(async )?def {test}\(", text, re.MULTILINE)


def test_no_fault_is_without_one() -> None:
    rows = [line for line in (ROOT / "docs" / "faults.md").read_text().splitlines() if line.startswith("| ")]
    assert len(FAULTS) > 50
    assert [row for row in rows if not NAMED.search(row) and "---" not in row and "| test |" not in row] == []

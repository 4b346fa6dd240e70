"""One thing has one name in everything that a person sees."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SAID = ("contract", "config", "drivers", "gateway", "hub", "rules", "web/console/src")


@pytest.mark.parametrize("word", ["中心", "平台"])
def test_the_hub_is_called_by_its_one_name(word: str) -> None:
    files = [file for folder in SAID for kind in ("py", "json", "vue") for file in (ROOT / folder).rglob(f"*.{kind}")]
    assert len(files) > 200
    assert [str(file.relative_to(ROOT)) for file in files if word in file.read_text()] == []

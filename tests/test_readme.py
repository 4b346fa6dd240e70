"""The README is true: every file that it names is there, and every command that it shows is known."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
TOPS = "contract|rules|drivers|config|gateway|hub|web|simulators|deploy|tests|docs"


def test_every_path_is_there() -> None:
    named = set(re.findall(rf"(?<![\w/.-])((?:{TOPS})/[\w./*-]+)", README))
    missing = [path for path in sorted(named) if not list(ROOT.glob(path.rstrip("/.")))]
    assert len(named) > 20
    assert not missing


def test_every_make_target_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"make (run|test|bench|lint|clean)", README)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


@pytest.mark.parametrize("screen", re.findall(r"docs/screens/[\w-]+\.png", README))
def test_screens_are_pictures(screen: str) -> None:
    assert (ROOT / screen).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_no_line_is_longer_than_a_screen() -> None:
    prose = [line for line in README.splitlines() if not line.startswith("|")]
    assert max(map(len, prose)) <= 125

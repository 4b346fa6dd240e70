"""docs/house.md is true: what it names is there. A way that leads to a file of before sends people looking."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HOUSE = (ROOT / "docs" / "house.md").read_text()
PACKAGES = ("contract", "rules", "drivers", "config", "gateway", "hub", "web", "simulators", "deploy", "tests")
CONSOLE = ROOT / "web" / "console"
OUTSIDE = {"node_modules", "dist", "__pycache__"}

FILE = re.compile(r"[\w<>*.-]+\.(py|ts|vue|ya?ml|json|md)")
NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


def named() -> Iterator[str]:
    """What stands between backticks, each once."""
    yield from dict.fromkeys(re.findall(r"`([^`\n]+)`", HOUSE))


def paths() -> list[str]:
    """Of files, not of URLs."""
    return [said for said in named() if "/" in said and " " not in said and not said.startswith("/")]


def sources() -> Iterator[Path]:
    """The house's own files."""
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*"):
            if path.is_file() and OUTSIDE.isdisjoint(path.relative_to(ROOT).parts):
                yield path


@pytest.mark.parametrize("path", paths())
def test_every_path_is_there(path: str) -> None:
    # `<subject>`: one for each, so there is one at the least.
    pattern = re.sub(r"<\w+>", "*", path)
    found = list(ROOT.glob(pattern.rstrip("/")))
    assert found, path
    assert not path.endswith("/") or any(each.is_dir() for each in found), path


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)]+)\)", HOUSE))
def test_every_link_leads_somewhere(link: str) -> None:
    assert (ROOT / "docs" / link).exists()


def test_every_file_that_a_folder_brings_is_one_that_folders_have() -> None:
    files = {path.name for path in sources()}
    wanted = [said for said in named() if "/" not in said and FILE.fullmatch(said)]
    assert len(wanted) > 5
    assert set(wanted) <= files


def test_every_name_is_one_of_the_code_or_of_the_texts() -> None:
    code = "\n".join(path.read_text() for path in sources() if path.suffix in {".py", ".ts"})
    components = {path.stem for path in sources() if path.suffix == ".vue"}
    texts = json.loads((CONSOLE / "src" / "locales" / "en.json").read_text())
    missing = []
    for said in named():
        if not NAME.fullmatch(said) or FILE.fullmatch(said):
            continue
        last = said.rpartition(".")[2]
        known = re.search(
            rf"\b(def|class|type|interface|const|function) {last}\b|^ *{last}\b *(: [^=\n]+)?( = |$)",
            code,
            re.MULTILINE,
        )
        if not known and last not in components and not _is_text(texts, said) and last not in COMMANDS:
            missing.append(said)
    assert not missing


COMMANDS = {"watch", "read"}
"""Of `python -m gateway`."""


def _is_text(texts: object, key: str) -> bool:
    for part in key.split("."):
        if not isinstance(texts, dict) or part not in texts:
            return False
        texts = texts[part]
    return True

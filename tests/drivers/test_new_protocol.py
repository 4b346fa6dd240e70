"""A protocol is one folder and one line, its simulator another folder and line: tried with one that nobody speaks."""

from __future__ import annotations

import asyncio
import filecmp
import os
import shutil
import sys
from pathlib import Path

from tests.drivers.echo import FILES, LINES, PRODUCT, SITE, USE

ROOT = Path(__file__).parent.parent.parent
EDITED = ("drivers", "simulators")
AS_THEY_ARE = ("contract", "rules", "config", "gateway", "web")


def tree(folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder))
        for package in EDITED
        for path in (folder / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def with_echo(folder: Path) -> None:
    for package in EDITED:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    for package in AS_THEY_ARE:
        (folder / package).symlink_to(ROOT / package)
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.lstrip("\n"), encoding="utf-8")
    for name, line in LINES.items():
        path = folder / name
        head, table, rest = path.read_text(encoding="utf-8").partition("PROTOCOLS: Mapping[str, Protocol] = {\n")
        path.write_text(head + table + line + rest, encoding="utf-8")


def files_on_top(folder: Path) -> None:
    (folder / "products" / "sensor").mkdir(parents=True)
    (folder / "products" / "sensor" / "echo_thing.yaml").write_text(PRODUCT, encoding="utf-8")
    (folder / "site.yaml").write_text(SITE, encoding="utf-8")
    (folder / "use.py").write_text(USE, encoding="utf-8")


async def test_one_folder_and_one_line_are_a_protocol(tmp_path: Path) -> None:
    with_echo(tmp_path)
    before, after = tree(ROOT), tree(tmp_path)
    assert after - before == FILES.keys()
    assert {Path(name).parent for name in FILES} == {Path("drivers/echo"), Path("simulators/echo")}
    changed = {name for name in before if not filecmp.cmp(ROOT / name, tmp_path / name, shallow=False)}
    assert changed == LINES.keys()
    for name in changed:
        lines, more = (ROOT / name).read_text().splitlines(), (tmp_path / name).read_text().splitlines()
        assert len(more) - len(lines) == 1
        assert set(lines) < set(more)
    files_on_top(tmp_path)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "use.py"),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    assert said.decode().split() == ["True", "{'thing':", "('stuck',)}", "21.5"]

"""docs/house.md at its word: a domain of the hub and its page are two folders, two lines, a migration and texts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hub import migrations
from tests.hub.notes_domain import ADDED, AREAS, BROUGHT, HUB

ROOT = Path(__file__).parents[2]
NODE_ENV = ROOT / "var" / "node" / "env"
CONSOLE = "web/console"

OF_THE_HOUSE = ("contract", "rules", "drivers", "config", "web", "hub", "simulators", "tests")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "node_modules", "dist")

IN_THE_HUB = """
import asyncio, json, sys
from hub import migrations
from hub.database.transactions import Database
from tests.hub.office import office
from tests.hub.test_migrations import differences

async def main():
    database = Database(sys.argv[1], pool_size=5)
    await migrations.upgrade(database)
    async with database.transaction() as conn:
        told = {"differences": [str(one) for one in await conn.run_sync(differences)]}
    async with office(database) as hub, hub.signed_in("root", "admin", "*") as admin:
        note = {"site": "demo", "text": "泵房钥匙在门岗"}
        told["wrote"] = (await admin.post("/api/notes", json=note)).status_code
        told["refused"] = (await admin.post("/api/notes", json={**note, "text": "", "colour": 1})).json()
        told["read"] = (await admin.get("/api/notes", params={"site": "demo"})).json()
        async with hub.signed_in("guard", "guard") as guard:
            told["guard"] = (await guard.get("/api/notes")).json()
            told["barred"] = (await guard.post("/api/notes", json=note)).status_code
    await database.close()
    print(json.dumps(told))

asyncio.run(main())
"""

IN_THE_CONSOLE = """
import { expect, it, vi } from "vitest";

import { i18n } from "@/kit/i18n";
import AppNav from "@/shell/AppNav.vue";
import { router } from "@/shell/router";
import { session } from "@/shell/stores/session";
import { sites } from "@/shell/stores/site";
import { T } from "@/testids";
import { at, mount, server, settled } from "./mounting";

it("is a page, and in the navigation", async () => {
  session.user = { id: "a", username: "root", name: "Root", role: "admin", language: "zh", sites: ["*"] } as never;
  sites.items = [{ id: "demo", name: "Demo" }];
  const note = { id: "n", site: "demo", text: "泵房钥匙在门岗", by: { id: "a", name: "Root", role: "admin" } };
  const asked = server(({ path }) =>
    path.startsWith("/api/notes") ? { status: 200, body: { items: [note], next: null } } : { status: 404 },
  );
  const leave = mount(AppNav);
  at(T.navMore).click();
  await settled();
  expect(at(T.nav("notes")).textContent).toContain("便签");
  leave();
  const fetched = router.resolve("/notes").matched[0]?.components?.default as () => Promise<{ default: never }>;
  mount((await fetched()).default);
  await settled();
  await vi.waitFor(() => expect(document.body.textContent).toContain("泵房钥匙在门岗"));
  expect(asked.map(({ path }) => path)).toContain("/api/notes?site=demo");
  for (const language of ["zh", "en"] as const)
    for (const key of ["nav.notes", "notes.title", "notes.text"]) expect(i18n.global.te(key, language)).toBe(true);
});
"""


def _node(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    script = f". {NODE_ENV} && {command}"
    return subprocess.run(
        ["/bin/sh", "-c", script], cwd=folder, capture_output=True, text=True, timeout=110, check=False
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The house with the made-up domain built into it."""
    house = tmp_path_factory.mktemp("house")
    for name in OF_THE_HOUSE:
        shutil.copytree(ROOT / name, house / name, ignore=LEFT_OUT)
    for path, written in BROUGHT.items():
        (house / path).parent.mkdir(parents=True, exist_ok=True)
        (house / path).write_text(written.replace("{before}", migrations.newest()))
    for path, edits in ADDED.items():
        text = (house / path).read_text()
        for before, after in edits:
            assert text.count(before) == 1, f"{path}: {before!r}"
            text = text.replace(before, after)
        (house / path).write_text(text)
    return house


def files(root: Path) -> dict[str, bytes]:
    """Path → content of the house's own files in a tree."""
    paths = [path for name in OF_THE_HOUSE for path in (root / name).rglob("*") if path.is_file()]
    kept = [path for path in paths if not {"__pycache__", "node_modules", "dist"} & set(path.relative_to(root).parts)]
    return {str(path.relative_to(root)): path.read_bytes() for path in kept}


def test_it_edits_two_lists_and_the_texts_and_nothing_else(copy: Path) -> None:
    ours, theirs = files(ROOT), files(copy)
    assert sorted(path for path in ours if theirs[path] != ours[path]) == sorted(
        [
            "hub/domains.py",
            f"{CONSOLE}/src/areas.ts",
            f"{CONSOLE}/src/locales/en.json",
            f"{CONSOLE}/src/locales/zh.json",
        ]
    )
    new = {path.parent for path in map(Path, theirs.keys() - ours.keys())}
    assert new == {Path(HUB), Path(AREAS), Path("hub/migrations/versions")}
    lines = {path: set(theirs[path].splitlines()) - set(ours[path].splitlines()) for path in ours if path in ADDED}
    # A line of each list has its import with it.
    assert [len(lines["hub/domains.py"]), len(lines[f"{CONSOLE}/src/areas.ts"])] == [2, 2]


def test_the_hub_writes_and_reads_it(copy: Path, database_url: str) -> None:
    env = {**os.environ, "PYTHONPATH": str(copy)}
    command = [sys.executable, "-c", IN_THE_HUB, database_url]
    done = subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert told["differences"] == []
    assert told["wrote"] == 201
    assert told["refused"]["error"]["fields"].keys() == {"text", "colour"}
    (note,) = told["read"]["items"]
    assert (note["site"], note["text"], note["by"]["name"]) == ("demo", "泵房钥匙在门岗", "Root")
    assert told["guard"] == {"items": [note], "next": None}
    assert told["barred"] == 403


def test_the_console_shows_it(copy: Path) -> None:
    if not NODE_ENV.exists() or not (ROOT / CONSOLE / "node_modules").exists():
        pytest.skip("the console's packages are missing: make console")
    console = copy / CONSOLE
    (console / "node_modules").symlink_to(ROOT / CONSOLE / "node_modules")
    written = console / "tests" / "notes.test.ts"
    written.write_text(IN_THE_CONSOLE)
    # What the compiler would say takes as long as all the rest together: that is left to `make lint`.
    told = _node(console, f"npx vitest run tests/{written.name}")
    written.unlink()
    assert told.returncode == 0, told.stdout + told.stderr

"""The house's arrows and its pure files, checked by reading every import."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

PACKAGES = ("contract", "rules", "drivers", "config", "web", "gateway", "hub", "simulators")

MAY_IMPORT: dict[str, frozenset[str]] = {
    "contract": frozenset(),
    "rules": frozenset({"contract"}),
    "drivers": frozenset({"contract"}),
    "web": frozenset({"contract", "rules"}),
    "config": frozenset({"contract", "rules", "drivers"}),
    "gateway": frozenset({"contract", "rules", "drivers", "config", "web"}),
    "hub": frozenset({"contract", "rules", "config", "web", "drivers.profiles"}),
    "simulators": frozenset({"contract", "drivers", "config", "web.reference"}),
}

SUPERVISOR = (
    "simulators/demo/demo.py",
    "simulators/demo/site.py",
    "simulators/demo/supervisor.py",
    "simulators/demo/programs.py",
)
"""Starts real processes and imports none of them."""

IO_MODULES = frozenset(
    {
        "asyncio", "socket", "ssl", "threading", "subprocess", "multiprocessing", "sqlite3", "time", "select", "signal",
        "aiomqtt", "paho", "serial", "serial_asyncio_fast", "asyncpg", "sqlalchemy", "sqlmodel", "fastapi", "starlette",
        "uvicorn", "httpx", "structlog", "prometheus_client", "shutil", "tempfile", "random", "secrets",
    }
)  # fmt: skip

A_SEED = "random.Random"
"""A generator that somebody else has seeded is an argument like any other."""

PURE_ROOMS = ("contract", "rules")
"""All of them are pure; elsewhere a file is that says so in its docstring: `Pure`, and then no word that weakens it."""

SAYS_PURE = re.compile(r"\bPure[.:;,]")

CLOCK_CALLS = frozenset({"now", "utcnow", "today", "time", "monotonic", "perf_counter", "time_ns", "monotonic_ns"})


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of everything that a file imports, wherever it does so."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            module = node.module or ""
            for alias in node.names:
                yield node.lineno, f"{module}.{alias.name}"


def python_files(package: str) -> list[Path]:
    return [path for path in sorted((ROOT / package).rglob("*.py")) if "node_modules" not in path.parts]


def allowed(package: str, name: str) -> bool:
    top = name.split(".", 1)[0]
    if top not in PACKAGES or top == package:
        return True
    return any(name == may or name.startswith(may + ".") for may in MAY_IMPORT[package])


@pytest.mark.parametrize("package", PACKAGES)
def test_arrows(package: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {package} may not import {name}"
        for path in python_files(package)
        for line, name in imports(path)
        if not allowed(package, name)
    ]
    assert python_files(package)
    assert not wrong, "\n".join(wrong)


def test_the_supervisor_imports_none_of_what_it_starts() -> None:
    for file in SUPERVISOR:
        for line, name in imports(ROOT / file):
            top = name.split(".", 1)[0]
            assert top not in {"gateway", "hub"}, f"{file}:{line}: {name}"


def pure_files() -> list[Path]:
    return [
        path
        for package in PACKAGES
        for path in python_files(package)
        if package in PURE_ROOMS or SAYS_PURE.search(ast.get_docstring(ast.parse(path.read_text())) or "")
    ]


def test_pure_files_do_no_io() -> None:
    wrong: list[str] = []
    files = pure_files()
    for path in files:
        place = path.relative_to(ROOT)
        wrong += [
            f"{place}:{line}: a pure file imports {name}"
            for line, name in imports(path)
            if name.split(".", 1)[0] in IO_MODULES and name != A_SEED
        ]
        wrong += [f"{place}:{line}: a pure file reads the clock or a file" for line in impure_calls(path)]
    # A word that is lost takes its file out of this test: so many there are at the least.
    least = {"contract": 30, "rules": 24, "drivers": 109, "config": 1, "web": 10, "gateway": 25, "hub": 11}
    least["simulators"] = 52
    for room, count in least.items():
        assert sum(path.is_relative_to(ROOT / room) for path in files) >= count, room
    assert not wrong, "\n".join(wrong)


def impure_calls(path: Path) -> Iterator[int]:
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        target = node.func
        if isinstance(target, ast.Name) and target.id in {"open", "print", "input"}:
            yield node.lineno
        if (
            isinstance(target, ast.Attribute)
            and target.attr in CLOCK_CALLS
            and isinstance(target.value, ast.Name)
            and target.value.id in {"datetime", "date", "time"}
        ):
            yield node.lineno


FILES_IN_A_ROOM = 26


def test_no_room_is_too_full_to_find_a_thing_in() -> None:
    rooms = Counter(path.parent for package in PACKAGES for path in python_files(package))
    assert not [f"{room.relative_to(ROOT)}: {count}" for room, count in rooms.items() if count > FILES_IN_A_ROOM]


def test_no_rooms_import_each_other_in_a_circle() -> None:
    """A folder that puts its own subfolders together is no circle: what is looked at is who needs whom beside that."""
    needs: dict[str, set[str]] = {}
    for package in PACKAGES:
        for path in python_files(package):
            room = str(path.parent.relative_to(ROOT))
            found = {room_of(name) for _, name in imports(path) if name.split(".", 1)[0] in PACKAGES}
            needs.setdefault(room, set()).update(
                other for other in found if other != room and not other.startswith(f"{room}/")
            )
    assert [room for room in needs if room in reached(room, needs)] == []


def test_no_files_import_each_other_in_a_circle() -> None:
    needs: dict[str, set[str]] = {}
    for package in PACKAGES:
        for path in python_files(package):
            names = {name for _, name in imports(path) if name.split(".", 1)[0] in PACKAGES}
            needs[file_of(dotted(path))] = {file_of(name) for name in names}
    assert [file for file in needs if file in reached(file, needs)] == []


def test_what_a_site_file_and_a_product_say_load_no_driver() -> None:
    """A gateway holds the shapes of all protocols, and the drivers of those alone that its site has wires of."""
    needs: dict[str, set[str]] = {}
    loads: dict[str, set[str]] = {}
    for path in (path for package in ("contract", "drivers") for path in python_files(package)):
        names = {name for _, name in imports(path)}
        own = {name for name in names if name.split(".", 1)[0] in PACKAGES}
        needs[file_of(dotted(path))] = {file_of(name) for name in own}
        loads[file_of(dotted(path))] = {name for name in names if name.split(".", 1)[0] in IO_MODULES}
    shapes = [file for file in needs if Path(file).name in {"form", "wires"}]
    assert len(shapes) >= 20
    wrong = [
        f"{shape} loads {file}: {', '.join(found)}"
        for shape in shapes
        for file in sorted({shape, *reached(shape, needs)})
        if (found := sorted(loads.get(file, ()))) or Path(file).name in {"opening", "bus", "station"}
    ]
    assert not wrong, "\n".join(wrong)


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def file_of(name: str) -> str:
    """The file that a dotted name stands in: a module's, a package's own, or that of a name in either."""
    place = ROOT.joinpath(*name.split("."))
    while not (place.with_suffix(".py").exists() or (place / "__init__.py").exists()):
        place = place.parent
    return str(place.relative_to(ROOT))


def room_of(name: str) -> str:
    place = ROOT.joinpath(*name.split("."))
    while not place.is_dir():
        place = place.parent
    return str(place.relative_to(ROOT))


def reached(room: str, needs: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    ahead = list(needs[room])
    while ahead:
        each = ahead.pop()
        if each not in found:
            found.add(each)
            ahead += needs.get(each, ())
    return found


LOCKS = (
    *("requirements.lock", "deploy/node.lock", "web/console/package-lock.json"),
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "deploy" / "peers").glob("*.lock")),
)


def test_every_peer_is_locked() -> None:
    peers = ROOT / "deploy" / "peers"
    assert {path.stem for path in peers.glob("*.in")} == {path.name.split(".")[0] for path in peers.glob("*.lock")}


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_hold_hashes_and_no_addresses(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert "sha256:" in text or '"integrity": "sha512-' in text

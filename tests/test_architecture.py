"""The house's arrows and its pure files, checked by reading every import."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

PACKAGES = ("contract", "rules", "drivers", "config", "web", "gateway", "hub", "simulators")

MAY_IMPORT: dict[str, frozenset[str]] = {
    "contract": frozenset(),
    "rules": frozenset({"contract"}),
    "drivers": frozenset({"contract"}),
    "web": frozenset({"contract"}),
    "config": frozenset({"contract", "rules", "drivers"}),
    "gateway": frozenset({"contract", "rules", "drivers", "config", "web"}),
    "hub": frozenset({"contract", "rules", "config", "web", "drivers.profiles"}),
    "simulators": frozenset({"contract", "drivers", "config"}),
}

SUPERVISOR = ("simulators/demo.py", "simulators/demo_site.py", "simulators/supervisor.py", "simulators/engines.py")
"""Starts real processes and imports none of them."""

IO_MODULES = frozenset(
    {
        "asyncio", "socket", "ssl", "threading", "subprocess", "multiprocessing", "sqlite3", "time", "select", "signal",
        "aiomqtt", "paho", "serial", "serial_asyncio_fast", "asyncpg", "sqlalchemy", "sqlmodel", "fastapi", "starlette",
        "uvicorn", "httpx", "structlog", "prometheus_client", "shutil", "tempfile", "random", "secrets",
    }
)  # fmt: skip

PURE_FILES = (
    "web/browsers.py",
    "web/lifetimes.py",
    "web/password_rule.py",
    "web/rates.py",
    "web/second_factor.py",
    "contract/*.py",
    "rules/**/*.py",
    "drivers/*/*codec*.py",
    "drivers/modbus/plan.py",
    "drivers/modbus/decode.py",
    "drivers/modbus/encode.py",
    "drivers/osdp/hearing.py",
    "drivers/osdp/keypad.py",
    "drivers/osdp/line.py",
    "drivers/osdp/meaning.py",
    "drivers/osdp/wishes.py",
    "drivers/schedule.py",
    "drivers/pace.py",
    "drivers/meters/bcd.py",
    "drivers/meters/cjt188.py",
    "drivers/meters/cjt188_station.py",
    "drivers/meters/dialect.py",
    "drivers/meters/dlt645.py",
    "drivers/meters/dlt645_station.py",
    "drivers/meters/dlt698.py",
    "drivers/meters/dlt698_station.py",
    "drivers/meters/framing.py",
    "drivers/meters/items.py",
    "drivers/meters/mbus.py",
    "drivers/meters/mbus_records.py",
    "drivers/meters/mbus_station.py",
    "drivers/meters/mbus_units.py",
    "drivers/meters/station.py",
    "drivers/modbus/frames.py",
    "drivers/modbus/refusals.py",
    "drivers/modbus/wire.py",
    "drivers/modbus/resync.py",
    "drivers/modbus/station.py",
    "drivers/changes.py",
    "drivers/profiles/words.py",
    "drivers/profiles/cardforms.py",
    "drivers/profiles/schema.py",
    "drivers/profiles/profile.py",
    "drivers/profiles/build.py",
    "drivers/profiles/forms/*.py",
    "drivers/mqtt/mapping.py",
    "drivers/mqtt/orders.py",
    "drivers/mqtt/reconnecting.py",
    "drivers/mqtt/templates.py",
    "drivers/mqtt/discovery.py",
    "drivers/mqtt/parts.py",
    "drivers/mqtt/drafts.py",
    "drivers/camera/board.py",
    "drivers/camera/dahua.py",
    "drivers/camera/dialects.py",
    "drivers/camera/form.py",
    "drivers/camera/frigate.py",
    "drivers/camera/hikvision.py",
    "drivers/camera/plates.py",
    "drivers/camera/replaced.py",
    "drivers/camera/zhenshi.py",
    "drivers/cards.py",
    "config/site.py",
    "gateway/engine/allowance.py",
    "gateway/engine/causes.py",
    "gateway/engine/display.py",
    "gateway/engine/episodes.py",
    "gateway/engine/layout.py",
    "gateway/engine/points.py",
    "gateway/homeassistant/mapping.py",
    "gateway/hubtime.py",
    "simulators/mqtt/announce.py",
    "simulators/mqtt/orders.py",
    "simulators/mqtt/payload.py",
    "gateway/journal/pages.py",
    "gateway/journal/records.py",
    "gateway/outbox.py",
    "gateway/readings/blobs.py",
    "gateway/tools/language.py",
    "gateway/tools/trouble.py",
    "gateway/tools/typed.py",
    "gateway/tools/guessing.py",
    "gateway/tools/wording.py",
    "gateway/tools/fitting.py",
    "gateway/tools/sweeps.py",
    "gateway/tools/asks.py",
    "gateway/tools/asks_*.py",
    "gateway/tools/dissect_*.py",
    "gateway/tools/found.py",
    "gateway/tools/hearing.py",
    "gateway/tools/listeners.py",
    "gateway/tools/makers.py",
    "gateway/tools/modbus_words.py",
    "gateway/tools/protocols.py",
    "gateway/tools/seen.py",
    "gateway/tools/sitelines.py",
    "gateway/tools/tallies.py",
    "gateway/tools/wishes.py",
    "gateway/uplink/pace.py",
    "hub/ingest/rule.py",
    "hub/ingest/arrivals.py",
    "hub/desired/steps.py",
    "hub/telemetry/months.py",
    "hub/telemetry/readings.py",
)

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


def test_pure_files_do_no_io() -> None:
    wrong: list[str] = []
    seen = 0
    for pattern in PURE_FILES:
        for path in sorted(ROOT.glob(pattern)):
            seen += 1
            place = path.relative_to(ROOT)
            wrong += [
                f"{place}:{line}: a pure file imports {name}"
                for line, name in imports(path)
                if name.split(".", 1)[0] in IO_MODULES
            ]
            wrong += [f"{place}:{line}: a pure file reads the clock or a file" for line in impure_calls(path)]
    assert seen > 15
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

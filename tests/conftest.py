"""What holds for every test: nothing is left out in CI, examples come in a fixed order there, old folders go."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import structlog
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from tests.leftovers import remove_leftovers

CI = os.environ.get("CI", "").lower() in {"1", "true"}
JOURNEYS = Path(__file__).parent / "journeys"

OWN_DEMO = {"test_two_sites.py", "test_worst_days.py"}
"""Journeys that do not share the demo: they damage theirs, or have another."""

# What a hub is not told where to keep goes there, also of those that tests start.
os.environ["XDG_STATE_HOME"] = str(Path(__file__).parents[1] / "var" / "test-state")

# What commands say is read by tests in English; those that read Chinese ask for it.
os.environ["LC_MESSAGES"] = "en_US.UTF-8"

# A busy machine is no reason to fail: examples have no deadline. In CI two runs try the same ones.
hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("ci" if CI else "here")

# What is logged is read where a test fails. With the values of every frame, as a screen shows it, one traceback takes
# seconds of a processor.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)

# A shell without job control starts what runs in the background with Ctrl-C ignored, and so would be all its children.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_sessionstart(session: pytest.Session) -> None:
    """What sessions left behind that were killed is in nobody's way."""
    if not hasattr(session.config, "workerinput"):
        remove_leftovers()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Journeys begin first, and may take the time that people and machines take."""
    for item in items:
        if JOURNEYS in item.path.parents:
            item.add_marker(pytest.mark.timeout(300))
    items.sort(key=lambda item: (JOURNEYS not in item.path.parents, item.path.name in OWN_DEMO))


class SideBySide(LoadScopeScheduling):  # type: ignore[misc]
    """xdist's `loadfile`, and all files that share the demo go to one worker: one demo is enough for two cores."""

    def _split_scope(self, nodeid: str) -> str:
        file = Path(nodeid.split("::", 1)[0])
        return "demo" if file.parent.name == JOURNEYS.name and file.name not in OWN_DEMO else str(file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    """What `-n` with `--dist loadfile` means here."""
    return SideBySide(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """In CI a test that leaves itself out has failed: whatever it misses belongs to `deploy/prepare tests`."""
    report = yield
    if CI and report.skipped and not hasattr(report, "wasxfail"):  # type: ignore[attr-defined]
        report.outcome = "failed"  # type: ignore[attr-defined]
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    """The same for a file that leaves itself out whole."""
    report = yield
    if CI and report.skipped:  # type: ignore[attr-defined]
        report.outcome = "failed"  # type: ignore[attr-defined]
        report.longrepr = str(report.longrepr)  # type: ignore[attr-defined]
    return report

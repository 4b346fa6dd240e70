"""What holds for every test: nothing is left out in CI, examples come in a fixed order there, old folders go."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.leftovers import remove_leftovers

CI = os.environ.get("CI", "").lower() in {"1", "true"}
JOURNEYS = Path(__file__).parent / "journeys"

# A busy machine is no reason to fail: examples have no deadline. In CI two runs try the same ones.
hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("ci" if CI else "here")


def pytest_sessionstart(session: pytest.Session) -> None:
    """What sessions left behind that were killed is in nobody's way."""
    if not hasattr(session.config, "workerinput"):
        remove_leftovers()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Side by side (xdist's `loadgroup`): a file stays together, all journeys share one demo and begin first."""
    for item in items:
        journey = JOURNEYS in item.path.parents
        item.add_marker(pytest.mark.xdist_group("journeys" if journey else item.path.stem + item.path.parent.name))
        if journey:
            # A demo's start and what people and machines do in their own time.
            item.add_marker(pytest.mark.timeout(300))
    items.sort(key=lambda item: JOURNEYS not in item.path.parents)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """In CI a test that leaves itself out has failed: whatever it misses belongs to `deploy/prepare tests`."""
    report = yield
    if CI and report.skipped and not hasattr(report, "wasxfail"):  # type: ignore[attr-defined]
        report.outcome = "failed"  # type: ignore[attr-defined]
    return report
